"""An archive as a mapping."""

import numpy as np
import pytest

import meshset
import raw_codec
from meshset.archive import ArchiveWriter
from meshset.codecs import codec_by_id, codec_by_name, codec_label, codec_names, register_codec
from meshset.errors import ArchiveError
from meshset.geometry import read_mesh
from meshset.pipeline.open import open_archive


def test_meshes_come_back_in_world_units(archive, models):
    with meshset.open(archive) as opened:
        mesh = opened["ball"]
    original = read_mesh(models / "ball.ply").mesh
    assert mesh.vertices.dtype == np.float32
    assert mesh.faces.dtype == np.int32
    np.testing.assert_allclose(mesh.vertices, original.vertices, atol=4e-6)
    np.testing.assert_array_equal(mesh.faces, original.faces)


def test_it_is_a_mapping(archive):
    with open_archive(archive) as opened:
        assert list(opened) == ["animals/Round", "ball", "box"]
        assert len(opened) == 3
        assert "ball" in opened
        assert "cube" not in opened
        assert {name: len(mesh.faces) for name, mesh in opened.items()} == {
            "animals/Round": 320,
            "ball": 320,
            "box": 12,
        }
        assert opened.entries["box"].source_faces == 12
        assert opened.settings["codec"] == "raw"


def test_unknown_name_is_a_key_error_that_proposes_others(archive):
    with open_archive(archive) as opened:
        assert opened.get("bal") is None
        with pytest.raises(KeyError) as caught:
            opened["bal"]
    assert str(caught.value) == f"{archive}: holds no mesh named 'bal'; did you mean 'ball'?"
    assert isinstance(caught.value, ArchiveError)


def test_looking_for_a_name_reads_no_mesh(archive):
    with open_archive(archive) as opened:
        before = opened.reader.bytes_read
        assert "ball" in opened
        assert opened.reader.bytes_read == before


def test_decoder_is_opened_once_for_all_meshes(archive, monkeypatch):
    shared_parts = []
    honest = raw_codec.RawCodec.open

    def counted(self, shared, device=None):
        shared_parts.append((shared, device))
        return honest(self, shared, device)

    monkeypatch.setattr(raw_codec.RawCodec, "open", counted)
    with open_archive(archive, device="cpu") as opened:
        assert len(list(opened.values())) == 3
    assert shared_parts == [(raw_codec.SHARED, "cpu")]


def write_one(path, *, codec_id=raw_codec.RawCodec.id, shared=raw_codec.SHARED, payload=b"junkjunk", **changes):
    values = {"lower": (0, 0, 0), "upper": (1, 1, 1), "vertices": 3, "faces": 1} | changes
    with ArchiveWriter(path) as writer:
        number = writer.add_shared(codec_id, shared)
        writer.add_mesh(
            "one",
            payload,
            codec_id=codec_id,
            shared=number,
            source_vertices=3,
            source_faces=1,
            source_bytes=99,
            **values,
        )
        writer.finish({})
    return path


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "raw payload of the wrong length"),
        ({"shared": b"other"}, "is not a raw decoder"),
        ({"codec_id": 4711}, "was made with codec 4711, which this version of meshset does not know"),
    ],
)
def test_what_cannot_be_decoded_is_an_error_with_the_file(tmp_path, changes, reason):
    path = write_one(tmp_path / "bad.mset", **changes)
    with open_archive(path) as opened, pytest.raises(ArchiveError, match=f"^{path}: .*{reason}"):
        opened["one"]


def test_forged_place_beyond_float32_is_an_error(tmp_path, archive):
    with open_archive(archive) as opened:
        payload = opened.reader.read_payload("box")
    path = write_one(tmp_path / "far.mset", payload=payload, lower=(1e300, 0, 0), upper=(2e300, 1, 1))
    with open_archive(path) as opened, pytest.raises(ArchiveError, match="beyond the range of float32"):
        opened["one"]


def test_registry_knows_codecs_by_name_and_number():
    assert codec_names()[0] == "necgs"
    assert isinstance(codec_by_name("raw"), raw_codec.RawCodec)
    assert isinstance(codec_by_id(raw_codec.RawCodec.id), raw_codec.RawCodec)
    assert (codec_label(1), codec_label(4711)) == ("necgs", "4711")
    for number, name, reason in ((1, "new", "must have a number from"), (40000, "necgs", "registered already")):
        with pytest.raises(ValueError, match=reason):
            register_codec(number, name, raw_codec.RawCodec)
