"""Checking an archive, measuring it, and what it says of itself."""

import pytest

import raw_codec
from meshset.archive import ArchiveReader, ArchiveWriter
from meshset.errors import ArchiveError
from meshset.geometry import Placement, read_mesh
from meshset.pipeline.evaluate import evaluate
from meshset.pipeline.sample import sample
from meshset.pipeline.steps.failures import NoMeshError
from meshset.pipeline.summary import list_meshes, summarise
from meshset.pipeline.verify import verify


def flip(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def test_whole_archive_passes(archive):
    result = verify(archive)
    assert (result.meshes, result.failures) == (3, ())


def test_damaged_mesh_is_named(archive):
    with ArchiveReader(archive) as reader:
        offset = reader.entries["ball"].offset
    flip(archive, offset)
    assert [str(failure) for failure in verify(archive).failures] == [
        "ball: mesh 'ball' is damaged: its checksum is wrong"
    ]


def test_damaged_shared_part_fails_itself_and_its_meshes(archive):
    with ArchiveReader(archive) as reader:
        offset = reader.shared[0].offset
    flip(archive, offset)
    subjects = [failure.subject for failure in verify(archive).failures]
    assert subjects == ["shared part 0", "animals/Round", "ball", "box"]


def test_whole_bytes_that_do_not_decode_are_named(archive, tmp_path):
    with ArchiveReader(archive) as reader, ArchiveWriter(tmp_path / "cut.mset") as writer:
        shared = writer.add_shared(raw_codec.RawCodec.id, reader.read_shared(0))
        for name, entry in reader.entries.items():
            payload = reader.read_payload(name)
            writer.copy_mesh(entry, payload[:-1] if name == "box" else payload, shared)
        writer.finish({})
    assert [str(failure) for failure in verify(tmp_path / "cut.mset").failures] == [
        "box: raw payload of the wrong length"
    ]


def test_torn_bytes_are_a_failure(archive):
    with archive.open("ab") as file:
        file.write(b"half an append")
    (failure,) = verify(archive).failures
    assert failure.subject == str(archive)
    assert failure.reason.startswith("14 bytes behind the last whole index")


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_truncated_archive_is_an_error(archive, share):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ArchiveError, match=r"^\S*set\.mset: "):
        verify(archive)


def test_evaluation_of_exact_copies(archive, models):
    result = evaluate(archive, [models])
    assert list(result.metrics) == ["animals/Round", "ball", "box"]
    assert result.failures == ()
    assert result.mean.mean_distance < 1e-5
    assert result.mean.nc > 0.95
    assert result.mean.max_distance == pytest.approx(sum(m.max_distance for m in result.metrics.values()) / 3)


def test_wrong_place_in_the_world_counts_as_error(archive, models):
    raw_codec.ball(models / "ball.ply", centre=(10, -20, 6), radius=4)
    assert evaluate(archive, [models]).metrics["ball"].mean_distance > 0.05


def test_meshes_without_counterpart_are_failures_on_both_sides(archive, models):
    (models / "ball.ply").unlink()
    new = raw_codec.box(models / "new.obj")
    result = evaluate(archive, [models])
    assert list(result.metrics) == ["animals/Round", "box"]
    assert [str(failure) for failure in result.failures] == [
        "ball: in the archive, but not among the sources",
        f"{new}: the archive holds no mesh named 'new'",
    ]


def test_no_counterparts_at_all_is_an_error(archive, tmp_path):
    with pytest.raises(NoMeshError, match="no mesh could be compared"):
        evaluate(archive, [raw_codec.box(tmp_path / "other.obj")])


def test_listing_repeats_the_index(archive, models):
    listing = {mesh.name: mesh for mesh in list_meshes(archive)}
    box = listing["box"]
    assert (box.codec_id, box.faces, box.length, box.notes) == (65000, 12, 8 + 12 * 20, ("stored raw",))
    diagonal = Placement.of(read_mesh(models / "box.obj").mesh).diagonal
    assert box.mean_distance > 0
    assert box.mean_error_of_diagonal == pytest.approx(box.mean_distance / diagonal, rel=1e-12)


def test_every_byte_of_the_archive_is_accounted_for(archive):
    summary = summarise(archive)
    assert summary.archive_bytes == archive.stat().st_size
    parts = summary.shared_bytes + summary.payload_bytes + summary.index_bytes + summary.torn_bytes
    assert parts == summary.archive_bytes
    assert summary.ratio == summary.source_bytes / summary.archive_bytes
    assert summary.max_error == max(mesh.max_distance for mesh in list_meshes(archive))


def test_samples_are_files_that_can_be_read(tmp_path):
    files = sample(tmp_path / "demo", 2, seed=3, format="stl")
    assert [file.suffix for file in files] == [".stl", ".stl"]
    assert all(len(read_mesh(file).mesh.faces) >= 2000 for file in files)
