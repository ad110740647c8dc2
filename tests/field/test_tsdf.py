"""Fields against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from meshset.errors import MeshFileError
from meshset.evaluation.metrics import surface_distance
from meshset.field import TRUNCATION, Field, compute_field, extract_surface
from meshset.field.grid import children, root_coords, spacing
from meshset.geometry import Mesh
from meshset.geometry.diagnosis import boundary_edge_count, face_components, turned
from tests.field import shapes


def points_of(field: Field) -> np.ndarray:
    return -1.0 + spacing(field.resolution) * field.coords.astype(np.float64)


def expected(distance: np.ndarray, resolution: int) -> np.ndarray:
    return np.clip(distance / (TRUNCATION * spacing(resolution)), -1.0, 1.0)


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_sphere_field_is_the_clamped_signed_distance(resolution: int) -> None:
    field, notes = compute_field(shapes.sphere(), resolution)
    exact = expected(np.linalg.norm(points_of(field), axis=1) - 0.8, resolution)
    assert np.abs(field.tsdf - exact).max() < 0.02
    assert notes == ()


def test_torus_field_is_the_clamped_signed_distance() -> None:
    field, _ = compute_field(shapes.torus(), 64)
    assert np.abs(field.tsdf - expected(shapes.torus_distance(points_of(field)), 64)).max() < 0.02


def test_box_field_is_exact() -> None:
    low, high = (-0.73, -0.41, -0.3), (0.73, 0.41, 0.52)
    field, _ = compute_field(shapes.box(low, high), 64)
    exact = expected(shapes.box_distance(points_of(field), np.array(low), np.array(high)), 64)
    assert np.abs(field.tsdf - exact).max() < 1e-5


def test_every_point_of_the_band_is_there() -> None:
    """No grid point closer to the surface than the truncation distance is missing, and none appears twice."""
    field, _ = compute_field(shapes.torus(), 32)
    grid = np.stack(np.meshgrid(*[np.arange(32)] * 3, indexing="ij"), -1).reshape(-1, 3)
    distance = np.abs(shapes.torus_distance(-1.0 + spacing(32) * grid))
    near = {tuple(p) for p in grid[distance < 0.98 * TRUNCATION * spacing(32)]}
    present = [tuple(p) for p in field.coords.tolist()]
    assert near <= set(present)
    assert len(present) == len(set(present))
    assert len(present) < 0.5 * 32**3


def test_nested_spheres_leave_a_shell() -> None:
    hollow = shapes.joined(shapes.sphere(0.9), turned(shapes.sphere(0.5)))
    field, _ = compute_field(hollow, 64)
    radius = np.linalg.norm(points_of(field), axis=1)
    exact = expected(np.maximum(radius - 0.9, 0.5 - radius), 64)
    assert np.abs(field.tsdf - exact).max() < 0.02


def test_inside_out_mesh_is_turned_and_told() -> None:
    field, _ = compute_field(shapes.sphere(), 32)
    again, notes = compute_field(turned(shapes.sphere()), 32)
    assert np.array_equal(field.tsdf, again.tsdf)
    assert notes == ("1 part inside out; turned",)


def test_surface_inside_the_solid_is_told() -> None:
    """A bar of 1 x 0.9 x 0.9 goes 0.2 deep into a cube: its end, its sides there and some of the cube are buried."""
    left, right = shapes.box((-0.9, -0.5, -0.5), (0.1, 0.5, 0.5)), shapes.box((-0.1, -0.45, -0.45), (0.9, 0.45, 0.45))
    _, notes = compute_field(shapes.joined(left, right), 32)
    share = (0.81 + 4 * 0.2 * 0.9 + 0.81) / (6 + 2 * 0.81 + 4 * 0.9)
    (note,) = notes
    assert "inside the solid" in note
    assert float(note.split("%")[0]) / 100 == pytest.approx(share, abs=0.05)
    assert compute_field(left, 32)[1] == ()


def parts(mesh: Mesh) -> int:
    return face_components(mesh)[1]


def area(mesh: Mesh) -> float:
    return float(mesh.to_trimesh().area)


@pytest.mark.parametrize("resolution", [32, 64])
@pytest.mark.parametrize("apart", [0.15, 0.3, 0.45, 0.498])
def test_overlapping_balls_become_one_part_without_pockets(resolution: int, apart: float) -> None:
    """Also where the lens in which they overlap is so thin that hardly any of the surface is buried."""
    offset = apart * np.array([0.97, 0.2, 0.14]) / np.linalg.norm([0.97, 0.2, 0.14])
    ball = shapes.sphere(0.5, rings=48)
    pair = shapes.joined(Mesh(ball.vertices - offset, ball.faces), Mesh(ball.vertices + offset, ball.faces))
    field, _ = compute_field(pair, resolution)
    surface = Mesh(*extract_surface(field.coords, field.tsdf, resolution))
    assert (parts(surface), boundary_edge_count(surface)) == (1, 0)
    assert area(surface) == pytest.approx(4 * np.pi * 0.5 * (0.5 + apart), rel=0.02)


def test_boxes_that_share_a_wall_become_one() -> None:
    left, right = shapes.box((-0.8, -0.4, -0.4), (0.03, 0.4, 0.4)), shapes.box((0.03, -0.4, -0.4), (0.8, 0.4, 0.4))
    field, _ = compute_field(shapes.joined(left, right), 64)
    whole, _ = compute_field(shapes.box((-0.8, -0.4, -0.4), (0.8, 0.4, 0.4)), 64)
    assert np.array_equal(field.coords, whole.coords)
    assert np.abs(field.tsdf - whole.tsdf).max() < 1e-5


def test_a_part_inside_another_leaves_no_trace() -> None:
    field, _ = compute_field(shapes.joined(shapes.sphere(0.8), shapes.sphere(0.4)), 32)
    alone, _ = compute_field(shapes.sphere(0.8), 32)
    assert np.array_equal(field.tsdf, alone.tsdf)


def test_a_peg_through_a_plate_of_two_triangles_a_side_is_joined_to_it() -> None:
    plate, peg = shapes.box((-0.9, -0.9, -0.2), (0.9, 0.9, 0.2)), shapes.box((0.13, 0.2, -0.7), (0.27, 0.31, 0.6))
    field, _ = compute_field(shapes.joined(plate, peg), 64)
    surface = Mesh(*extract_surface(field.coords, field.tsdf, 64))
    assert (parts(surface), boundary_edge_count(surface)) == (1, 0)
    points = points_of(field)
    to_plate = shapes.box_distance(points, np.array([-0.9, -0.9, -0.2]), np.array([0.9, 0.9, 0.2]))
    to_peg = shapes.box_distance(points, np.array([0.13, 0.2, -0.7]), np.array([0.27, 0.31, 0.6]))
    outside = np.minimum(to_plate, to_peg) > 0
    exact = expected(np.minimum(to_plate, to_peg), 64)
    assert np.array_equal(field.tsdf >= 0, outside)
    assert np.abs(field.tsdf - exact)[outside].max() < 0.15


def test_one_body_of_two_that_is_inside_out_is_turned() -> None:
    left = shapes.box((-0.9, -0.4, -0.4), (-0.1, 0.4, 0.4))
    right = shapes.box((0.1, -0.4, -0.4), (0.9, 0.4, 0.4))
    field, _ = compute_field(shapes.joined(left, right), 32)
    again, notes = compute_field(shapes.joined(left, turned(right)), 32)
    assert np.array_equal(field.tsdf, again.tsdf)
    assert notes == ("1 part inside out; turned",)


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_thin_walls_at_the_border_of_the_cube_are_kept(resolution: int) -> None:
    hollow = shapes.joined(shapes.box((-0.995,) * 3, (0.995,) * 3), turned(shapes.box((-0.985,) * 3, (0.985,) * 3)))
    field, _ = compute_field(hollow, resolution)
    vertices, faces = extract_surface(field.coords, field.tsdf, resolution)
    assert surface_distance(hollow, Mesh(vertices, faces), 5_000, 0)[0] < 0.5 * spacing(resolution)


def test_hole_in_a_sphere_spoils_signs_only_near_the_hole() -> None:
    mesh = shapes.sphere(0.8)
    kept = mesh.vertices[mesh.faces].mean(axis=1)[:, 2] < 0.75
    field, _ = compute_field(Mesh(mesh.vertices, mesh.faces[kept]), 64)
    points = points_of(field)
    away = points[:, 2] < 0.6
    exact = expected(np.linalg.norm(points, axis=1) - 0.8, 64)
    assert np.abs(field.tsdf - exact)[away].max() < 0.02


def test_plate_thinner_than_a_voxel_is_kept() -> None:
    """The plate lies half way between two layers of grid points, so that no point is inside it."""
    field, _ = compute_field(shapes.box((-0.9, -0.9, -0.002), (0.9, 0.9, 0.002)), 64)
    inside = field.coords[field.tsdf < 0]
    assert len(np.unique(inside[:, 2])) == 1
    assert len(inside) > 0.9 * (1.8 / spacing(64)) ** 2


def test_gap_thinner_than_a_voxel_is_kept() -> None:
    blocks = shapes.joined(
        shapes.box((-0.9, -0.9, 0.002), (0.9, 0.9, 0.9)), shapes.box((-0.9, -0.9, -0.9), (0.9, 0.9, -0.002))
    )
    field, _ = compute_field(blocks, 64)
    middle = (np.abs(points_of(field)[:, 2]) < spacing(64)) & (np.abs(points_of(field)[:, :2]) < 0.8).all(axis=1)
    assert (field.tsdf[middle] > 0).sum() > 0.9 * (1.6 / spacing(64)) ** 2


@pytest.mark.parametrize("seed", [20, 46, 68, 75])
def test_cells_around_thickened_walls_are_complete(seed: int) -> None:
    """The edge of a wedge is thinner than a voxel; points that change sides there need neighbours beyond the band."""
    h = spacing(32)
    corners = np.array(
        [(-0.7, 0, -0.5), (-0.7, 0, 0.5), (0.7, -h, -0.5), (0.7, -h, 0.5), (0.7, h, -0.5), (0.7, h, 0.5)]
    )
    faces = np.array(
        [(0, 2, 3), (0, 3, 1), (0, 1, 5), (0, 5, 4), (2, 4, 5), (2, 5, 3), (0, 4, 2), (1, 3, 5)], dtype=np.int32
    )
    moved = corners @ Rotation.random(random_state=seed).as_matrix().T
    moved += np.random.default_rng(seed).uniform(-h, h, 3)
    field, _ = compute_field(Mesh(moved.astype(np.float32), faces), 32)
    assert boundary_edge_count(Mesh(*extract_surface(field.coords, field.tsdf, 32))) == 0


def test_mesh_that_slips_through_the_grid_is_refused() -> None:
    h = spacing(32)
    with pytest.raises(MeshFileError, match="too thin"):
        compute_field(shapes.box((-0.1 * h,) * 3, (0.1 * h,) * 3), 32)


def test_field_survives_saving(tmp_path) -> None:  # type: ignore[no-untyped-def]
    field, _ = compute_field(shapes.torus(), 32)
    field = replace(field, deformation=np.linspace(-1, 1, 3 * len(field.tsdf), dtype=np.float32).reshape(-1, 3))
    field.save(tmp_path / "field.npz")
    loaded = Field.load(tmp_path / "field.npz")
    assert loaded.resolution == 32
    assert np.array_equal(loaded.coords, field.coords)
    assert np.array_equal(np.sign(loaded.tsdf), np.sign(field.tsdf))
    assert np.abs(loaded.tsdf - field.tsdf).max() <= 2.0**-12
    assert np.abs(loaded.deformation - field.deformation).max() <= 2.0**-12


def test_rows_are_in_the_order_of_the_descent() -> None:
    field, _ = compute_field(shapes.torus(), 32)
    coords = root_coords(np.empty(0))
    for _ in range(3):
        coords = children(coords)
    place = {tuple(point): row for row, point in enumerate(coords.tolist())}
    rows = [place[tuple(point)] for point in field.coords.tolist()]
    assert rows == sorted(rows)
