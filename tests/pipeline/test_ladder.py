"""A bound on the error of every mesh, kept by whatever it takes."""

import math

import pytest

import meshset
import raw_codec
from meshset.archive import ArchiveReader
from meshset.codecs import codec_by_id, codec_label
from meshset.errors import MeshsetError
from meshset.evaluation import surface_distance
from meshset.geometry import Placement, read_mesh
from meshset.geometry.diagnosis import face_components
from meshset.pipeline.add import add, replace
from meshset.pipeline.steps.remarks import remarks, rung_label
from meshset.pipeline.summary import list_meshes


def errors(archive, folder):
    """The error of each mesh of an archive as a share of its diagonal, from samples of another seed."""
    found = {}
    with meshset.open(archive) as opened:
        for name, mesh in opened.items():
            (path,) = folder.glob(f"{name}.*")
            original = read_mesh(path).mesh
            placement = Placement.of(original)
            distance, _ = surface_distance(placement.normalise(original), placement.normalise(mesh), 20_000, seed=3)
            found[name] = distance / placement.diagonal
    return found


def rungs(archive):
    return {mesh.name: (rung_label(mesh), codec_label(mesh.codec_id)) for mesh in list_meshes(archive)}


@pytest.mark.parametrize(
    ("bound", "rung", "codec"),
    [
        (0.01, "set", "coarse"),
        (0.0008, "refined", "coarse"),
        (0.00005, "control-mesh", "control-mesh"),
        (4e-8, "ply-zstd", "ply-zstd"),
    ],
)
def test_every_mesh_keeps_the_bound_and_tells_its_rung(pack, models, bound, rung, codec):
    (models / "box.obj").unlink()  # its corners suit every rounding
    result = pack(models, codec="coarse", max_error=bound)
    assert result.failures == ()
    assert set(rungs(result.path).values()) == {(rung, codec)}
    assert max(errors(result.path, models).values()) <= bound
    for mesh in list_meshes(result.path):
        assert mesh.mean_error_of_diagonal <= bound
        assert mesh.bound == pytest.approx(bound)
    with ArchiveReader(result.path) as reader:
        assert len(reader.shared) == (codec == "coarse")
        assert reader.settings["max_error"] == bound


def test_a_looser_bound_takes_fewer_bytes(pack, models, monkeypatch):
    monkeypatch.setattr(raw_codec.CoarseCodec, "TRAINED", 1)
    sizes = []
    for bound in (1e-5, 1e-4, 1e-3, 1e-2):
        made = pack(models / "ball.ply", codec="coarse", max_error=bound, output=models.parent / f"{bound}.mset")
        assert rungs(made.path) == {"ball": ("control-mesh", "control-mesh")}
        sizes.append(made.entries[0].length)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] / 4


def test_a_mesh_that_the_codec_refuses_is_kept_by_another(pack, models):
    raw_codec.tetrahedron(models / "pointed.ply")
    result = pack(models, codec="coarse", max_error=0.01)
    assert result.failures == ()
    assert rungs(result.path)["pointed"] == ("control-mesh", "control-mesh")
    with meshset.open(result.path) as archive:
        assert archive.entries["pointed"].notes[0] == "not coded with its set: raw codec takes no tetrahedra"
        assert len(archive["pointed"].faces) == 4
    alone = pack(models / "pointed.ply", codec="coarse", max_error=0.01, output=models.parent / "alone.mset")
    with ArchiveReader(alone.path) as reader:
        assert reader.shared == ()


LOST = "12 of 13 parts are lost: no surface came back near them"


def test_parts_that_are_lost_are_noted_and_told(pack, tmp_path):
    messages = []
    folder = raw_codec.plate_with_balls(tmp_path / "new" / "plate.obj").parent
    result = pack(folder, codec="lossy", progress=lambda task, done, total, message: messages.append(message))
    assert result.entries[0].mean_error_of_diagonal < 0.01
    assert result.entries[0].notes[-1] == LOST
    assert f"plate: {LOST}" in str(list_meshes(result.path))
    assert any(f"plate: {LOST}; --max-error keeps them all" in (message or "") for message in messages)


def test_a_mesh_that_lost_a_part_is_not_within_the_bound(pack, tmp_path):
    folder = raw_codec.plate_with_balls(tmp_path / "new" / "plate.obj").parent
    result = pack(folder, codec="lossy", max_error=0.01)
    assert rungs(result.path) == {"plate": ("draco", "draco")}
    assert not any("lost" in line for line in remarks(result.entries[0]))
    with meshset.open(result.path) as archive:
        assert face_components(archive["plate"])[1] == 13


