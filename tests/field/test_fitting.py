"""Fitted fields are nearer to the mesh than sampled ones."""

from __future__ import annotations

import numpy as np
import pytest

from meshset.evaluation.metrics import surface_distance
from meshset.field import Field, compute_field, extract_surface
from meshset.field.fitting import fit_deformation
from meshset.geometry import Mesh
from tests.field import shapes


def distance(mesh: Mesh, field: Field) -> float:
    surface = extract_surface(field.coords, field.tsdf, field.resolution, field.deformation)
    return surface_distance(mesh, Mesh(*surface), 10_000, 0)[0]


@pytest.mark.parametrize(
    "mesh",
    [
        shapes.box((-0.9, -0.5, -0.6), (0.9, 0.47, 0.6)),
        shapes.box((-0.9, -0.9, -0.006), (0.9, 0.9, 0.006)),
    ],
)
def test_sharp_edges_and_thin_plates_gain_most(mesh: Mesh) -> None:
    field, _ = compute_field(mesh, 32)
    assert distance(mesh, fit_deformation(mesh, field, samples=15_000)) < 0.35 * distance(mesh, field)


def test_sphere_does_not_get_worse() -> None:
    field, _ = compute_field(shapes.sphere(), 32)
    fitted = fit_deformation(shapes.sphere(), field, samples=15_000)
    assert distance(shapes.sphere(), fitted) < distance(shapes.sphere(), field)


def test_deformation_is_bounded_and_sparser_with_its_weight() -> None:
    mesh = shapes.torus()
    field, _ = compute_field(mesh, 32)
    free = fit_deformation(mesh, field, samples=10_000, sparsity=0.0).deformation
    sparse = fit_deformation(mesh, field, samples=10_000).deformation
    assert free is not None
    assert sparse is not None
    assert np.abs(free).max() <= 1.0
    assert np.abs(sparse).mean() < 0.7 * np.abs(free).mean()


def test_fitting_leaves_the_field_it_started_from_alone() -> None:
    field, _ = compute_field(shapes.sphere(), 32)
    before = field.tsdf.copy()
    fit_deformation(shapes.sphere(), field, samples=2_000)
    assert np.array_equal(field.tsdf, before)
