"""Loop subdivision (Loop 1987) with creases, corners and borders (Hoppe et al. 1994).

In whole numbers, so that every reader gets the same surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MOST_LEVELS = 3


@dataclass(frozen=True)
class Edges:
    """The edges of a triangle mesh.

    Attributes:
        ends: (E, 2) int64, the lower vertex first, sorted.
        of_side: (F, 3), the edge from corner k to corner k + 1 of each face.
        shared: (E,) whether just two faces meet there.
    """

    ends: NDArray[np.int64]
    of_side: NDArray[np.int64]
    shared: NDArray[np.bool_]

    @classmethod
    def of(cls, faces: NDArray[np.int64]) -> Edges:
        """Find the edges of faces (F, 3)."""
        start, end = faces, np.roll(faces, -1, axis=1)
        base = int(faces.max()) + 1
        keys = np.minimum(start, end) * base + np.maximum(start, end)
        found, side, count = np.unique(keys.ravel(), return_inverse=True, return_counts=True)
        return cls(np.stack(np.divmod(found, base), axis=1), side.reshape(-1, 3), count == 2)


@dataclass(frozen=True)
class Refinement:
    """One level of subdivision.

    New vertex `row[i]` has the share `weight[i] / denominator[row[i]]` of old vertex `column[i]`.

    Attributes:
        row, column, weight: (N,) int64.
        denominator: (V + E,) int64; new vertices are the old ones, then one for each edge.
        faces: (4 F, 3) of the finer mesh.
        edges, creases: of the coarser mesh; its borders are creases, too.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    weight: NDArray[np.int64]
    denominator: NDArray[np.int64]
    faces: NDArray[np.int64]
    edges: Edges
    creases: NDArray[np.bool_]

    @classmethod
    def of(cls, faces: NDArray[np.int64], vertices: int, sharp: NDArray[np.bool_]) -> Refinement:
        """Refine faces (F, 3) of so many vertices; `sharp` (E,) are its creases, those of borders included or not."""
        edges = Edges.of(faces)
        sharp = sharp | ~edges.shared
        finer = _finer(faces, edges.of_side + vertices)
        even, odd = _even(edges, vertices, sharp), _odd(faces, edges, vertices, sharp)
        row, column, weight = (np.concatenate(parts) for parts in zip(even[:3], odd[:3], strict=True))
        denominator = np.concatenate([even[3], odd[3]])
        return cls(row, column, weight, denominator, finer, edges, sharp)

    @cached_property
    def sharp(self) -> NDArray[np.bool_]:
        """Return which edges of the finer mesh are creases, in the order of its `Edges`: the halves of creases."""
        ends = Edges.of(self.faces).ends
        # The half of an edge has an old vertex below and the vertex of that edge above.
        vertices = len(self.denominator) - len(self.edges.ends)
        edge = ends[:, 1] - vertices
        old = (ends[:, 0] < vertices) & (edge >= 0)
        return old & self.creases[np.where(old, edge, 0)]

    def apply(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the points (V + E, 3) of the finer mesh, each rounded to whole numbers, halves up."""
        refined = np.empty((len(self.denominator), 3), dtype=np.int64)
        for k in range(3):
            # Sums of whole numbers far below 2^53 are exact in float64, in whatever order.
            products = (self.weight * points[self.column, k]).astype(np.float64)
            total = np.bincount(self.row, products, len(self.denominator)).astype(np.int64)
            refined[:, k] = (2 * total + self.denominator) // (2 * self.denominator)
        return refined


def refine(
    points: NDArray[np.int64], faces: NDArray[np.int64], sharp: NDArray[np.bool_], levels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return points and faces after so many levels of subdivision."""
    for further in range(levels - 1, -1, -1):
        level = Refinement.of(faces, len(points), sharp)
        points, faces, sharp = level.apply(points), level.faces, level.sharp if further else sharp
    return points, faces


Shares = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _even(edges: Edges, vertices: int, sharp: NDArray[np.bool_]) -> Shares:
    """Return row, column and weight of what old vertices become, and their denominators."""
    valence = np.bincount(edges.ends.ravel(), minlength=vertices)
    creases = np.bincount(edges.ends[sharp].ravel(), minlength=vertices)
    smooth, crease = (creases < 2) & (valence > 0), creases == 2
    own = np.select([smooth & (valence == 3), smooth, crease], [7, 5 * valence, 6], 1)
    denominator = np.select([smooth & (valence == 3), smooth, crease], [16, 8 * valence, 8], 1)
    both = np.concatenate([edges.ends, edges.ends[:, ::-1]])
    sharp = np.concatenate([sharp, sharp])
    used = smooth[both[:, 0]] | (crease[both[:, 0]] & sharp)
    at, neighbour = both[used].T
    row = np.concatenate([np.arange(vertices), at])
    column = np.concatenate([np.arange(vertices), neighbour])
    return row, column, np.concatenate([own, np.where(smooth[at], 3, 1)]), denominator


def _odd(faces: NDArray[np.int64], edges: Edges, vertices: int, sharp: NDArray[np.bool_]) -> Shares:
    """Return the same of the vertices that edges get."""
    count = len(edges.ends)
    new = np.arange(count)
    opposite, side = np.roll(faces, 1, axis=1).ravel(), edges.of_side.ravel()
    kept = ~sharp[side]
    row = np.concatenate([new, new, side[kept]]) + vertices
    column = np.concatenate([edges.ends[:, 0], edges.ends[:, 1], opposite[kept]])
    own = np.where(sharp, 1, 3)
    weight = np.concatenate([own, own, np.ones(int(kept.sum()), dtype=np.int64)])
    return row, column, weight, np.where(sharp, 2, 8)


def _finer(faces: NDArray[np.int64], middle: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return four faces for each: its corners in order, then the middle one; (4 F, 3)."""
    corners = [np.stack([faces[:, k], middle[:, k], middle[:, (k + 2) % 3]], axis=1) for k in range(3)]
    return np.concatenate([*corners, middle])