def test_balls_that_every_draco_rounds_away_are_kept_without_loss(pack, tmp_path, monkeypatch):
    monkeypatch.setattr("meshset.pipeline.steps.candidates.BITS", range(5, 8))
    folder = raw_codec.plate_with_balls(tmp_path / "new" / "plate.obj", radius=0.001).parent
    result = pack(folder, codec="lossy", max_error=0.01)
    assert rungs(result.path) == {"plate": ("ply-zstd", "ply-zstd")}


def test_what_no_rung_can_bring_within_the_bound_says_so(pack, models):
    result = pack(models / "ball.ply", codec="coarse", max_error=1e-15)
    assert rungs(result.path) == {"ball": ("ply-zstd", "ply-zstd")}
    assert remarks(result.entries[0])[-1] == "as exact as float32 allows, which misses the bound"


def test_added_meshes_that_are_clearly_worse_are_told(pack, models, tmp_path):
    path = pack(models, codec="coarse").path
    raw_codec.ball(tmp_path / "new" / "one.ply")
    notes = []

    class Listener(meshset.progress.Silent):
        def note(self, message):
            notes.append(message)

    (entry,) = add(path, [tmp_path / "new"], progress=Listener()).entries
    assert entry.less_exact
    (note,) = notes
    assert note.startswith("one: less exact than its set, with a mean error of ")
    # It does not make room for others.
    raw_codec.ball(tmp_path / "more" / "two.ply", radius=3)
    (entry,) = add(path, [tmp_path / "more"]).entries
    assert entry.less_exact
    raw_codec.ball(tmp_path / "third" / "three.ply")
    (entry,) = add(path, [tmp_path / "third"], max_error=0.01).entries
    assert not entry.less_exact


def test_meshes_as_exact_as_the_set_are_not_told(archive, tmp_path):
    raw_codec.ball(tmp_path / "new" / "one.ply")
    (entry,) = add(archive, [tmp_path / "new"]).entries
    assert entry.notes == ("stored raw",)


@pytest.mark.parametrize(
    ("bound", "rung"),
    [(0.03, "set"), (0.006, "refined"), (0.002, "control-mesh")],
    ids=["set", "refined", "control-mesh"],
)
def test_added_and_replaced_meshes_keep_a_bound(pack, models, tmp_path, bound, rung):
    path = pack(models, codec="coarse").path
    raw_codec.ball(tmp_path / "new" / "one.ply")
    add(path, [tmp_path / "new"], max_error=bound)
    assert rungs(path)["one"][0] == rung
    raw_codec.ball(tmp_path / "other" / "ball.ply", radius=9)
    replace(path, [tmp_path / "other"], max_error=bound)
    assert rungs(path)["ball"][0] == rung
    assert rungs(path)["box"] == (None, "coarse")
    for folder, name in ((tmp_path / "new", "one"), (tmp_path / "other", "ball")):
        with meshset.open(path) as opened:
            original, mesh = read_mesh(folder / f"{name}.ply").mesh, opened[name]
        placement = Placement.of(original)
        distance, _ = surface_distance(placement.normalise(original), placement.normalise(mesh), 20_000, seed=3)
        assert distance <= bound * placement.diagonal


def test_meshes_apart_do_not_choose_the_codec_of_the_next(pack, models, tmp_path):
    path = pack(models / "box.obj", codec="coarse").path
    for i in range(3):
        raw_codec.ball(tmp_path / "new" / f"{i}.ply")
    add(path, [tmp_path / "new"], max_error=0.001)
    assert [codec for _, codec in rungs(path).values()] == ["coarse", "control-mesh", "control-mesh", "control-mesh"]
    raw_codec.ball(tmp_path / "more" / "last.ply")
    add(path, [tmp_path / "more"])
    assert rungs(path)["last"] == (None, "coarse")


@pytest.mark.parametrize("bound", [0.0, -1.0, math.nan, math.inf])
def test_a_bound_that_is_none_is_refused(pack, models, archive, bound):
    with pytest.raises(MeshsetError, match="must be above 0"):
        pack(models, output=models.parent / "new.mset", max_error=bound)
    with pytest.raises(MeshsetError, match="must be above 0"):
        add(archive, [models], max_error=bound)


def test_what_the_index_states_is_told_in_words(pack, models, tmp_path):
    (entry,) = pack(models / "ball.ply", codec="coarse", max_error=0.00005).entries
    assert entry.notes == ()
    assert remarks(entry) == ()
    path = pack(models / "ball.ply", codec="coarse", output=tmp_path / "other.mset").path
    raw_codec.ball(tmp_path / "new" / "one.ply")
    (entry,) = add(path, [tmp_path / "new"]).entries
    assert remarks(entry) == ("less exact than its set: more than twice the worst error of the meshes before it",)


def test_the_codec_of_a_rung_is_the_one_it_names(pack, models):
    result = pack(models, codec="coarse", max_error=0.00005)
    assert {codec_by_id(entry.codec_id).name for entry in result.entries} == {"control-mesh"}
