"""Meshes taken out of archives, and archives put together."""

import numpy as np
import pytest

import meshset
import raw_codec
from meshset.archive import ArchiveEditor
from meshset.errors import ArchiveError, MeshsetError
from meshset.pipeline.edit import merge, remove
from meshset.pipeline.open import UnknownMeshError
from meshset.pipeline.summary import summarise


@pytest.fixture
def other(pack, tmp_path):
    """Path of an archive with "cone" and "far/ball", coded like `archive`."""
    raw_codec.ball(tmp_path / "more" / "far" / "ball.ply", radius=2)
    raw_codec.box(tmp_path / "more" / "cone.obj")
    return pack(tmp_path / "more", output=tmp_path / "other.mset").path


def names(path):
    with meshset.open(path) as archive:
        assert all(len(archive[name].faces) for name in archive)
        return list(archive)


def test_names_and_patterns_are_removed_and_the_rest_stays(archive):
    with meshset.open(archive) as before:
        ball = before["ball"]
    size = archive.stat().st_size
    result = remove(archive, ["animals/*", "box"])
    assert result.removed == ("animals/Round", "box")
    assert (result.left, result.archive_bytes) == (1, archive.stat().st_size)
    assert result.reclaimed_bytes == size - archive.stat().st_size < 0
    with meshset.open(archive) as after:
        assert list(after) == ["ball"]
        assert np.array_equal(after["ball"].vertices, ball.vertices)
    assert summarise(archive).unused_bytes > 0


def test_compacting_reclaims_every_unused_byte(archive, pack, models, tmp_path):
    remove(archive, ["box"])
    remove(archive, ["animals/Round"], compact=True)
    (models / "box.obj").unlink()
    (models / "animals" / "Round.stl").unlink()
    fresh = pack(models, output=tmp_path / "fresh.mset")
    assert names(archive) == ["ball"]
    assert summarise(archive).unused_bytes == 0
    report = len('"meshes":3') - len('"meshes":1')
    assert abs(archive.stat().st_size - fresh.archive_bytes) <= report + 2


def test_compacting_alone_and_doing_nothing(archive):
    remove(archive, ["box"])
    result = remove(archive, [], compact=True)
    assert result.removed == ()
    assert result.reclaimed_bytes > 0
    assert names(archive) == ["animals/Round", "ball"]
    with pytest.raises(MeshsetError, match="no mesh to remove was named"):
        remove(archive, [])


def test_all_meshes_may_go(archive):
    assert remove(archive, ["*"]).left == 0
    assert names(archive) == []


@pytest.mark.parametrize("compact", [False, True])
def test_an_unknown_name_removes_nothing(archive, compact):
    before = archive.read_bytes()
    with pytest.raises(UnknownMeshError, match="did you mean 'ball'"):
        remove(archive, ["box", "bal"], compact=compact)
    assert archive.read_bytes() == before


def test_a_missing_archive_is_not_made(tmp_path):
    for compact in (False, True):
        with pytest.raises(ArchiveError, match=r"none\.mset: No such file"):
            remove(tmp_path / "none.mset", ["a"], compact=compact)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("compact", [False, True])
def test_a_second_writer_is_told(archive, compact):
    with ArchiveEditor(archive), pytest.raises(ArchiveError, match="another process is writing to it"):
        remove(archive, ["box"], compact=compact)
    assert len(names(archive)) == 3


def test_merging_keeps_every_mesh_and_equal_parts_once(archive, other, tmp_path):
    result = merge([archive, other], tmp_path / "all.mset")
    assert result.shared == 1
    assert result.meshes == 5
    assert result.archive_bytes == (tmp_path / "all.mset").stat().st_size < result.source_bytes
    with meshset.open(tmp_path / "all.mset") as merged:
        for path in (archive, other):
            with meshset.open(path) as source:
                for name in source:
                    assert np.array_equal(merged[name].vertices, source[name].vertices)
                    assert merged.entries[name].notes == source.entries[name].notes
        assert [part["report"]["meshes"] for part in merged.settings["merged"].values()] == [3, 2]


def test_merging_what_was_merged_keeps_settings_flat(archive, other, pack, tmp_path):
    merge([archive, other], tmp_path / "two.mset")
    raw_codec.box(tmp_path / "third.obj")
    third = pack(tmp_path / "third.obj", output=tmp_path / "third.mset").path
    merge([tmp_path / "two.mset", third], tmp_path / "three.mset")
    with meshset.open(tmp_path / "three.mset") as merged:
        assert list(merged.settings["merged"]) == ["1", "2", "3"]


def test_merging_into_one_of_them(archive, other):
    merge([archive, other], archive, force=True)
    assert len(names(archive)) == 5


def test_a_name_in_both_is_an_error_that_names_both(archive, other, tmp_path):
    merge([other, archive], tmp_path / "all.mset")
    with pytest.raises(ArchiveError, match=r"set\.mset: holds a mesh named 'animals/Round', as .*all\.mset does"):
        merge([tmp_path / "all.mset", archive], tmp_path / "clash.mset")
    assert not (tmp_path / "clash.mset").exists()


def test_damage_stops_a_merge(archive, other, tmp_path):
    with meshset.open(archive) as opened:
        place = opened.entries["ball"].offset
    data = bytearray(archive.read_bytes())
    data[place] ^= 1
    archive.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"set\.mset: mesh 'ball' is damaged"):
        merge([other, archive], tmp_path / "all.mset")
    assert not (tmp_path / "all.mset").exists()
