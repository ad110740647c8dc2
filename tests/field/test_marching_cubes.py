"""Surfaces against closed forms, and their gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from meshset.evaluation.metrics import surface_distance
from meshset.field import compute_field, extract_surface
from meshset.geometry import Mesh
from meshset.geometry.diagnosis import turned
from tests.field import shapes


def surface(mesh: Mesh, resolution: int) -> trimesh.Trimesh:
    field, _ = compute_field(mesh, resolution)
    return trimesh.Trimesh(*extract_surface(field.coords, field.tsdf, resolution), process=False)


def dense(values: np.ndarray) -> trimesh.Trimesh:
    side = values.shape[0]
    coords = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    return trimesh.Trimesh(*extract_surface(coords, values.reshape(-1), side), process=False)


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_sphere(resolution: int) -> None:
    extracted = surface(shapes.sphere(), resolution)
    assert extracted.is_watertight
    assert extracted.is_winding_consistent
    assert extracted.euler_number == 2
    assert extracted.volume == pytest.approx(4 / 3 * np.pi * 0.8**3, rel=20 / resolution**2)
    assert np.abs(np.linalg.norm(extracted.vertices, axis=1) - 0.8).max() < 2 / resolution**2 + 1e-4


def test_torus_has_genus_one() -> None:
    extracted = surface(shapes.torus(), 64)
    assert extracted.is_watertight
    assert extracted.euler_number == 0
    assert np.abs(shapes.torus_distance(extracted.vertices)).max() < 2e-3


def test_box_keeps_faces_and_rounds_edges_by_less_than_a_voxel() -> None:
    original = shapes.box((-0.73, -0.41, -0.3), (0.73, 0.41, 0.52))
    extracted = surface(original, 64)
    assert extracted.is_watertight
    mean, largest = surface_distance(original, Mesh(extracted.vertices, extracted.faces.astype(np.int32)), 20_000, 0)
    assert mean < 1e-3
    assert largest < 2 / 63


def test_nested_spheres_give_two_surfaces_with_a_cavity() -> None:
    extracted = surface(shapes.joined(shapes.sphere(0.9), turned(shapes.sphere(0.5))), 64)
    assert extracted.is_watertight
    assert extracted.body_count == 2
    assert extracted.volume == pytest.approx(4 / 3 * np.pi * (0.9**3 - 0.5**3), rel=5e-3)


@pytest.mark.slow
def test_resolution_256() -> None:
    extracted = surface(shapes.sphere(), 256)
    assert extracted.is_watertight
    assert np.abs(np.linalg.norm(extracted.vertices, axis=1) - 0.8).max() < 2e-4


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_any_field_gives_a_closed_oriented_manifold(seed: int, share: float) -> None:
    """Random signs hit every case of the table, ambiguous ones included."""
    generator = np.random.default_rng(seed)
    values = generator.uniform(0.01, 1.0, (9, 9, 9)) * np.where(generator.random((9, 9, 9)) < share, -1, 1)
    extracted = dense(values)
    if (values[1:-1, 1:-1, 1:-1] < 0).any():
        assert extracted.is_watertight
        assert extracted.is_winding_consistent
        assert extracted.volume > 0
        assert len(np.unique(extracted.vertices, axis=0)) == len(extracted.vertices)
        assert (np.bincount(extracted.edges_unique_inverse) == 2).all()


def test_every_vertex_lies_on_one_fan_of_triangles() -> None:
    """Edge-manifold is not enough: no two sheets may touch in a single vertex."""
    generator = np.random.default_rng(3)
    extracted = dense(generator.uniform(-1, 1, (12, 12, 12)))
    fans = extracted.vertex_degree
    triangles = np.bincount(extracted.faces.ravel(), minlength=len(extracted.vertices))
    assert np.array_equal(fans, triangles)


def test_rim_of_the_band_is_not_a_surface() -> None:
    field, _ = compute_field(shapes.sphere(), 64)
    shrunk = np.abs(field.tsdf) < 0.9
    vertices, faces = extract_surface(field.coords[shrunk], field.tsdf[shrunk], 64)
    assert trimesh.Trimesh(vertices, faces, process=False).is_watertight
    assert np.abs(np.linalg.norm(vertices, axis=1) - 0.8).max() < 1e-3


def test_surface_that_touches_the_border_is_closed() -> None:
    assert dense(np.full((8, 8, 8), -1.0)).is_watertight


def test_exact_zeros_give_no_duplicate_vertices() -> None:
    values = np.ones((7, 7, 7))
    values[2:5, 2:5, 2:5] = -1.0
    values[3, 3, 4] = 0.0
    values[2, 2, 2] = -0.0
    extracted = dense(values)
    assert extracted.is_watertight
    assert len(np.unique(extracted.vertices, axis=0)) == len(extracted.vertices)


def test_torch_and_numpy_agree() -> None:
    field, _ = compute_field(shapes.torus(), 64)
    vertices, faces = extract_surface(field.coords, field.tsdf, 64)
    torch_vertices, torch_faces = extract_surface(torch.from_numpy(field.coords), torch.from_numpy(field.tsdf), 64)
    assert np.array_equal(faces, torch_faces.numpy())
    assert np.allclose(vertices, torch_vertices.numpy(), atol=1e-7)


def test_gradients_agree_with_finite_differences() -> None:
    generator = np.random.default_rng(0)
    coords = torch.from_numpy(np.stack(np.meshgrid(*[np.arange(6)] * 3, indexing="ij"), -1).reshape(-1, 3))
    signs = np.where(generator.random(216) < 0.5, -1, 1)
    values = torch.from_numpy(generator.uniform(0.2, 1.0, 216) * signs).requires_grad_()
    weights = torch.from_numpy(generator.normal(size=(6 * 6 * 6 * 3, 3)))

    def moment(v: torch.Tensor) -> torch.Tensor:
        vertices, _ = extract_surface(coords, v, 6)
        return (weights[: len(vertices)] * vertices).sum()

    assert torch.autograd.gradcheck(moment, (values,))


def test_empty_band_gives_no_surface() -> None:
    vertices, faces = extract_surface(np.zeros((0, 3), np.int32), np.zeros(0, np.float32), 32)
    assert vertices.shape == (0, 3)
    assert faces.shape == (0, 3)


def test_deformation_gradients_agree_with_finite_differences() -> None:
    generator = np.random.default_rng(0)
    coords = torch.from_numpy(np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), -1).reshape(-1, 3))
    signs = np.where(generator.random(125) < 0.5, -1, 1)
    values = torch.from_numpy(generator.uniform(0.2, 1.0, 125) * signs).requires_grad_()
    moved = torch.from_numpy(generator.uniform(-0.9, 0.9, (125, 3))).requires_grad_()
    weights = torch.from_numpy(generator.normal(size=(5 * 5 * 5 * 3, 3)))

    def moment(v: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
        vertices, _ = extract_surface(coords, v, 5, d)
        return (weights[: len(vertices)] * vertices).sum()

    assert torch.autograd.gradcheck(moment, (values, moved))


def test_deformation_moves_grid_points_by_at_most_half_a_voxel() -> None:
    field, _ = compute_field(shapes.sphere(), 32)
    shift = np.zeros((len(field.tsdf), 3), np.float32)
    shift[:, 0] = 7.0
    still, faces = extract_surface(field.coords, field.tsdf, 32)
    moved, same_faces = extract_surface(field.coords, field.tsdf, 32, shift)
    assert np.array_equal(faces, same_faces)
    assert moved - still == pytest.approx(np.array([[1 / 31, 0, 0]] * len(still)), abs=1e-6)


def test_deformed_surface_stays_closed_and_manifold() -> None:
    field, _ = compute_field(shapes.torus(), 32)
    shift = np.random.default_rng(0).uniform(-1, 1, (len(field.tsdf), 3)).astype(np.float32)
    deformed = trimesh.Trimesh(*extract_surface(field.coords, field.tsdf, 32, shift), process=False)
    assert deformed.is_watertight
    assert deformed.is_winding_consistent
    assert deformed.euler_number == 0
    assert deformed.volume > 0
