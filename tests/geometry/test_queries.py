"""Closest points and winding numbers against closed forms and against trimesh."""

import sys
from collections.abc import Callable

import numpy as np
import pytest
import trimesh

from meshset.errors import MissingExtraError
from meshset.geometry.diagnosis import turned
from meshset.geometry.mesh import Mesh
from meshset.geometry.queries import SurfaceQueries


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))


BOX = as_mesh(trimesh.creation.box(extents=(2, 2, 2)))
SPHERE = as_mesh(trimesh.creation.icosphere(subdivisions=4))
TORUS = as_mesh(trimesh.creation.torus(1.0, 0.3, major_sections=128, minor_sections=64))


def box_distance(points: np.ndarray) -> np.ndarray:
    """Unsigned distance to the surface of the box [-1, 1]^3."""
    beyond = np.abs(points) - 1
    outside = np.linalg.norm(np.maximum(beyond, 0), axis=1)
    return np.where(beyond.max(axis=1) > 0, outside, -beyond.max(axis=1))


@pytest.mark.parametrize("count", [1, 500, 5000])
def test_distance_to_a_box_is_exact_in_any_order(count: int) -> None:
    points = np.random.default_rng(0).uniform(-2, 2, (count, 3))
    distance, face, nearest = SurfaceQueries(BOX).closest(points)
    np.testing.assert_allclose(distance, box_distance(points), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(points - nearest, axis=1), distance, atol=1e-12)
    np.testing.assert_allclose(box_distance(nearest), 0, atol=1e-12)
    corners = BOX.triangles[face]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    np.testing.assert_allclose(np.einsum("ij,ij->i", nearest - corners[:, 0], normal), 0, atol=1e-12)


def test_scattered_and_ordered_queries_answer_alike() -> None:
    points = np.random.default_rng(1).uniform(-1.5, 1.5, (6000, 3))
    order = np.lexsort(np.round(points, 1).T)
    queries = SurfaceQueries(SPHERE)
    scattered, ordered = queries.closest(points), queries.closest(points[order])
    for one, other in zip(scattered, ordered, strict=True):
        np.testing.assert_array_equal(one[order], other)


def test_closest_points_agree_with_trimesh() -> None:
    points = np.random.default_rng(2).uniform(-1.6, 1.6, (300, 3))
    nearest, distance, _ = trimesh.proximity.closest_point_naive(TORUS.to_trimesh(), points)
    ours = SurfaceQueries(TORUS).closest(points)
    np.testing.assert_allclose(ours[0], distance, atol=1e-9)
    np.testing.assert_allclose(ours[2], nearest, atol=1e-6)


def test_closest_points_on_a_torus_follow_its_formula() -> None:
    points = np.random.default_rng(3).uniform(-1.6, 1.6, (2000, 3))
    exact = np.abs(np.hypot(np.hypot(points[:, 0], points[:, 1]) - 1, points[:, 2]) - 0.3)
    np.testing.assert_allclose(SurfaceQueries(TORUS).closest(points)[0], exact, atol=1e-3)


@pytest.mark.parametrize("points", [np.full((4000, 3), 0.5), np.zeros((0, 3)), [[0.5, 0.5, 0.5]]])
def test_equal_missing_and_single_queries_are_answered(points: object) -> None:
    distance, face, nearest = SurfaceQueries(BOX).closest(points)
    winding = SurfaceQueries(BOX).winding_number(points)
    count = len(np.asarray(points))
    assert (distance.shape, face.shape, nearest.shape) == ((count,), (count,), (count, 3))
    assert winding.shape == (count,)
    np.testing.assert_allclose(distance, 0.5)
    np.testing.assert_allclose(winding, 1, atol=0.02)


@pytest.mark.parametrize(
    ("shape", "level"),
    [
        (BOX, lambda points: np.abs(points).max(axis=1) - 1),
        (SPHERE, lambda points: np.linalg.norm(points, axis=1) - 1),
        (TORUS, lambda p: np.hypot(np.hypot(p[:, 0], p[:, 1]) - 1, p[:, 2]) - 0.3),
    ],
)
def test_winding_number_is_one_inside_and_zero_outside(shape: Mesh, level: Callable[[np.ndarray], np.ndarray]) -> None:
    points = np.random.default_rng(4).uniform(-1.6, 1.6, (3000, 3))
    apart = points[np.abs(level(points)) > 0.02]
    inside = level(apart) < 0
    assert 100 < inside.sum() < len(inside) - 100
    np.testing.assert_allclose(SurfaceQueries(shape).winding_number(apart), inside, atol=0.02)


def test_winding_number_of_an_inside_out_mesh_is_minus_one() -> None:
    winding = SurfaceQueries(turned(SPHERE)).winding_number([[0, 0, 0], [3, 0, 0]])
    np.testing.assert_allclose(winding, [-1, 0], atol=0.02)


def test_winding_number_of_half_a_sphere_is_half_at_its_centre() -> None:
    upper = SPHERE.faces[(SPHERE.triangles[:, :, 2] >= -1e-9).all(axis=1)]
    winding = SurfaceQueries(Mesh(SPHERE.vertices, upper)).winding_number([[0, 0, 0]])
    np.testing.assert_allclose(winding, 0.5, atol=0.03)


def test_later_changes_of_the_mesh_have_no_effect() -> None:
    mesh = Mesh(BOX.vertices.copy(), BOX.faces)
    queries = SurfaceQueries(mesh)
    mesh.vertices[:] *= 10
    np.testing.assert_allclose(queries.closest([[3, 0, 0]])[0], 2)


def test_trees_are_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import igl

    built = []
    for name in ("AABB", "FastWindingNumberBVH"):
        kind = getattr(igl, name)
        monkeypatch.setattr(igl, name, lambda kind=kind, name=name: built.append(name) or kind())
    queries = SurfaceQueries(BOX)
    assert built == []
    for _ in range(2):
        queries.closest([[0, 0, 0]])
        queries.winding_number([[0, 0, 0]])
    assert built == ["AABB", "FastWindingNumberBVH"]


@pytest.mark.parametrize("method", ["closest", "winding_number"])
def test_a_missing_libigl_names_the_extra(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setitem(sys.modules, "igl", None)
    with pytest.raises(MissingExtraError, match=r"meshset\[compress\]"):
        getattr(SurfaceQueries(BOX), method)([[0, 0, 0]])
