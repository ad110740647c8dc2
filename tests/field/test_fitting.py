"""Fitted fields are nearer to the mesh than sampled ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from meshset.evaluation.metrics import surface_distance
from meshset.field import Field, compute_field, extract_surface
from meshset.field._cases import CORNERS
from meshset.field.cells import smallest_corner, unfold_cells
from meshset.field.fitting import ObjectiveName, fit_deformation
from meshset.field.grid import spacing
from meshset.geometry import Mesh
from meshset.geometry.diagnosis import boundary_edge_count, diagnose
from meshset.geometry.sampling import sample_surface
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
    assert distance(mesh, fit_deformation(mesh, field)) < 0.35 * distance(mesh, field)


def test_sphere_does_not_get_worse() -> None:
    field, _ = compute_field(shapes.sphere(), 32)
    fitted = fit_deformation(shapes.sphere(), field)
    assert distance(shapes.sphere(), fitted) < distance(shapes.sphere(), field)


def test_buried_surface_does_not_pull() -> None:
    """A box and a bar that ends in it: also the edges of the end of the bar, inside the box, count for nothing."""
    box, bar = ((-0.9, -0.5, -0.5), (0.1, 0.5, 0.5)), ((-0.4, -0.2, -0.2), (0.9, 0.23, 0.21))
    mesh = shapes.joined(shapes.box(*box), shapes.box(*bar))
    field, _ = compute_field(mesh, 32)
    fitted = fit_deformation(mesh, field)
    surface = Mesh(*extract_surface(fitted.coords, fitted.tsdf, 32, fitted.deformation))
    found = diagnose(surface)
    assert (found.components, found.boundary_edges) == (1, 0)
    union = 6.0 + 1.0 * 0.8 * (0.43 + 0.41) * 2
    assert surface.to_trimesh().area == pytest.approx(union, rel=0.02)
    points = sample_surface(surface, 10_000, 0).points
    to_union = np.minimum(*(shapes.box_distance(points, np.array(low), np.array(high)) for low, high in (box, bar)))
    assert np.abs(to_union).mean() < 0.01 * spacing(32)
    assert np.abs(to_union).max() < 0.4 * spacing(32)


def test_deformation_is_bounded_and_sparser_with_its_weight() -> None:
    mesh = shapes.torus()
    field, _ = compute_field(mesh, 32)
    free = fit_deformation(mesh, field, sparse=False).deformation
    sparse = fit_deformation(mesh, field).deformation
    assert np.abs(free).max() <= 1.0
    assert np.abs(sparse).mean() < 0.7 * np.abs(free).mean()


def test_most_deformations_of_a_smooth_shape_are_exactly_zero() -> None:
    field, _ = compute_field(shapes.torus(), 32)
    moved = fit_deformation(shapes.torus(), field).deformation != 0
    assert 0 < moved.mean() < 0.3


@pytest.mark.parametrize("objective", ["project", "render"])
def test_thin_plates_stay_closed_and_manifold(objective: ObjectiveName) -> None:
    mesh = shapes.box((-0.7, -0.6, -0.02), (0.7, 0.6, 0.02))
    field, _ = compute_field(mesh, 32)
    fitted = fit_deformation(mesh, field, objective)
    found = diagnose(Mesh(*extract_surface(fitted.coords, fitted.tsdf, 32, fitted.deformation)))
    assert found.watertight
    assert found.winding_consistent
    assert distance(mesh, fitted) < 0.7 * distance(mesh, field)


@pytest.mark.parametrize("sparse", [True, False])
def test_no_cell_of_the_surface_is_turned_over(sparse: bool) -> None:
    mesh = shapes.box((-0.7, -0.6, -0.02), (0.7, 0.6, 0.02))
    fitted = fit_deformation(mesh, compute_field(mesh, 32)[0], sparse=sparse)
    coords, tsdf, deformation = (torch.from_numpy(a) for a in (fitted.coords, fitted.tsdf, fitted.deformation))
    assert 0.0 < smallest_corner(coords.long(), tsdf, deformation, 32) < 0.9


def test_cells_that_are_turned_over_are_turned_back() -> None:
    coords, tsdf = torch.from_numpy(CORNERS) + 1, torch.tensor([-1.0] + 7 * [1.0])
    deformation = torch.zeros(8, 3)
    deformation[[0, 1, 2, 4]] = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    assert smallest_corner(coords, tsdf, deformation, 32) < -0.9
    unfold_cells(coords, tsdf, deformation, 32)
    assert smallest_corner(coords, tsdf, deformation, 32) > 0.0
    assert deformation[[0, 1, 2, 4]].abs().min() > 0.1
    assert not deformation[[3, 5, 6, 7]].any()


def test_an_open_sheet_is_not_cut_at_the_rim_of_the_band() -> None:
    half = shapes.sphere()
    half = Mesh(half.vertices, half.faces[half.triangles[:, :, 2].min(axis=1) > 0.0])
    field, _ = compute_field(half, 32)
    fitted = fit_deformation(half, field)
    edges = [boundary_edge_count(Mesh(*extract_surface(f.coords, f.tsdf, 32, f.deformation))) for f in (field, fitted)]
    assert edges[1] <= edges[0]


def test_fitting_leaves_the_field_it_started_from_alone() -> None:
    field, _ = compute_field(shapes.sphere(), 32)
    before = field.tsdf.copy()
    fit_deformation(shapes.sphere(), field)
    assert np.array_equal(field.tsdf, before)
