"""Meshes of one connectivity are found and laid on each other, whatever their order."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.codecs.control_mesh import shapes

from meshset.geometry import Mesh
from meshset.geometry.correspondence import connectivity_of, match


def mesh_of(points: np.ndarray, faces: np.ndarray) -> Mesh:
    return Mesh(points, faces.astype(np.int32))


def shuffled(mesh: Mesh, seed: int, flipped: bool = False) -> Mesh:
    """The same mesh with vertices, faces and corners in another order, perhaps from inside."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(mesh.vertices))
    place = np.argsort(order)
    faces = place[mesh.faces][rng.permutation(len(mesh.faces))]
    faces = np.stack([np.roll(face, rng.integers(3)) for face in faces])
    return mesh_of(mesh.vertices[order], faces[:, ::-1] if flipped else faces)


def as_set(faces: np.ndarray) -> set[tuple[int, ...]]:
    """Faces without their order, each begun at its lowest corner."""
    return {tuple(np.roll(face, -int(np.argmin(face))).tolist()) for face in faces}


KINDS = ("sphere", "torus", "two handles", "annulus", "several", "book")


@pytest.mark.parametrize("name", KINDS)
@given(seed=st.integers(0, 999), flipped=st.booleans())
@settings(max_examples=8, deadline=None)
def test_every_order_of_a_mesh_is_found(name, seed, flipped):
    points, faces = shapes.SHAPES[name]()
    mesh = mesh_of(points, faces)
    other = shuffled(mesh, seed, flipped)
    assert connectivity_of(other.faces) == connectivity_of(mesh.faces)
    found = match(other, mesh)
    assert found is not None
    laid = found.vertex[mesh.faces]
    assert as_set(laid[:, ::-1] if found.reversed else laid) == as_set(other.faces)


@pytest.mark.parametrize("seed", range(4))
def test_a_mesh_without_symmetry_comes_back_vertex_by_vertex(seed):
    points, faces = shapes.punctured(0.3)
    mesh = mesh_of(points, faces)
    other = shuffled(mesh, seed, flipped=seed % 2 == 1)
    found = match(other, mesh)
    used = np.unique(mesh.faces)
    assert found.reversed == (seed % 2 == 1)
    assert np.array_equal(other.vertices[found.vertex[used]], mesh.vertices[used])


def test_of_the_ways_of_a_symmetric_mesh_one_is_taken_that_stretches_little():
    ball = trimesh.creation.icosphere(1)
    points = np.array(ball.vertices) * (1.0, 0.6, 0.3)
    mesh = mesh_of(points, np.array(ball.faces))
    turned = trimesh.transformations.rotation_matrix(2.0, (1, 2, 3))[:3, :3]
    found = match(shuffled(mesh_of(points @ turned.T, mesh.faces), 3), mesh)
    edges = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]]])
    there = shuffled(mesh_of(points @ turned.T, mesh.faces), 3).vertices[found.vertex]
    before = np.linalg.norm(np.diff(mesh.vertices[edges], axis=1), axis=2)
    after = np.linalg.norm(np.diff(there[edges], axis=1), axis=2)
    assert np.abs(np.log(after / before)).mean() < 0.5


@pytest.mark.parametrize("name", ["sphere", "torus", "two handles"])
def test_other_connectivity_is_told_apart(name):
    points, faces = shapes.SHAPES[name]()
    mesh = mesh_of(points, faces)
    fewer = mesh_of(points, faces[1:])
    a, b = faces[0, 0], faces[0, 1]
    beyond = next(face for face in faces if b in face and a in face and not np.array_equal(face, faces[0]))
    flipped = faces.copy()  # one edge turned: as many vertices, edges and faces
    third, fourth = faces[0, 2], next(corner for corner in beyond if corner not in (a, b))
    at = next(k for k, face in enumerate(faces) if np.array_equal(face, beyond))
    flipped[0], flipped[at] = (third, a, fourth), (fourth, b, third)
    for other in fewer, mesh_of(points, flipped):
        assert connectivity_of(other.faces) != connectivity_of(mesh.faces)
        assert match(other, mesh) is None


def test_vertices_that_no_face_uses_have_no_place():
    points, faces = shapes.sphere()
    mesh = mesh_of(np.concatenate([points, points[:2]]), faces)
    other = mesh_of(points, faces[::-1])
    found = match(other, mesh)
    assert found.vertex.shape == (len(points) + 2,)
    assert (found.vertex[-2:] == -1).all()
