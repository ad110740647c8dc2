"""From files to an archive."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import raw_codec
from meshset.archive import ArchiveReader
from meshset.errors import ArchiveError, MeshsetError, MissingExtraError, UsageError
from meshset.geometry import Placement, obj_size, read_mesh
from meshset.pipeline.compress import compress
from meshset.pipeline.steps import collect as collecting
from meshset.pipeline.steps import prepare as preparing
from meshset.pipeline.steps.collect import Source
from meshset.pipeline.steps.failures import FailureLog, NoMeshError
from meshset.pipeline.steps.prepare import KEPT_MESHES, MeshSpool, NormalisedMeshes, prepare_meshes
from meshset.pipeline.steps.requirements import resolve_device
from meshset.progress import Silent

BAD_FILES = {
    "empty.obj": (b"", "empty file"),
    "nan.obj": (b"v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "NaN or infinite"),
    "points.obj": (b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "no faces"),
    "flat.obj": (b"v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n", "no area"),
    "cut.stl": (b"\0" * 80 + b"\5\0\0\0", "truncated"),
}


@pytest.fixture
def damaged(models):
    """The folder of models with every bad file beside the good ones."""
    for name, (content, _) in BAD_FILES.items():
        (models / name).write_bytes(content)
    return models


def test_archive_holds_every_mesh_and_what_is_known_of_it(pack, models):
    result = pack(models)
    assert [entry.name for entry in result.entries] == ["animals/Round", "ball", "box"]
    assert result.failures == ()
    with ArchiveReader(result.path) as reader:
        entry = reader.entries["ball"]
        original = read_mesh(models / "ball.ply").mesh
        assert entry.source_bytes == obj_size(original)
        assert (entry.source_vertices, entry.source_faces) == (162, 320)
        assert (entry.vertices, entry.faces) == (162, 320)
        np.testing.assert_array_equal([entry.lower, entry.upper], original.bounds)
        assert 0 <= entry.mean_distance < 1e-6
        assert 0 <= entry.max_distance < 1e-6
        assert entry.peak_memory >= 1 << 20
        assert entry.notes == ("stored raw",)
        assert result.source_bytes == sum(e.source_bytes for e in reader.entries.values())
        assert result.archive_bytes == reader.size == result.path.stat().st_size
        assert 0 < result.coding_seconds < result.seconds


def test_settings_say_what_the_archive_was_made_with(pack, damaged):
    result = pack(damaged)
    with ArchiveReader(result.path) as reader:
        version = reader.settings.pop("meshset")
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert reader.settings == {
            "codec": "raw",
            "resolution": 64,
            "field": "tsdf-def",
            "preset": "balanced",
            "device": "cpu",
            "seed": 0,
            "refused": len(BAD_FILES),
            "report": {"meshes": 3, "nested": {"loss": 0.5}},
        }


def test_same_input_gives_the_same_bytes(pack, models, tmp_path):
    first = pack(models, output=tmp_path / "a.mset").path.read_bytes()
    assert pack(models, output=tmp_path / "b.mset").path.read_bytes() == first


def test_bad_files_are_reported_and_the_rest_is_stored(pack, damaged):
    result = pack(damaged)
    assert len(result.entries) == 3
    reasons = {Path(failure.subject).name: failure.reason for failure in result.failures}
    assert set(reasons) == set(BAD_FILES)
    for name, (_, reason) in BAD_FILES.items():
        assert reason in reasons[name]
        assert str(damaged) not in reasons[name]


def test_strict_stops_at_the_first_bad_file_and_writes_nothing(pack, damaged, tmp_path):
    with pytest.raises(MeshsetError, match=r"cut\.stl: "):
        pack(damaged, strict=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models"]


def test_refusals_of_the_codec_are_failures(pack, models):
    file = raw_codec.tetrahedron(models / "tetra.obj")
    result = pack(models)
    assert [str(failure) for failure in result.failures] == [f"{file}: raw codec takes no tetrahedra"]
    with ArchiveReader(result.path) as reader:
        assert "tetra" not in reader.entries
        assert reader.settings["refused"] == 1


def test_mesh_that_decodes_to_nothing_is_a_failure(pack, models):
    result = pack(models, codec="empty")
    assert [entry.name for entry in result.entries] == ["animals/Round", "ball"]
    assert "nothing of its surface was left" in result.failures[0].reason


@pytest.mark.parametrize("maker", [raw_codec.tetrahedron, None])
def test_nothing_left_is_an_error_that_knows_why(pack, tmp_path, maker):
    file = tmp_path / "only.obj"
    maker(file) if maker else file.touch()
    with pytest.raises(NoMeshError, match="nothing to compress: none of the files") as caught:
        pack(file)
    assert caught.value.failures[0].subject == str(file)
    assert list(tmp_path.iterdir()) == [file]


def test_folder_without_meshes_is_an_error(pack, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoMeshError, match="no mesh files were found"):
        pack(tmp_path / "empty")


def test_existing_output_needs_overwrite(pack, models, tmp_path):
    output = tmp_path / "set.mset"
    output.write_bytes(b"precious")
    with pytest.raises(ArchiveError, match=r"set\.mset: exists already"):
        pack(models)
    with pytest.raises(UsageError, match=r"set\.mset: exists and is no archive"):
        pack(models, force=True)
    assert output.read_bytes() == b"precious"
    output.unlink()
    pack(models)
    pack(models, force=True)
    with ArchiveReader(output) as reader:
        assert len(reader.entries) == 3


def test_output_that_cannot_be_written_is_noticed_before_any_work(tmp_path, models, pack, monkeypatch):
    monkeypatch.setattr(raw_codec.RawCodec, "compress", lambda *_: pytest.fail("worked for nothing"))
    with pytest.raises(ArchiveError, match="there is no folder"):
        pack(models, output=tmp_path / "none" / "set.mset")


@pytest.mark.parametrize("afterwards", ["changed", "gone"])
def test_what_becomes_of_a_file_after_it_was_read_does_not_matter(pack, models, monkeypatch, afterwards):
    honest = raw_codec.RawCodec.compress

    def compress_later(self, meshes, settings, checkpoint=None):
        (models / "box.obj").unlink()
        if afterwards == "changed":
            raw_codec.ball(models / "box.obj")
        return honest(self, meshes, settings)

    monkeypatch.setattr(raw_codec.RawCodec, "compress", compress_later)
    result = pack(models)
    assert result.failures == ()
    assert {entry.name: entry.faces for entry in result.entries} == {"animals/Round": 320, "ball": 320, "box": 12}
    assert max(entry.mean_distance for entry in result.entries) < 1e-6


def test_defects_become_notes(pack, tmp_path):
    file = tmp_path / "open.obj"
    file.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 1\nf 1 2 3\nf 2 4 3\n")
    (entry,) = pack(file).entries
    assert "holes: 4 edges of only one face" in entry.notes


def test_other_kinds_of_files_are_told(pack, models):
    notes = []

    class Listener(Silent):
        def note(self, message):
            notes.append(message)

    (models / "readme.txt").touch()
    pack(models, progress=Listener())
    assert notes == ["files of other kinds skipped: 1"]


def test_meshes_are_kept_in_the_cube_and_only_few_of_them_in_memory(tmp_path):
    sources = [Source(str(n), raw_codec.ball(tmp_path / f"{n}.ply", centre=(n, 0, 0))) for n in range(6)]
    with MeshSpool() as spool:
        prepared = prepare_meshes(sources, spool, FailureLog())
        meshes = NormalisedMeshes(prepared)
        assert [float(np.ptp(mesh.vertices, axis=0).max()) for mesh in meshes] == pytest.approx([1.99] * 6)
        for source, mesh in zip(sources, meshes, strict=True):
            read = read_mesh(source.path).mesh
            np.testing.assert_array_equal(mesh.vertices, Placement.of(read).normalise(read).vertices)
            np.testing.assert_array_equal(mesh.faces, read.faces)
        assert meshes[5] is meshes[5]
        assert len(meshes[2:4]) == 2
    kept = range(6 - KEPT_MESHES, 6)
    assert all(len(meshes[number].faces) == 320 for number in kept)
    with pytest.raises(FileNotFoundError):  # the spool is gone, with everything in it
        meshes[0]


def test_coordinates_of_float64_are_kept_as_they_are(tmp_path):
    path = tmp_path / "far.obj"
    path.write_text("v 512346.1234567 0 0\nv 512347.1 0 0\nv 512346.5 1.00000001 0\nv 512346.5 0 1\nf 1 3 2\nf 1 2 4\n")
    with MeshSpool() as spool:
        (one,) = prepare_meshes([Source("far", path)], spool, FailureLog())
        read = read_mesh(path).mesh
        np.testing.assert_array_equal(one.load().vertices, Placement.of(read).normalise(read).vertices)


def test_each_file_is_parsed_once(pack, models, monkeypatch):
    parsed = []

    def counting(path):
        parsed.append(path)
        return read_mesh(path)

    monkeypatch.setattr(collecting, "read_mesh", counting)
    result = pack(models, codec="coarse", max_error=0.00005)  # every mesh climbs to the last but one rung
    assert len(result.entries) == 3
    assert len(parsed) == len(set(parsed)) == 3


def test_a_full_temporary_folder_is_named(pack, models, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(preparing.np, "save", refuse)
    with pytest.raises(MeshsetError, match=r"meshset-meshes-\S+: temporary files cannot be written \(No space left"):
        pack(models)
    assert not (models.parent / "set.mset").exists()


def test_unknown_codec_and_device(tmp_path, models):
    with pytest.raises(MeshsetError, match="there is no codec 'zip', only necgs"):
        compress([models], tmp_path / "x.mset", codec="zip")


def test_device_is_checked(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == "cpu"
    with pytest.raises(MeshsetError, match="device cuda: torch sees no CUDA GPU"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == "cuda"


@pytest.mark.parametrize("module", ["torch", "igl", "scipy"])
def test_missing_extra_is_told_before_anything_is_read(pack, tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"meshset\[compress\]"):
        pack(tmp_path / "none")
