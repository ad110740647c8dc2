"""The commands that change archives."""

import json
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "pipeline"))
import raw_codec
from meshset.archive import ArchiveEditor, ArchiveReader


@pytest.fixture
def new(tmp_path):
    """A mesh file named "round"."""
    return raw_codec.ball(tmp_path / "new" / "round.ply")


def test_add_replace_and_remove_say_what_they_did(meshset, archive, new):
    added = meshset("add", archive, new, "--device", "cpu", "--quiet")
    assert (added.exit_code, added.stderr) == (0, "")
    assert ": 1 mesh added in " in added.stdout
    assert "% of the diagonal; 3 in all" in added.stdout
    assert ": 1 mesh replaced in " in meshset("replace", archive, new, "--device", "cpu").stdout
    assert "unused" in meshset("info", archive).stdout
    assert ": 2 meshes removed, 1 left, " in meshset("remove", archive, "animals/*", "round", "--compact").stdout
    assert "unused" not in meshset("info", archive).stdout
    assert meshset("test", archive).exit_code == 0


def test_json_of_every_command(meshset, archive, new, tmp_path):
    added = json.loads(meshset("add", archive, new, "--device", "cpu", "--json").stdout)
    assert [entry["name"] for entry in added["entries"]] == ["round"]
    removed = json.loads(meshset("remove", archive, "box", "--json").stdout)
    assert (removed["removed"], removed["left"]) == (["box"], 2)
    merged = json.loads(meshset("merge", archive, "-o", tmp_path / "copy.mset", "--json").stdout)
    assert (merged["meshes"], merged["shared"]) == (2, 1)


def test_remove_says_that_it_takes_folders(meshset, archive):
    assert "folders such as" in " ".join(meshset("remove", "--help").stdout.split())
    assert ": 1 mesh removed, 1 left, " in meshset("remove", archive, "animals/").stdout


def test_failures_of_add_are_listed(meshset, archive, new):
    raw_codec.tetrahedron(new.parent / "pointed.ply")
    result = meshset("add", archive, new.parent, "--device", "cpu")
    assert result.exit_code == 1
    assert ": 1 mesh added" in result.stdout
    assert "pointed.ply: raw codec takes no tetrahedra" in result.stderr


def test_a_bound_on_the_error(meshset, models, tmp_path):
    path = tmp_path / "bounded.mset"
    made = meshset("compress", models, "-o", path, "--codec", "coarse", "--device", "cpu", "--max-error", "0.005%")
    assert made.exit_code == 0
    assert "max error 0.005%: 2 control-mesh" in made.stderr
    listed = json.loads(meshset("list", path, "--json").stdout)
    assert [(mesh["rung"], mesh["bound"], mesh["codec"]) for mesh in listed] == [
        ("control-mesh", 0.00005, "control-mesh")
    ] * 2
    raw_codec.ball(tmp_path / "more.ply")
    added = json.loads(meshset("add", path, tmp_path / "more.ply", "--max-error", "1%", "--json").stdout)
    assert [mesh["bound"] for mesh in added["entries"]] == [0.01]


@pytest.mark.parametrize("text", ["0.2", "0%", "-1%", "nan%", "inf%", "much", ""])
def test_a_bound_that_is_no_percentage_is_a_usage_error(meshset, archive, text):
    result = meshset("add", archive, archive, "--max-error", text)
    assert result.exit_code == 2
    assert "not a percentage above 0" in result.stderr


def test_merge_refuses_names_and_files_that_are_there(meshset, archive, tmp_path):
    again = meshset("merge", archive, archive, "-o", tmp_path / "all.mset")
    assert (again.exit_code, again.stdout) == (3, "")
    assert "holds a mesh named 'animals/ball', as " in again.stderr
    assert "exists already" in meshset("merge", archive, "-o", archive).stderr
    assert meshset("merge", archive, "-o", archive, "--force").exit_code == 0


@pytest.mark.parametrize(
    "command", [["add", "NEW"], ["replace", "NEW"], ["remove", "box"], ["remove", "--compact"]], ids=" ".join
)
def test_a_second_writer_gets_one_line(meshset, archive, new, command):
    arguments = [new if word == "NEW" else word for word in command[1:]]
    with ArchiveEditor(archive):
        result = meshset(command[0], archive, *arguments)
    assert result.exit_code == 3
    expected = f"meshset: error: {archive}: another process is writing to it; try again when that has ended"
    assert result.stderr.splitlines()[-1] == expected


def test_ctrl_c_leaves_the_archive(start, archive, new, tmp_path):
    before = archive.read_bytes()
    program = (
        "import sys\nsys.path.insert(0, PATH)\nimport raw_codec, time\n"
        "def slow(*_):\n    print('fitting', flush=True)\n    time.sleep(60)\n"
        "raw_codec.RawCodec.add = slow\nraw_codec.register()\nfrom meshset.cli import main\nmain()"
    ).replace("PATH", repr(str(Path(raw_codec.__file__).parent)))
    process = start("add", archive, new, "--device", "cpu", "--quiet", program=program)
    assert process.stdout.readline() == "fitting\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr == "meshset: interrupted, the archive is as it was\n"
    assert archive.read_bytes() == before


def test_the_cache_is_shown_and_cleared(meshset, tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("MESHSET_CACHE", str(folder))
    assert meshset("cache").stdout == f"{folder}: 0 fields, 0 B\n"
    folder.mkdir()
    (folder / "a.field").write_bytes(bytes(10))
    assert json.loads(meshset("cache", "--json").stdout) == {
        "folder": str(folder),
        "cleared": False,
        "entries": 1,
        "bytes": 10,
    }
    assert meshset("cache", "--clear").stdout == f"{folder}: 1 field, 10 B removed\n"
    assert list(folder.iterdir()) == []


def test_deep_and_repair(meshset, archive, models, tmp_path):
    whole = meshset("test", archive, models, "--deep")
    assert (whole.exit_code, whole.stdout) == (0, f"{archive}: all 2 meshes are whole and decode\n")
    assert meshset("test", archive, "--deep", "--repair", tmp_path / "new.mset").exit_code == 2
    data = bytearray(archive.read_bytes())
    with ArchiveReader(archive) as reader:
        data[reader.entries["box"].offset] ^= 1
    archive.write_bytes(data)
    result = meshset("test", archive, "--repair", tmp_path / "new.mset")
    assert result.exit_code == 1
    assert result.stdout == f"{tmp_path / 'new.mset'}: 1 mesh salvaged\n"
    assert "box: mesh 'box' is damaged" in result.stderr
    assert meshset("test", tmp_path / "new.mset").exit_code == 0
