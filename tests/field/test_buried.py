"""Surface inside the solid is found and cut away, up to a fraction of a voxel; other meshes stay as they are."""

from __future__ import annotations

import time

import numpy as np
import pytest

from meshset.field.buried import buried_share, outer_surface
from meshset.field.grid import spacing
from meshset.geometry import Mesh
from meshset.geometry.diagnosis import turned
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import sample_surface
from tests.field import shapes


def outer(mesh: Mesh, resolution: int = 64) -> Mesh:
    return outer_surface(mesh, SurfaceQueries(mesh), resolution)


def moved(mesh: Mesh, *offset: float) -> Mesh:
    return Mesh(mesh.vertices + np.array(offset), mesh.faces)


@pytest.mark.parametrize(
    "mesh",
    [
        shapes.sphere(rings=32),
        shapes.joined(shapes.sphere(0.8, 32), turned(shapes.sphere(0.5, 32))),
        shapes.joined(moved(shapes.sphere(0.3, 32), -0.5, 0, 0), moved(shapes.sphere(0.3, 32), 0.5, 0, 0)),
        shapes.joined(shapes.sphere(0.8, 32), shapes.sphere(0.8, 32)),
        Mesh(np.eye(3), np.array([[0, 1, 2]], dtype=np.int32)),
    ],
    ids=["ball", "shell", "two balls", "the same ball twice", "a sheet"],
)
def test_mesh_without_buried_surface_is_the_very_same(mesh: Mesh) -> None:
    assert outer(mesh) is mesh


@pytest.mark.parametrize("rings", [8, 32, 96])
def test_what_is_left_of_two_balls_is_outside_of_both(rings: int) -> None:
    """Facets from half a voxel to six voxels."""
    left, right = moved(shapes.sphere(0.5, rings), -0.3, 0.02, 0), moved(shapes.sphere(0.5, rings), 0.3, 0, 0.03)
    both = shapes.joined(left, right)
    left_open = outer(both)
    points = sample_surface(left_open, 20_000, 0).points
    inside = np.minimum(*(np.abs(SurfaceQueries(ball).winding_number(points)) for ball in (left, right))) > 0.9
    depth = np.minimum(*(SurfaceQueries(ball).closest(points)[0] for ball in (left, right)))
    assert depth[inside].max(initial=0.0) < 1e-6
    to_other = np.maximum(*(SurfaceQueries(ball).closest(points)[0] for ball in (left, right)))
    assert to_other[inside].max(initial=0.0) < 0.8 * spacing(64)
    union_area = left_open.to_trimesh().area
    share = buried_share(both, SurfaceQueries(both), 64)
    assert union_area == pytest.approx((1 - share) * both.to_trimesh().area, rel=0.03)


def test_faces_in_the_open_stay_whole() -> None:
    plate, peg = shapes.box((-0.9, -0.9, -0.2), (0.9, 0.9, 0.2)), shapes.box((0.1, 0.2, -0.7), (0.3, 0.4, 0.6))
    found = outer(shapes.joined(plate, peg))
    whole = {tuple(face) for face in found.faces.tolist()}
    ends = {tuple(face) for face in shapes.joined(plate, peg).faces.tolist()[-4:]}
    assert ends <= whole


@pytest.mark.parametrize("resolution", [64, 256])
def test_surfaces_that_nearly_coincide_do_not_take_long(resolution: int) -> None:
    ball = shapes.sphere(0.8, 96)
    noise = np.random.default_rng(0).normal(0, 0.02 * spacing(64), ball.vertices.shape)
    both = shapes.joined(ball, Mesh(ball.vertices + noise, ball.faces), shapes.sphere(0.4, 32))
    started = time.perf_counter()
    outer(both, resolution)
    assert time.perf_counter() - started < 20  # a second or two where nothing else runs
