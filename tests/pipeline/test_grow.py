"""Meshes that join an archive or take the place of others."""

import numpy as np
import pytest

import meshset
import raw_codec
from meshset.archive import ArchiveReader
from meshset.errors import ArchiveError
from meshset.pipeline.add import add, replace
from meshset.pipeline.edit import merge, remove
from meshset.pipeline.steps.failures import NoMeshError


@pytest.fixture
def new(tmp_path):
    """A folder of a ball "far/away" and a tetrahedron that the raw codec refuses."""
    raw_codec.ball(tmp_path / "new" / "far" / "away.ply", centre=(100, 0, 0), radius=7)
    raw_codec.tetrahedron(tmp_path / "new" / "pointed.ply")
    return tmp_path / "new"


def test_meshes_join_and_the_rest_is_told(archive, new):
    old = archive.read_bytes()
    result = add(archive, [new])
    assert [entry.name for entry in result.entries] == ["far/away"]
    assert [(f.subject, f.reason) for f in result.failures] == [
        (str(new / "pointed.ply"), "raw codec takes no tetrahedra")
    ]
    assert (result.meshes, result.archive_bytes) == (4, archive.stat().st_size)
    assert archive.read_bytes()[: len(old)] == old
    with meshset.open(archive) as opened:
        assert list(opened) == ["animals/Round", "ball", "box", "far/away"]
        entry = opened.entries["far/away"]
        assert entry.shared == opened.entries["ball"].shared
        assert entry.notes == ("stored raw",)
        assert entry.mean_distance < 1e-6
        assert np.allclose(opened["far/away"].vertices.mean(axis=0), (100, 0, 0), atol=1e-3)
        assert len(opened.reader.shared) == 1


def test_a_name_that_is_there_is_not_added_and_one_that_is_not_does_not_replace(archive, models, new):
    before = archive.read_bytes()
    with pytest.raises(NoMeshError) as added:
        add(archive, [models / "box.obj"])
    assert added.value.failures[0].reason == "the archive holds a mesh named 'box'; replace it"
    with pytest.raises(NoMeshError) as replaced:
        replace(archive, [new])
    assert "holds no mesh named 'far/away'; add it" in replaced.value.failures[0].reason
    assert archive.read_bytes() == before


def test_replacing_changes_one_mesh_at_once(archive, tmp_path):
    raw_codec.ball(tmp_path / "other" / "box.ply", radius=3)
    with ArchiveReader(archive) as reader:
        result = replace(archive, [tmp_path / "other"])
        assert len(reader.read_payload("box")) == reader.entries["box"].length
    assert result.meshes == 3
    with meshset.open(archive) as opened:
        assert len(opened["box"].faces) == 320
        assert len(opened["ball"].faces) == 320


def test_a_mesh_that_is_refused_stays_as_it_was(archive, tmp_path):
    raw_codec.tetrahedron(tmp_path / "other" / "box.ply")
    raw_codec.ball(tmp_path / "other" / "ball.ply", radius=1)
    result = replace(archive, [tmp_path / "other"])
    assert [entry.name for entry in result.entries] == ["ball"]
    assert len(result.failures) == 1
    with meshset.open(archive) as opened:
        assert len(opened["box"].faces) == 12


def test_an_interrupted_add_leaves_the_archive(archive, new, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    before = archive.read_bytes()
    monkeypatch.setattr(raw_codec.RawCodec, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add(archive, [new])
    assert archive.read_bytes() == before


def test_most_meshes_choose_the_codec(archive, pack, tmp_path, new):
    raw_codec.ball(tmp_path / "one" / "single.ply")
    single = pack(tmp_path / "one", output=tmp_path / "single.mset", codec="ply-zstd").path
    merge([single, archive], tmp_path / "all.mset")
    add(tmp_path / "all.mset", [new])
    with meshset.open(tmp_path / "all.mset") as opened:
        assert opened.entries["far/away"].codec_id == raw_codec.RawCodec.id


@pytest.mark.parametrize("codec", ["raw", "draco", "ply-zstd"])
def test_an_emptied_archive_takes_meshes_again(pack, models, new, codec):
    path = pack(models, codec=codec).path
    remove(path, ["*"])
    add(path, [new / "far"])
    with meshset.open(path) as opened:
        assert len(opened["away"].faces) == 320


def test_an_emptied_and_compacted_archive_without_its_decoder_says_so(archive, new):
    remove(archive, ["*"], compact=True)
    with pytest.raises(ArchiveError, match="is not a raw decoder"):
        add(archive, [new])


def test_a_damaged_decoder_is_named(archive, new):
    with ArchiveReader(archive) as reader:
        place = reader.shared[0].offset
    data = bytearray(archive.read_bytes())
    data[place] ^= 1
    archive.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"set\.mset: shared part 0 is damaged"):
        add(archive, [new])
    assert archive.read_bytes() == data
