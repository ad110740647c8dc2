"""What a field alone keeps of a mesh file."""

from __future__ import annotations

import pytest

import raw_codec
from meshset.codecs.common.stored_fields import make_fields
from meshset.codecs.protocol import Settings
from meshset.errors import MeshFileError
from meshset.field import Field
from meshset.geometry import Placement, read_mesh, write_mesh
from meshset.geometry.samples import sample_meshes
from meshset.pipeline.fit import fit


@pytest.fixture
def model(tmp_path):
    _, mesh = next(iter(sample_meshes(1)))
    write_mesh(mesh, tmp_path / "model.obj")
    return tmp_path / "model.obj"


def test_the_recovered_mesh_stands_where_the_original_does(model, tmp_path):
    result = fit(model, tmp_path / "out.ply", resolution=32)
    original, recovered = read_mesh(model).mesh, read_mesh(tmp_path / "out.ply").mesh
    assert len(recovered.faces) == result.faces
    side = (Placement.of(original).upper - Placement.of(original).lower).max()
    assert Placement.of(recovered).lower == pytest.approx(Placement.of(original).lower, abs=side / 31)


def test_deformation_and_resolution_bring_the_mesh_closer(model, tmp_path):
    plain = fit(model, tmp_path / "out.ply", resolution=32, field="tsdf").mean_distance
    assert fit(model, tmp_path / "out.ply", resolution=32).mean_distance < 0.6 * plain
    assert fit(model, tmp_path / "out.ply", resolution=64, field="tsdf").mean_distance < 0.6 * plain


@pytest.mark.slow
def test_the_papers_objective_is_reached(model, tmp_path):
    plain = fit(model, tmp_path / "plain.ply", resolution=32, field="tsdf").mean_distance
    rendered = fit(model, tmp_path / "rendered.ply", resolution=32, objective="render").mean_distance
    assert rendered < 0.7 * plain
    fit(model, tmp_path / "projected.ply", resolution=32)
    assert (tmp_path / "rendered.ply").read_bytes() != (tmp_path / "projected.ply").read_bytes()


@pytest.mark.slow
def test_fields_of_both_objectives_are_kept_apart(model, tmp_path):
    mesh = read_mesh(model).mesh
    normalised = Placement.of(mesh).normalise(mesh)
    fields = {}
    for name in ("render", "project", "render"):  # the last one comes from the cache
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        ((path, _),) = make_fields([normalised], Settings(32, objective=name), folder)
        fields.setdefault(name, []).append(Field.load(path))
    first, again = fields["render"]
    assert (first.deformation == again.deformation).all()
    assert not (first.deformation == fields["project"][0].deformation).all()


def test_missing_file_is_named(tmp_path):
    with pytest.raises(MeshFileError, match=r"none\.obj"):
        fit(tmp_path / "none.obj", tmp_path / "out.ply", resolution=32)


def test_parts_that_are_lost_are_noted(tmp_path):
    path = raw_codec.plate_with_balls(tmp_path / "plate.obj")
    assert (
        fit(path, tmp_path / "back.ply", resolution=32).notes[-1].endswith(" are lost: no surface came back near them")
    )
