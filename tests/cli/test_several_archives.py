"""`meshset test` looks at every archive that it is given, and at every source."""

import json

import pytest

import meshset as package
import raw_codec
from meshset.archive import ArchiveReader


@pytest.fixture
def second(meshset, tmp_path):
    """An archive with "round" and its source."""
    source = raw_codec.ball(tmp_path / "more" / "round.ply")
    path = tmp_path / "second.mset"
    assert meshset("compress", source, "-o", path, "--codec", "raw", "--device", "cpu").exit_code == 0
    return path


def damage(archive, name):
    with ArchiveReader(archive) as reader:
        offset = reader.entries[name].offset
    content = bytearray(archive.read_bytes())
    content[offset] ^= 1
    archive.write_bytes(content)


def errors(result):
    return [line for line in result.stderr.splitlines() if line.startswith("meshset: error: ")]


def test_each_archive_gets_a_line(meshset, archive, second):
    result = meshset("test", archive, second)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{archive}: all 2 meshes are whole and decode",
        f"{second}: its only mesh is whole",
    ]


@pytest.mark.parametrize("swap", [False, True])
def test_damage_of_any_archive_is_told(meshset, archive, second, swap):
    damage(second, "round")
    result = meshset("test", *((second, archive) if swap else (archive, second)))
    assert (result.exit_code, result.stdout) == (1, f"{archive}: all 2 meshes are whole and decode\n")
    assert errors(result) == [f"meshset: error: {second}: round: mesh 'round' is damaged: its checksum is wrong"]


def test_an_archive_that_cannot_be_opened_hides_no_other(meshset, archive, second, tmp_path):
    second.write_bytes(b"garbage")
    result = meshset("test", archive, second, tmp_path / "missing.MSET")
    assert (result.exit_code, result.stdout) == (1, f"{archive}: all 2 meshes are whole and decode\n")
    assert errors(result) == [
        f"meshset: error: {second}: truncated or not a meshset archive",
        f"meshset: error: {tmp_path / 'missing.MSET'}: No such file or directory",
    ]
    assert meshset("test", second, tmp_path / "missing.mset").exit_code == 3
    torn = tmp_path / "torn.mset"
    torn.write_bytes(archive.read_bytes() + b"half an append")
    told = errors(meshset("test", torn, archive))
    assert len(told) == 1
    assert told[0].startswith(f"meshset: error: {torn}: 14 bytes behind the last whole index")


def test_archives_are_known_by_their_bytes_too(meshset, archive, second, tmp_path):
    other = second.rename(tmp_path / "second.bin")
    damage(other, "round")
    assert meshset("test", archive, other).exit_code == 1


def test_sources_belong_to_any_of_the_archives(meshset, archive, models, second, tmp_path):
    result = meshset("test", archive, models, second, tmp_path / "more")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 2)
    raw_codec.ball(tmp_path / "more" / "round.ply", radius=2)
    result = meshset("test", archive, models, second, tmp_path / "more")
    assert result.exit_code == 1
    assert errors(result)[0].startswith(f"meshset: error: {second}: round: ")


def test_a_source_that_fits_no_mesh_is_an_error(meshset, archive, models):
    stranger = raw_codec.box(models / "stranger.obj")
    result = meshset("test", archive, models)
    assert (result.exit_code, result.stdout) == (1, f"{archive}: all 2 meshes are whole and decode\n")
    assert errors(result) == [f"meshset: error: {stranger}: the archive holds no mesh named 'stranger'"]
    missing = meshset("test", archive, models / "none.obj")
    assert errors(missing) == [f"meshset: error: {models / 'none.obj'}: no such file or folder"]


def test_json(meshset, archive, second):
    damage(second, "round")
    result = meshset("test", archive, second, second.parent / "none.mset", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert [(one["archive"], one["meshes"], one["whole"]) for one in found["archives"]] == [
        (str(archive), 2, ["animals/ball", "box"]),
        (str(second), 1, []),
    ]
    assert [one["subject"] for one in found["unreadable"]] == [str(second.parent / "none.mset")]
    assert found["failures"] == []
    assert len(errors(result)) == 2
    repaired = meshset("test", archive, "--repair", second.parent / "new.mset", "--json")
    assert json.loads(repaired.stdout)["kept"] == ["animals/ball", "box"]


def test_python_says_the_same(archive, second, models):
    stranger = raw_codec.box(models / "stranger.obj")
    (failure,) = package.verify(archive, models).failures
    assert str(failure) == f"{stranger}: the archive holds no mesh named 'stranger'"
    (failure,) = package.verify(archive, second).failures
    assert str(failure) == f"{second}: is an archive, not the source of a mesh"
    (failure,) = package.verify(archive, {"hat": models / "box.obj"}).failures
    assert failure.reason == "the archive holds no mesh named 'hat'"
