"""No command writes over what it reads, or an archive over a file that is none."""

import json
import os

import pytest

import raw_codec
from meshset.archive import ArchiveReader

FORCED = ("--codec", "raw", "--device", "cpu", "--force", "--quiet")


def refused(result, output, reason):
    """Whether a command ended as one with wrong arguments does, with one line that names the output."""
    lines = result.stderr.splitlines()
    return (result.exit_code, result.stdout, len(lines)) == (2, "", 1) and lines[0].startswith(
        f"meshset: error: {output}: {reason}"
    )


@pytest.fixture
def linked(tmp_path, models):
    """Paths that all lead to the box of the models."""
    box = models / "box.obj"
    (tmp_path / "hard").hardlink_to(box)
    (tmp_path / "soft").symlink_to(box)
    return [box, models / "animals" / ".." / "box.obj", tmp_path / "hard", tmp_path / "soft"]


def test_compress_never_replaces_its_sources(meshset, models, linked):
    before = linked[0].read_bytes()
    for output in linked:
        assert refused(meshset("compress", models, "-o", output, *FORCED), output, "is one of the inputs")
        assert refused(meshset("compress", linked[0], "-o", output, *FORCED), output, "is one of the inputs")
    assert linked[0].read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"# a mesh\nv 0 0 0\n", b"MSET", b"\x89MSE", bytes(100)])
@pytest.mark.parametrize("command", ["compress", "merge"])
def test_only_archives_are_replaced(meshset, models, archive, tmp_path, content, command):
    other = tmp_path / "texture.png"
    other.write_bytes(content)
    arguments = {"compress": [models, *FORCED], "merge": [archive, "--force"]}[command]
    assert refused(meshset(command, *arguments, "-o", other), other, "exists and is no archive")
    assert other.read_bytes() == content


def test_other_things_than_files_are_not_replaced(meshset, models, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere" / "deep")
    assert refused(meshset("compress", models, "-o", tmp_path / "pipe", *FORCED), tmp_path / "pipe", "exists and is no")
    assert meshset("compress", models, "-o", tmp_path / "broken", *FORCED).exit_code == 3
    assert refused(meshset("compress", models, "-o", os.devnull, *FORCED), os.devnull, "exists and is no archive")


@pytest.mark.parametrize("damage", [lambda data: data, lambda data: data[:40], lambda data: b"lost" + data[4:]])
def test_archives_are_replaced_damaged_or_not(meshset, models, archive, damage):
    archive.write_bytes(damage(archive.read_bytes()))
    assert meshset("compress", models, "-o", archive, *FORCED).exit_code == 0
    with ArchiveReader(archive) as reader:
        assert len(reader.entries) == 2


def test_extract_leaves_the_archive(meshset, archive, tmp_path):
    (tmp_path / "box.ply").hardlink_to(archive)
    before = archive.read_bytes()
    direct = meshset("extract", tmp_path / "box.ply", "box", "-o", tmp_path / "box.ply", "--force")
    assert refused(direct, tmp_path / "box.ply", "is one of the inputs")
    result = meshset("extract", archive, "-o", tmp_path, "--force")
    assert result.exit_code == 1
    assert "box.ply: not written, it is the archive itself" in result.stderr
    assert archive.read_bytes() == (tmp_path / "box.ply").read_bytes() == before


def test_fit_and_repair_leave_what_they_read(meshset, archive, linked):
    before = linked[0].read_bytes()
    copy = linked[0].with_name("copy.obj")
    copy.symlink_to(linked[0])
    assert refused(meshset("fit", linked[0], "-o", linked[0]), linked[0], "is one of the inputs")
    assert refused(meshset("fit", linked[0], "-o", copy), copy, "is one of the inputs")
    assert linked[0].read_bytes() == before
    assert refused(meshset("test", archive, "--repair", archive), archive, "is one of the inputs")


def test_merge_may_take_the_place_of_an_archive_that_it_holds(meshset, archive):
    assert meshset("merge", archive, "-o", archive, "--force").exit_code == 0
    assert meshset("test", archive).exit_code == 0


def test_bench_and_report_leave_files_of_others(meshset, models, tmp_path):
    out = tmp_path / "figures"
    out.mkdir()
    result = out / "bench.json"
    result.write_text('{"mine": 1}')
    assert refused(
        meshset("bench", models, "--out", out, "--codecs", "ply-zstd"), result, "exists and is no result of meshset"
    )
    assert json.loads(result.read_text()) == {"mine": 1}
    result.write_text(json.dumps(EMPTY))
    (out / "report.html").write_text("<html>my notes</html>")
    assert refused(meshset("report", out), out / "report.html", "exists and is no page of meshset report")
    (out / "report.html").unlink()
    assert [meshset("report", out).exit_code for _ in "12"] == [0, 0]


EMPTY = {"format": 1, "meshset": "0", "command": "", "machine": {}, "versions": {}, "settings": {}, "samples": {}}
EMPTY |= {"picture_scale": 1.0, "sets": []}


def test_python_raises_the_same(models, archive):
    import meshset

    with pytest.raises(meshset.UsageError, match="is one of the inputs"):
        meshset.compress({"box": models / "box.obj"}, models / "box.obj", codec="raw", force=True)
    with pytest.raises(meshset.UsageError, match="is one of the inputs"):
        meshset.repair(archive, archive, force=True)
    assert raw_codec.box(models / "box.obj").exists()
