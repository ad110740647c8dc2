"""Which faces share which edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of a mesh, without regard to direction, and the three sides of every face on them.

    Attributes:
        of_side: (3F,) int64 edge of each side; sides 3 i to 3 i + 2 belong to face i.
        direction: (3F,) int64, 1 where a side runs from the lower vertex index to the higher, else -1.
        faces: (E,) int64 sides on each edge.
        runs: (E,) int64 sum of their directions; 0 where they cancel.
    """

    of_side: NDArray[np.int64]
    direction: NDArray[np.int64]
    faces: NDArray[np.int64]
    runs: NDArray[np.int64]

    @classmethod
    def of(cls, faces: NDArray[np.integer]) -> Edges:
        """Return the edges of `faces` (F, 3); a side that joins a vertex to itself counts as an edge."""
        sides = np.asarray(faces, dtype=np.int64)[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        direction = np.where(sides[:, 0] < sides[:, 1], 1, -1)
        keys = sides.min(axis=1) * (int(sides.max(initial=0)) + 1) + sides.max(axis=1)
        _, edge, counts = np.unique(keys, return_inverse=True, return_counts=True)
        runs = np.bincount(edge, weights=direction, minlength=len(counts)).astype(np.int64)
        return cls(edge.astype(np.int64), direction, counts.astype(np.int64), runs)
