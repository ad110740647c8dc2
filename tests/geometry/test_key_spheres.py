"""Key spheres against the medial axes of simple solids, and what holds for those of any mesh."""

import numpy as np
import pytest
import trimesh

from meshset.errors import MeshFileError
from meshset.geometry.key_spheres import POINTS, key_spheres
from meshset.geometry.mesh import Mesh
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.samples import sample_meshes

HALVES = np.array([0.95, 0.5, 0.25])


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))


SPHERE = as_mesh(trimesh.creation.icosphere(subdivisions=2, radius=0.9))
BOX = as_mesh(trimesh.creation.box(extents=2 * HALVES))
TORUS = as_mesh(trimesh.creation.torus(0.7, 0.25, major_sections=64, minor_sections=32))
CAPSULE = as_mesh(trimesh.creation.capsule(height=1.0, radius=0.3, count=[32, 32]))
SAMPLES = dict(sample_meshes(3))


def test_a_sphere_gives_one_sphere_which_is_itself() -> None:
    spheres = key_spheres(SPHERE, 128)
    np.testing.assert_allclose(spheres[0], [0, 0, 0, 0.9], atol=0.03)
    # What is left are points, and slits along the edges of the mesh, which is no perfect sphere.
    assert spheres[1:, 3].max() < 0.03


def test_spheres_of_a_box_are_as_far_from_the_two_nearest_sides() -> None:
    spheres = key_spheres(BOX, 64)
    sides = np.sort(np.concatenate([HALVES - spheres[:, :3], HALVES + spheres[:, :3]], axis=1), axis=1)
    np.testing.assert_allclose(sides[:, 0], spheres[:, 3], atol=1e-9)
    balls = spheres[:, 3] > 0
    assert balls.sum() > 32
    np.testing.assert_allclose(sides[balls, 1], sides[balls, 0], atol=1e-4)
    assert spheres[0, 3] == pytest.approx(0.25)


def test_large_spheres_of_a_torus_lie_on_its_core() -> None:
    spheres = key_spheres(TORUS, 32)
    large = spheres[spheres[:, 3] > 0.24]
    assert len(large) >= 4
    np.testing.assert_allclose(np.hypot(large[:, 0], large[:, 1]), 0.7, atol=0.015)
    np.testing.assert_allclose(large[:, 2], 0, atol=0.015)


def test_large_spheres_of_a_capsule_lie_on_its_axis() -> None:
    spheres = key_spheres(CAPSULE, 32)
    large = spheres[spheres[:, 3] > 0.29]
    assert len(large) >= 2
    np.testing.assert_allclose(large[:, :2], 0, atol=0.02)


@pytest.mark.parametrize("name", SAMPLES)
def test_spheres_lie_inside_and_touch_the_surface_but_not_each_other(name: str) -> None:
    mesh = SAMPLES[name]
    spheres = key_spheres(mesh, 128)
    queries = SurfaceQueries(mesh)
    np.testing.assert_allclose(queries.closest(spheres[:, :3])[0], spheres[:, 3], atol=1e-9)
    balls = spheres[spheres[:, 3] > 0]
    assert len(balls) > 32
    assert (queries.winding_number(balls[:, :3]) > 0.5).all()
    apart = np.linalg.norm(balls[:, None, :3] - balls[None, :, :3], axis=2) - balls[:, 3] - balls[:, None, 3]
    assert apart[~np.eye(len(balls), dtype=bool)].min() > 0


@pytest.mark.parametrize("name", SAMPLES)
def test_more_spheres_are_the_same_ones_and_more_and_cover_more(name: str) -> None:
    mesh = SAMPLES[name]
    spheres = key_spheres(mesh, 512)
    np.testing.assert_array_equal(key_spheres(mesh, 32), spheres[:32])
    points = np.random.default_rng(0).uniform(*mesh.bounds, (4000, 3))
    points = points[SurfaceQueries(mesh).winding_number(points) > 0.5]
    covered = np.linalg.norm(points[:, None] - spheres[:, :3], axis=2) < spheres[:, 3]
    few, some, many = (covered[:, :count].any(axis=1).mean() for count in (8, 32, 512))
    assert 0 < few < some < many


def test_the_seed_decides() -> None:
    np.testing.assert_array_equal(key_spheres(BOX, 16, seed=3), key_spheres(BOX, 16, seed=3))
    assert (key_spheres(BOX, 16, seed=3) != key_spheres(BOX, 16, seed=4)).any()


def test_an_open_sheet_has_only_points() -> None:
    corners = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    spheres = key_spheres(Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)), 16)
    np.testing.assert_array_equal(spheres[:, 3], 0)
    assert len(np.unique(spheres, axis=0)) == 16


@pytest.mark.parametrize("count", [0, POINTS + 1])
def test_impossible_counts_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="key spheres"):
        key_spheres(BOX, count)


def test_a_mesh_without_area_has_no_spheres() -> None:
    with pytest.raises(MeshFileError, match="no surface"):
        key_spheres(Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], dtype=np.int32)), 8)
