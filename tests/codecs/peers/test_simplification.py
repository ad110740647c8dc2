"""Fewer faces: how many, how near, and what stays whole."""

from __future__ import annotations

import igl
import numpy as np
import pytest
import trimesh

from meshset.codecs.peers.simplification import simplify, thinned
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh


def ball(subdivisions: int) -> Mesh:
    made = trimesh.creation.icosphere(subdivisions)
    return Mesh(np.array(made.vertices), np.array(made.faces, np.int32))


@pytest.mark.parametrize("reduce", [lambda mesh, faces: simplify(mesh, faces / len(mesh.faces))[0], thinned])
def test_few_faces_are_near_and_a_manifold(reduce):
    mesh = ball(6)
    few = reduce(mesh, 4_000)
    assert 0.9 * 4_000 <= len(few.faces) <= 1.02 * 4_000
    # Flat faces inside a ball: the mean gap of a chord is below that of as many equal faces by twice at most.
    mean, _ = surface_distance(mesh, few, 10_000)
    assert mean < 2 * np.pi / len(few.faces)
    assert igl.is_edge_manifold(few.faces.astype(np.int64))[0]
    assert len(np.unique(few.faces)) - 3 * len(few.faces) // 2 + len(few.faces) == 2


def test_a_manifold_stays_one_where_little_is_left_of_it():
    # Sixteen faces are so few for a ring that the quick way folds it onto itself.
    made = trimesh.creation.torus(1.0, 0.3, 64, 32)
    few = thinned(Mesh(np.array(made.vertices), np.array(made.faces, np.int32)), 16)
    edges = np.sort(few.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert len(few.faces) < 64
