"""The 256 cases of marching cubes, derived from the cube itself rather than typed in.

A cell has corners 0..7, corner c at (c & 1, c >> 1 & 1, c >> 2 & 1), and twelve edges, each named by its lower corner
and its axis. On every face of the cell the crossed edges are joined by directed segments; the segments of the six faces
close into loops, and each loop is cut into triangles. Two choices make the surface a closed manifold:

- a face with four crossings is always resolved so that its two inside corners are joined, which both cells that
  share the face decide alike, and which keeps thin walls whole;
- no triangle has a diagonal inside a face, since the neighbour could have the same diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

CORNERS = np.array([[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)], dtype=np.int64)
"""Offsets of the corners of a cell, (8, 3)."""

EDGES = tuple((c, axis) for axis in range(3) for c in range(8) if not c >> axis & 1)
"""The edges of a cell as (lower corner, axis)."""

_EDGE_BY_CORNERS = {frozenset((c, c | 1 << axis)): e for e, (c, axis) in enumerate(EDGES)}


def _face_cycles() -> list[tuple[int, int, int, int]]:
    """Corners of each face, counter-clockwise seen from outside the cell."""
    cycles = []
    for axis in range(3):
        u, v = 1 << (axis + 1) % 3, 1 << (axis + 2) % 3
        low = (0, v, u | v, u)
        high = tuple(c | 1 << axis for c in reversed(low))
        cycles += [low, high]
    return cycles  # type: ignore[return-value]


_FACES = _face_cycles()
_FACE_EDGES = [frozenset(_EDGE_BY_CORNERS[frozenset((f[i], f[i - 1]))] for i in range(4)) for f in _FACES]


def _segments(inside: Sequence[bool]) -> dict[int, int]:
    """Map each crossed edge to the next one along the surface, over all six faces."""
    following: dict[int, int] = {}
    for face in _FACES:
        signs = [inside[c] for c in face]
        edges = [_EDGE_BY_CORNERS[frozenset((face[i], face[(i + 1) % 4]))] for i in range(4)]
        entries = [i for i in range(4) if not signs[i] and signs[(i + 1) % 4]]
        for i in entries:
            back = next(j % 4 for j in range(i - 1, i - 4, -1) if signs[j % 4] and not signs[(j + 1) % 4])
            following[edges[i]] = edges[back]
    return following


def _loops(following: dict[int, int]) -> list[list[int]]:
    loops, left = [], dict(following)
    while left:
        loop = [next(iter(left))]
        while (step := left.pop(loop[-1])) != loop[0]:
            loop.append(step)
        loops.append(loop)
    return loops


def _share_face(a: int, b: int) -> bool:
    return any(a in face and b in face for face in _FACE_EDGES)


def _triangulate(loop: list[int]) -> list[tuple[int, int, int]] | None:
    """Cut a loop into triangles without a diagonal in a face of the cell, or return None where there is no such cut."""
    if len(loop) == 3:
        return [(loop[0], loop[1], loop[2])]
    for i in range(len(loop)):
        before, tip, after = loop[i - 1], loop[i], loop[(i + 1) % len(loop)]
        if not _share_face(before, after):
            rest = _triangulate(loop[:i] + loop[i + 1 :])
            if rest is not None:
                return [(before, tip, after), *rest]
    return None


@cache
def triangle_table() -> NDArray[np.int64]:
    """Return the triangles of all cases as edges of the cell, (256, T, 3), padded with -1.

    Bit c of a case is set where corner c lies inside.
    """
    cases = []
    for case in range(256):
        loops = _loops(_segments([bool(case >> c & 1) for c in range(8)]))
        cases.append([triangle for loop in loops for triangle in (_triangulate(loop) or [])])
    table = np.full((256, max(map(len, cases)), 3), -1, dtype=np.int64)
    for case, triangles in enumerate(cases):
        table[case, : len(triangles)] = np.reshape(triangles, (-1, 3))
    return table
