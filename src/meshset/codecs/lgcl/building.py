"""Choosing the key points of a set of registered meshes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from meshset.codecs.lgcl.scaffold import Connectivity, Scaffold
from meshset.errors import MeshFileError
from meshset.geometry.mesh import Mesh

_POSES = 16
"""Meshes that are looked at to say how far apart two vertices are."""


def build_scaffold(meshes: Sequence[Mesh], key_points: int | None) -> Scaffold:
    """Return the scaffold of the meshes that share the most frequent connectivity.

    Key points are as far from each other as possible over all poses: each next one is the vertex furthest from those
    before it, by the root mean square of the distances in up to `_POSES` meshes. A vertex belongs to the nearest key
    point, and key points are neighbours where an edge of the mesh joins their vertices.

    Args:
        meshes: in the cube [-1, 1]^3.
        key_points: how many; None for all vertices that faces use, which are neighbours along the edges (LGCL).

    Raises:
        MeshFileError: no two meshes share one connectivity, or the graph is too large.
    """
    connectivity, places = _common(meshes)
    mesh = meshes[places[0]]
    used = np.unique(mesh.faces)
    chosen_poses = [places[i] for i in np.unique(np.linspace(0, len(places) - 1, _POSES).astype(int))]
    poses = np.concatenate([meshes[i].vertices[used] for i in chosen_poses], axis=1).astype(np.float32)
    poses /= np.float32(len(chosen_poses) ** 0.5)
    if key_points is None or key_points >= len(used):
        chosen = nearest = np.arange(len(used))
    else:
        chosen, nearest = _spread(poses, key_points)
    renumbered = np.zeros(len(mesh.vertices), dtype=np.int64)
    renumbered[used] = nearest
    edges = _edges(renumbered[mesh.faces])
    order = _breadth_first(edges, len(chosen))
    place = np.argsort(order)
    edges = np.unique(np.sort(place[edges], axis=1), axis=0)
    chosen = chosen[order]
    length = np.linalg.norm(poses[chosen[edges[:, 0]]] - poses[chosen[edges[:, 1]]], axis=1)
    unit = np.float32(max(length.mean() if len(length) else 1.0, 1e-3))
    try:
        return Scaffold(connectivity, used[chosen].astype(np.int32), edges.astype(np.int32), unit)
    except ValueError as error:
        raise MeshFileError(f"no scaffold for this set: {error}") from None


def _common(meshes: Sequence[Mesh]) -> tuple[Connectivity, list[int]]:
    """Return the most frequent connectivity and the meshes that have it."""
    found = [Connectivity.of(meshes[i]) for i in range(len(meshes))]
    ((connectivity, count),) = Counter(found).most_common(1)
    if count < min(2, len(found)):
        raise MeshFileError("codec lgcl needs registered meshes, but no two meshes of this set share one connectivity")
    return connectivity, [i for i, one in enumerate(found) if one == connectivity]


def _spread(places: NDArray[np.float32], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows (count,) of `places` that are far from each other, and for each row the nearest of them."""
    chosen = np.zeros(count, dtype=np.int64)
    nearest = np.zeros(len(places), dtype=np.int64)
    squared = np.full(len(places), np.inf)
    for number in range(count):
        chosen[number] = int(squared.argmax()) if number else 0
        now = np.square(places - places[chosen[number]]).sum(axis=1)
        closer = now < squared
        nearest[closer], squared[closer] = number, now[closer]
    return chosen, nearest


def _edges(corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs (E, 2) of different numbers that the sides of triangles (F, 3) join."""
    pairs = np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]]), axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def _breadth_first(edges: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return all numbers below `count`, those of each connected part in the order of a breadth-first walk."""
    graph = coo_array((np.ones(len(edges), dtype=bool), (edges[:, 0], edges[:, 1])), shape=(count, count)).tocsr()
    _, part = connected_components(graph, directed=False)
    firsts = np.unique(part, return_index=True)[1]
    walks = [breadth_first_order(graph, first, directed=False, return_predecessors=False) for first in firsts]
    return np.concatenate(walks).astype(np.int64)
