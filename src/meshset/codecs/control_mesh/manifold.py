"""Any triangle mesh as one or more closed oriented manifolds: what the connectivity coder walks over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Manifold:
    """Triangles whose edges have two sides each, holes filled by a fan around a vertex that does not exist.

    Half-edge 3 f + k runs from corner k to corner k + 1 of face f, modulo 3.

    Attributes:
        faces: (F, 3) int64; those of fans come last.
        twin: (3 F,) int64, the half-edge on the other side of each.
        source: (V,) int64, the vertex of the mesh that each vertex stands for; -1 for the middle of a hole. A vertex
            of the mesh stands here several times where the surface is not a manifold.
        real: how many faces are those of the mesh.
    """

    faces: NDArray[np.int64]
    twin: NDArray[np.int64]
    source: NDArray[np.int64]
    real: int

    @classmethod
    def of(cls, faces: NDArray[np.integer]) -> Manifold:
        """Cut faces (F, 3) apart where more than two meet or two disagree on their side, and fill what is open.

        A face must have three different corners.
        """
        whole = np.asarray(faces, dtype=np.int64)
        twin = _twins(whole)
        corner_vertex, source = _split_vertices(whole, twin)
        split = corner_vertex.reshape(-1, 3)
        closed, twin, holes = _fill_holes(split, twin, len(source))
        source = np.concatenate([source, np.full(holes, -1)])
        return cls(closed, twin, source, len(whole))


def _twins(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the half-edge opposite to each, -1 where there is none or no single one."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    count = int(faces.max()) + 1
    forward, backward = start * count + end, end * count + start
    order = np.argsort(forward, kind="stable")
    keys = forward[order]
    first = np.searchsorted(keys, backward)
    last = np.searchsorted(keys, backward, side="right")
    own = np.searchsorted(keys, forward, side="right") - np.searchsorted(keys, forward)
    return np.where((last - first == 1) & (own == 1), order[np.minimum(first, len(order) - 1)], -1)


def following(half_edge: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the next half-edge of the same face."""
    return half_edge - half_edge % 3 + (half_edge + 1) % 3


def _split_vertices(faces: NDArray[np.int64], twin: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give each fan of faces around a vertex a vertex of its own.

    Returns:
        The new vertex of each corner (3 F,), and the vertex of the mesh behind each new one.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    paired = np.flatnonzero(twin >= 0)
    across = following(twin[paired])  # starts where the half-edge does, in the next face around that vertex
    size = faces.size
    graph = coo_array((np.ones(len(paired), dtype=bool), (paired, across)), shape=(size, size))
    _, fan = connected_components(graph, directed=False)
    _, first, renumbered = np.unique(fan, return_index=True, return_inverse=True)
    return renumbered.reshape(-1), faces.ravel()[first]


def _fill_holes(
    faces: NDArray[np.int64], twin: NDArray[np.int64], vertices: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Close every border by a fan of faces around a new vertex; return all faces, all twins and the number of holes."""
    border = np.flatnonzero(twin < 0)
    if not len(border):
        return faces, twin, 0
    corners = faces.ravel()
    start, end = corners[border], corners[following(border)]
    leaving = np.empty(vertices, dtype=np.int64)  # every vertex of a border has one half-edge of it on each side
    leaving[start] = np.arange(len(border))
    after = leaving[end]
    hole = np.full(len(border), -1)
    holes = 0
    for first in range(len(border)):
        if hole[first] >= 0:
            continue
        place = first
        while hole[place] < 0:
            hole[place] = holes
            place = after[place]
        holes += 1
    fan = np.stack([end, start, vertices + hole], axis=1)
    base = faces.size
    across = base + 3 * np.arange(len(border))
    twin = np.concatenate([twin, np.empty(3 * len(border), dtype=np.int64)])
    twin[border], twin[across] = across, border
    # The side from a start to the middle meets the side from the middle to the end of the face before it.
    twin[across + 1] = across[np.argsort(after)] + 2
    twin[across[np.argsort(after)] + 2] = across + 1
    return np.concatenate([faces, fan]), twin, holes
