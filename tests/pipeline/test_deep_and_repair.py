"""Decoded meshes against what the index states, and what is left of a damaged archive."""

from dataclasses import replace

import numpy as np
import pytest

import meshset
import raw_codec
from meshset.archive import ArchiveReader, ArchiveWriter, layout
from meshset.errors import ArchiveError
from meshset.pipeline.repair import repair
from meshset.pipeline.summary import summarise
from meshset.pipeline.verify import verify


@pytest.fixture
def forge(archive, tmp_path):
    """Copy the archive with other values in the entry of "ball"."""

    def change(**fields):
        with ArchiveReader(archive) as reader, ArchiveWriter(tmp_path / "forged.mset") as writer:
            shared = writer.add_shared(raw_codec.RawCodec.id, reader.read_shared(0))
            for name, entry in reader.entries.items():
                changed = replace(entry, **fields) if name == "ball" else entry
                writer.copy_mesh(changed, reader.read_payload(name), shared)
            writer.finish({})
        return tmp_path / "forged.mset"

    return change


def flip(path, *places):
    content = bytearray(path.read_bytes())
    for place in places:
        content[place] ^= 1
    path.write_bytes(content)


def test_a_whole_archive_passes_with_and_without_sources(archive, models):
    for sources in ([], [models]):
        result = verify(archive, deep=True, sources=sources)
        assert result.whole == ("animals/Round", "ball", "box")
        assert result.failures == ()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"vertices": 170}, "decodes to 162 vertices, the index states 170"),
        ({"faces": 300}, "decodes to 320 faces, the index states 300"),
    ],
)
def test_a_mesh_that_is_not_what_was_stated_is_named(forge, fields, reason):
    path = forge(**fields)
    assert verify(path).failures == ()
    assert [str(failure) for failure in verify(path, deep=True).failures] == [f"ball: {reason}"]


def test_a_surface_outside_its_box_is_named(archive, forge):
    with ArchiveReader(archive) as reader:
        lower, upper = reader.entries["ball"].lower, reader.entries["ball"].upper
    # The longest side stays, so that only one side of the mesh leaves the box.
    path = forge(upper=(upper[0], upper[1], (lower[2] + upper[2]) / 2))
    (failure,) = verify(path, deep=True).failures
    assert failure.reason == "decodes to a surface outside the bounding box that the index states"


def test_a_mesh_less_exact_than_stated_is_named(archive, models):
    raw_codec.box(models / "ball.ply")
    (failure,) = verify(archive, sources=[models]).failures
    assert failure.subject == "ball"
    assert "has a mean error of" in failure.reason


def test_sources_that_are_missing_are_told(archive, tmp_path):
    (failure,) = verify(archive, sources=[tmp_path / "none"]).failures
    assert failure.reason == "no such file or folder"


def test_what_is_whole_is_salvaged(archive, tmp_path):
    with ArchiveReader(archive) as reader:
        flip(archive, reader.entries["ball"].offset)
    damaged = archive.read_bytes()
    result = repair(archive, tmp_path / "new.mset")
    assert result.kept == ("animals/Round", "box")
    assert [failure.subject for failure in result.failures] == ["ball"]
    assert archive.read_bytes() == damaged
    assert verify(tmp_path / "new.mset").failures == ()
    with meshset.open(archive) as old, meshset.open(tmp_path / "new.mset") as new:
        assert all(np.array_equal(new[name].vertices, old[name].vertices) for name in new)
        assert new.settings == old.settings


def test_a_torn_append_is_left_behind(archive, tmp_path):
    whole = archive.stat().st_size
    with archive.open("ab") as file:
        file.write(bytes(1000))
    assert len(repair(archive, tmp_path / "new.mset").kept) == 3
    assert (tmp_path / "new.mset").stat().st_size == whole


def test_a_damaged_decoder_costs_the_meshes_that_need_it(archive, tmp_path):
    with ArchiveReader(archive) as reader:
        flip(archive, reader.shared[0].offset)
    assert repair(archive, tmp_path / "new.mset").kept == ()


@pytest.fixture
def twice(pack, models, monkeypatch):
    """An archive whose index is stored twice, small as it is."""
    monkeypatch.setattr(layout, "COPIED_FROM", 1)
    monkeypatch.setattr(layout, "COPY_PERCENT", 100)
    return pack(models, output=models.parent / "twice.mset").path


@pytest.mark.parametrize("where", ["header", "first copy", "second copy", "last trailer"])
def test_where_the_index_is_stored_twice_its_damage_costs_nothing(twice, tmp_path, where):
    summary = summarise(twice)
    assert summary.index_copies == 2
    end = summary.archive_bytes
    first = end - summary.index_bytes + 16 + 3
    flip(twice, {"header": 9, "first copy": first, "second copy": end - 60, "last trailer": end - 3}[where])
    found = verify(twice)
    assert found.whole == ("animals/Round", "ball", "box")
    assert any("no mesh is lost by it" in failure.reason for failure in found.failures)
    assert repair(twice, tmp_path / "new.mset").kept == found.whole
    assert verify(tmp_path / "new.mset").failures == ()


def test_a_damaged_index_cannot_be_repaired_and_nothing_is_made(archive, tmp_path):
    flip(archive, archive.stat().st_size - 45)
    with pytest.raises(ArchiveError, match="index is damaged"):
        repair(archive, tmp_path / "new.mset")
    assert not (tmp_path / "new.mset").exists()
