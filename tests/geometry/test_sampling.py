"""Area-weighted samples against closed forms."""

import numpy as np
import pytest
import trimesh

from meshset.errors import MeshFileError
from meshset.geometry.mesh import Mesh
from meshset.geometry.sampling import sample_surface


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))


BOX = as_mesh(trimesh.creation.box(extents=(1, 2, 4)))
SPHERE = as_mesh(trimesh.creation.icosphere(subdivisions=4))


def test_samples_lie_in_their_faces() -> None:
    samples = sample_surface(SPHERE, 2000, seed=0)
    barycentric = trimesh.triangles.points_to_barycentric(SPHERE.triangles[samples.faces], samples.points)
    assert barycentric.min() > -1e-9
    corner = SPHERE.triangles[samples.faces, 0]
    np.testing.assert_allclose(np.einsum("ij,ij->i", samples.points - corner, samples.normals), 0, atol=1e-12)


def test_each_face_gets_its_share_of_the_area() -> None:
    count = 70_000
    samples = sample_surface(BOX, count, seed=1)
    found = np.bincount(samples.faces, minlength=len(BOX.faces))
    areas = BOX.to_trimesh().area_faces
    expected = count * areas / areas.sum()
    assert (np.abs(found - expected) < 5 * np.sqrt(expected)).all()


def test_samples_are_uniform_within_a_triangle() -> None:
    triangle = Mesh(np.array([[0.0, 0, 0], [3, 0, 0], [0, 3, 0]]), np.array([[0, 1, 2]], dtype=np.int32))
    points = sample_surface(triangle, 40_000, seed=2).points
    np.testing.assert_allclose(points.mean(axis=0), [1, 1, 0], atol=0.02)
    # The variance of a coordinate over a right triangle of side a is a^2 / 18.
    np.testing.assert_allclose(points.var(axis=0), [0.5, 0.5, 0], atol=0.02)


def test_second_moments_of_a_sphere() -> None:
    points = sample_surface(SPHERE, 50_000, seed=3).points
    np.testing.assert_allclose(points.T @ points / len(points), np.eye(3) / 3, atol=0.01)


def test_normals_are_unit_and_outward() -> None:
    samples = sample_surface(SPHERE, 1000, seed=4)
    np.testing.assert_allclose(np.linalg.norm(samples.normals, axis=1), 1)
    assert (np.einsum("ij,ij->i", samples.normals, samples.points) > 0.99).all()


def test_the_seed_decides() -> None:
    first, again, other = (sample_surface(BOX, 100, seed).points for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.isclose(first, other).all(axis=1).any()


def test_faces_without_area_get_no_samples() -> None:
    flat = np.array([[0, 0, 1], [0, 1, 2], [1, 1, 1], [0, 2, 3], [2, 2, 0]], dtype=np.int32)
    mesh = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]), flat)
    samples = sample_surface(mesh, 1000, seed=7)
    assert set(samples.faces) == {1, 3}
    assert np.isfinite(samples.normals).all()


@pytest.mark.parametrize("faces", [np.zeros((0, 3)), np.zeros((2, 3))])
def test_a_mesh_without_area_is_refused(faces: np.ndarray) -> None:
    with pytest.raises(MeshFileError, match="zero area"):
        sample_surface(Mesh(np.zeros((3, 3)), faces.astype(np.int32)), 10, seed=0)


def test_float32_vertices_are_measured_in_float64() -> None:
    mesh = Mesh(BOX.vertices.astype(np.float32), BOX.faces)
    samples = sample_surface(mesh, 10, seed=0)
    assert samples.points.dtype == np.float64
    assert samples.points.shape == samples.normals.shape == (10, 3)
    assert sample_surface(mesh, 0, seed=0).points.shape == (0, 3)
