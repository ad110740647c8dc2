"""What every command prints and how it exits."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import raw_codec
from meshset.archive import ArchiveReader, ArchiveWriter
from meshset.cli.app import app
from meshset.cli.sets import sets
from meshset.geometry import read_mesh
from meshset.pipeline.summary import Listing, list_meshes

COMMANDS = [
    *("compress", "check", "list", "info", "extract", "fit", "test", "eval", "sample", "bench", "report"),
    *("add", "replace", "remove", "merge", "cache"),
]


def errors(result):
    return [line for line in result.stderr.splitlines() if line.startswith("meshset: error: ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(meshset, command):
    result = meshset(command, "--help")
    assert result.exit_code == 0
    assert f"Example: meshset {command} " in result.stdout


def test_all_commands_are_tested():
    registered = [*app.registered_commands, *sets.registered_commands]
    assert sorted(command.name or command.callback.__name__ for command in registered) == sorted(COMMANDS)


def test_compress_says_what_is_not_kept_and_sums_up(meshset, models, tmp_path):
    result = meshset("compress", models, "-o", tmp_path / "a.mset", "--codec", "raw", "--device", "cpu")
    assert result.exit_code == 0
    assert result.stderr.count("not kept") == 1
    assert result.stderr.startswith("meshset keeps the shapes: vertex order")
    assert "read files: 2" in result.stderr
    assert result.stdout.startswith(f"{tmp_path / 'a.mset'}: 2 meshes, ")
    assert len(result.stdout.splitlines()) == 1


def test_quiet_says_only_the_result(meshset, models, tmp_path):
    result = meshset("compress", models, "-o", tmp_path / "a.mset", "--codec", "raw", "--quiet", "--device", "cpu")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2 meshes" in result.stdout


def test_compress_json_and_options_reach_the_archive(meshset, models, tmp_path):
    options = ["--resolution", "128", "--preset", "fast", "--seed", "7", "--device", "cpu", "--codec", "raw", "--json"]
    result = meshset("compress", models, "-o", tmp_path / "a.mset", *options)
    summary = json.loads(result.stdout)
    assert [entry["name"] for entry in summary["entries"]] == ["animals/ball", "box"]
    assert summary["failures"] == []
    assert summary["archive_bytes"] == (tmp_path / "a.mset").stat().st_size
    with ArchiveReader(tmp_path / "a.mset") as reader:
        chosen = {key: reader.settings[key] for key in ("resolution", "preset", "seed", "device")}
    assert chosen == {"resolution": 128, "preset": "fast", "seed": 7, "device": "cpu"}


def test_failures_are_listed_at_the_end_and_the_rest_is_written(meshset, models, tmp_path):
    (models / "empty.obj").touch()
    output = tmp_path / "a.mset"
    result = meshset("compress", models, "-o", output, "--codec", "raw", "--device", "cpu")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == f"meshset: error: {models / 'empty.obj'}: empty file"
    assert "2 meshes" in result.stdout
    assert output.exists()


def test_nothing_to_compress_says_why(meshset, tmp_path):
    (tmp_path / "empty.obj").touch()
    result = meshset("compress", tmp_path, "-o", tmp_path / "a.mset", "--codec", "raw", "--device", "cpu")
    assert result.exit_code == 3
    assert errors(result) == [
        f"meshset: error: {tmp_path / 'empty.obj'}: empty file",
        "meshset: error: nothing to compress: none of the files can be used",
    ]


def test_existing_archive_needs_force(meshset, archive, models):
    arguments = ["compress", models, "-o", archive, "--codec", "raw", "--device", "cpu"]
    result = meshset(*arguments)
    assert result.exit_code == 3
    assert errors(result) == [f"meshset: error: {archive}: exists already"]
    assert meshset(*arguments, "--force").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["compress"],
        ["compress", "x.obj", "-o", "x.mset", "--resolution", "65"],
        ["compress", "x.obj", "-o", "x.mset", "--codec", "zip"],
        ["compress", "x.obj", "-o", "x.mset", "--seed", "-1"],
        ["extract", "x.mset", "-o", "out", "--format", "exe"],
        ["list"],
        ["sing"],
    ],
)
def test_usage_errors_exit_with_2(meshset, arguments):
    result = meshset(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["list", "info", "extract", "test", "eval"])
@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), (b"solid stl", "not a meshset"), (b"", "not a meshset")]
)
def test_what_is_no_archive_is_one_line(meshset, tmp_path, command, content, reason):
    path = tmp_path / "x.mset"
    if content is not None:
        path.write_bytes(content)
    more = {"extract": ["-o", tmp_path / "out"], "eval": [tmp_path]}.get(command, [])
    result = meshset(command, path, *more)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.startswith(f"meshset: error: {path}: ")
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_list_is_a_table(meshset, archive):
    rows, _, notes = meshset("list", archive).stdout.partition("\n\n")
    lines = rows.splitlines()
    assert lines[0].split() == ["name", "codec", "bytes", "faces", "mean", "error", "max", "error"]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["animals/ball", "raw", str(8 + 12 * 482), "320"],
        ["box", "raw", str(8 + 12 * 20), "12"],
    ]
    assert notes.splitlines() == ["animals/ball: stored raw", "box: stored raw"]


def test_list_and_info_json(meshset, archive):
    meshes = json.loads(meshset("list", archive, "--json").stdout)
    assert [mesh["name"] for mesh in meshes] == ["animals/ball", "box"]
    assert meshes[1]["source_faces"] == 12
    info = json.loads(meshset("info", archive, "--json").stdout)
    assert info["meshes"] == 2
    assert info["shared_bytes"] == len(raw_codec.SHARED)
    assert info["settings"]["report"]["nested"] == {"loss": 0.5}


def test_info_shows_totals_and_settings(meshset, archive):
    text = meshset("info", archive).stdout
    rows = dict(line.split("  ", 1) for line in text.splitlines())
    rows = {key.strip(): value.strip() for key, value in rows.items()}
    assert rows["meshes"] == "2"
    assert rows["shared parts"] == "11 B"
    assert rows["settings: codec"] == "raw"
    assert rows["settings: report.nested.loss"] == "0.5"
    assert "torn bytes" not in rows


def test_hostile_text_does_not_reach_the_terminal(meshset, tmp_path):
    path = tmp_path / "evil.mset"
    hidden = "[red]bold\u202etxt.exe"
    with ArchiveWriter(path) as writer:
        values = {"vertices": 3, "faces": 1, "source_vertices": 3, "source_faces": 1, "source_bytes": 9}
        writer.add_mesh(
            hidden, b"x", codec_id=9, shared=None, lower=(0, 0, 0), upper=(1, 1, 1), notes=[hidden], **values
        )
        writer.finish({"report": {"\x1b[2J": "\x1b]0;owned\x07\n"}})
    listing, info = meshset("list", path).stdout, meshset("info", path).stdout
    assert listing.count("[red]bold\\u202etxt.exe") == 3  # in the table, and again with its note
    assert "settings: report.\\x1b[2J" in info
    assert "\\x1b]0;owned\\x07\\n" in info
    unknown = meshset("extract", path, "\x1b[2J", "-o", tmp_path / "out").stderr
    for text in (listing, info, unknown, meshset("test", path).stderr, meshset("info", path, "--json").stdout):
        assert all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.parametrize(("frames", "written"), [("2:4", ["walk_2", "walk_3"]), (":2", ["walk_1"]), ("3:", ["walk_3"])])
def test_extract_takes_frames_by_number(meshset, pack, tmp_path, frames, written):
    for number in (1, 2, 3):
        raw_codec.ball(tmp_path / "frames" / f"walk_{number}.ply", radius=number)
    archive = pack(tmp_path / "frames").path
    result = meshset("extract", archive, "walk", "--frames", frames, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == written


@pytest.mark.parametrize("frames", ["4", "4:2", "a:b", "1:2:3", "-1:4"])
def test_extract_refuses_what_is_no_range_of_frames(meshset, archive, tmp_path, frames):
    result = meshset("extract", archive, "--frames", frames, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "FROM:TO" in " ".join(result.stderr.split())


def test_extract_writes_files(meshset, archive, tmp_path):
    result = meshset("extract", archive, "box", "animals/*", "-o", tmp_path / "out", "--format", "obj")
    assert (result.exit_code, result.stdout) == (0, f"2 meshes written to {tmp_path / 'out'}\n")
    assert len(read_mesh(tmp_path / "out" / "animals" / "ball.obj").mesh.faces) == 320
    again = meshset("extract", archive, "box", "-o", tmp_path / "out", "--format", "obj")
    assert again.exit_code == 3
    assert errors(again) == [f"meshset: error: box: {tmp_path / 'out' / 'box.obj'}: exists already"]
    assert meshset("extract", archive, "box", "-o", tmp_path / "out", "--format", "obj", "--force").exit_code == 0


def test_fit_writes_what_the_field_keeps(meshset, models, tmp_path):
    result = meshset("fit", models / "box.obj", "-o", tmp_path / "out.ply", "--resolution", "32", "--field", "tsdf")
    assert result.exit_code == 0, result.stderr
    faces = len(read_mesh(tmp_path / "out.ply").mesh.faces)
    assert result.stdout.startswith(f"{tmp_path / 'out.ply'}: {faces} faces, mean distance ")
    missing = meshset("fit", models / "none.obj", "-o", tmp_path / "out.ply")
    assert (missing.exit_code, len(errors(missing))) == (3, 1)


def test_unknown_mesh_name_proposes_others(meshset, archive, tmp_path):
    result = meshset("extract", archive, "bux", "-o", tmp_path / "out")
    assert result.exit_code == 3
    assert result.stderr == f"meshset: error: {archive}: holds no mesh named 'bux'; did you mean 'box'?\n"


def test_test_tells_whole_from_damaged(meshset, archive):
    result = meshset("test", archive)
    assert (result.exit_code, result.stdout) == (0, f"{archive}: all 2 meshes are whole and decode\n")
    with ArchiveReader(archive) as reader:
        offset = reader.entries["box"].offset
    content = bytearray(archive.read_bytes())
    content[offset] ^= 1
    archive.write_bytes(content)
    damaged = meshset("test", archive)
    assert (damaged.exit_code, damaged.stdout) == (1, "")
    assert errors(damaged) == ["meshset: error: box: mesh 'box' is damaged: its checksum is wrong"]


def test_eval_counts_what_is_missing(meshset, tmp_path):
    for number in range(6):
        raw_codec.box(tmp_path / "many" / f"box{number}.obj")
    path = tmp_path / "many.mset"
    assert meshset("compress", tmp_path / "many", "-o", path, "--codec", "raw", "--device", "cpu").exit_code == 0
    result = meshset("eval", path, tmp_path / "many" / "box5.obj")
    missing = "in the archive, but not among the sources"
    expected = [
        *(f"meshset: error: box{number}: {missing}" for number in range(3)),
        f"meshset: error: 2 more meshes: {missing}",
    ]
    assert (result.exit_code, errors(result)) == (1, expected)
    figures = json.loads(meshset("eval", path, tmp_path / "many" / "box5.obj", "--json").stdout)
    assert [failure["subject"] for failure in figures["failures"]] == [f"box{number}" for number in range(5)]
    nothing = meshset("eval", path, raw_codec.ball(tmp_path / "other.ply"))
    assert nothing.exit_code == 3
    assert f"meshset: error: 3 more meshes: {missing}" in errors(nothing)


def test_eval_prints_a_table_with_the_mean_and_lists_what_is_missing(meshset, archive, models):
    (models / "animals" / "ball.ply").unlink()
    result = meshset("eval", archive, models)
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["name", "box", "mean"]
    assert errors(result) == ["meshset: error: animals/ball: in the archive, but not among the sources"]
    figures = json.loads(meshset("eval", archive, models, "--json").stdout)
    assert figures["mean"] == figures["metrics"]["box"]
    assert figures["failures"][0]["subject"] == "animals/ball"


def test_sample_writes_a_set(meshset, tmp_path):
    result = meshset("sample", tmp_path / "demo", "--count", "2", "--seed", "1", "--format", "off")
    assert result.exit_code == 0
    assert [path.suffix for path in (tmp_path / "demo").iterdir()] == [".off", ".off"]


def test_one_mesh_is_written_to_a_file_or_to_stdout(meshset, start, archive, tmp_path):
    part = tmp_path / "part.stl"
    assert meshset("extract", archive, "box", "-o", part).stdout == f"1 mesh written to {part}\n"
    out, err = start("extract", archive, "box", "-o", "-", "--format", "stl", text=False, encoding=None).communicate()
    assert out == part.read_bytes()
    assert b"extract: 1" in err
    assert errors(meshset("extract", archive, "box", "-o", part)) == [f"meshset: error: {part}: exists already"]
    several = meshset("extract", archive, "-o", tmp_path / "all.ply")
    assert several.exit_code == 3
    assert "takes one mesh, not 2" in several.stderr
    assert "its suffix says stl, not obj" in meshset("extract", archive, "box", "-o", part, "--format", "obj").stderr


def test_extract_writes_here_and_a_folder_selects_what_is_below(meshset, archive, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert meshset("extract", archive, "animals/").stdout == "1 mesh written to .\n"
    assert (tmp_path / "animals" / "ball.ply").exists()
    assert not (tmp_path / "box.ply").exists()


def test_one_path_has_a_usual_archive_and_several_have_none(meshset, models, monkeypatch):
    monkeypatch.chdir(models)
    made = meshset("compress", "box.obj", "--codec", "draco", "--device", "cpu")
    assert made.exit_code == 0
    assert (models / "box.mset").exists()
    several = meshset("compress", "box.obj", "animals", "--codec", "draco")
    assert several.exit_code == 2
    assert "-o models.mset" in several.stderr


def test_a_list_fits_a_terminal_and_is_whole_in_a_pipe(archive):
    listing = list_meshes(archive)
    long = Listing(replace(mesh, name=f"scans/2026-11/{'very' * 15}/{mesh.name}") for mesh in listing)
    narrow, wide = (text.partition("\n\n")[0].splitlines() for text in (long.table(80), str(long)))
    assert max(map(len, narrow)) <= 80
    assert [line.split()[1:] for line in narrow] == [line.split()[1:] for line in wide]
    assert all(mesh.name in str(long) for mesh in long)
    assert all(mesh.name in listing.table(80) for mesh in listing)


def test_version(meshset):
    assert meshset("--version").stdout.split()[0] == "meshset"


def test_an_archive_larger_than_its_input_is_told_with_what_would_be_smaller(meshset, models, tmp_path):
    (models / "animals" / "ball.ply").unlink()
    result = meshset("compress", models, "-o", tmp_path / "box.mset", "--codec", "raw", "--device", "cpu")
    (told,) = [line for line in result.stderr.splitlines() if "larger than what went in" in line]
    assert "codec draco would take about" in told or "no codec of meshset takes clearly less" in told


def test_words_are_completed(start, archive):
    def complete(*words):
        program = "from meshset.cli import main; main()"
        line = {"COMP_WORDS": " ".join(map(str, words)), "COMP_CWORD": str(len(words) - 1)}
        environment = {**os.environ, **line, "_MESHSET_COMPLETE": "complete_bash"}
        command = [sys.executable, "-c", f"import sys; sys.argv[0] = 'meshset'; {program}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done.stdout.split()

    assert complete("meshset", "extract", archive, "an") == ["animals/ball"]
    assert complete("meshset", "extract", Path(__file__), "an") == []
    assert complete("meshset", "compress", "--codec", "dra") == ["draco"]
    assert "extract" in complete("meshset", "ex")
