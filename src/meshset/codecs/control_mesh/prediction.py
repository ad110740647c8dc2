"""In which order vertices are placed, and where each is expected from those before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

Point = tuple[float, float, float]

_DEGREES = 4
"""Vertices of so many parallelograms or more are alike."""


class Step(NamedTuple):
    """One vertex to place.

    Attributes:
        vertex: which.
        near: a vertex of the same face that is placed, where there is no parallelogram; -1 for none.
        parallelograms: triples x, y, z of placed vertices: x y z and y x `vertex` are faces, so that x + y - z is
            where the vertex would be in a flat and regular surface.
    """

    vertex: int
    near: int
    parallelograms: Sequence[tuple[int, int, int]]


def traversal(corners: Sequence[int], twin: Sequence[int], hole: Sequence[bool]) -> Iterator[Step]:
    """Yield the vertices of a surface in the order in which they are placed.

    The next vertex is one of those with the most parallelograms (prediction degree; Cohen-Or, Cohen and Irony 2002),
    the one of them that has had so many for longest.

    Args:
        corners, twin, hole: as in `connectivity.Region`.
    """
    vertex_of, across = np.array(corners, dtype=np.int64), np.array(twin, dtype=np.int64)
    beyond = vertex_of[across - across % 3 + (across + 2) % 3].tolist()  # of each half-edge, the third vertex there
    faces = vertex_of.reshape(-1, 3)
    real = np.flatnonzero(~np.array(hole, dtype=bool)[faces].any(axis=1)).tolist()
    around: list[list[int]] = [[] for _ in hole]  # of each vertex, its faces that fill no hole, by their first corner
    for face in real:
        for vertex in corners[3 * face : 3 * face + 3]:
            around[vertex].append(3 * face)
    placed = list(hole)
    found: list[list[tuple[int, int, int]]] = [[] for _ in hole]
    queues: list[deque[int]] = [deque() for _ in range(_DEGREES)]

    def expect(vertex: int, a: int, b: int, c: int) -> None:
        triples = found[vertex]
        triples.append((a, b, c))
        queues[min(len(triples), _DEGREES) - 1].append(vertex)

    def place(vertex: int) -> None:
        placed[vertex] = True
        for first in around[vertex]:
            a, b, c = corners[first], corners[first + 1], corners[first + 2]
            if placed[a] and placed[b] and placed[c]:
                if not placed[beyond[first]]:
                    expect(beyond[first], a, b, c)
                if not placed[beyond[first + 1]]:
                    expect(beyond[first + 1], b, c, a)
                if not placed[beyond[first + 2]]:
                    expect(beyond[first + 2], c, a, b)

    def waiting() -> int:
        for queue in reversed(queues):
            while queue:
                vertex = queue.popleft()
                if not placed[vertex]:
                    return vertex
        return -1

    for face in real:
        a, b, c = corners[3 * face : 3 * face + 3]
        for vertex, others in ((a, (c, b)), (b, (a, c)), (c, (b, a))):
            if not placed[vertex]:
                yield Step(vertex, next((one for one in others if placed[one]), -1), ())
                place(vertex)
        while (vertex := waiting()) >= 0:
            yield Step(vertex, -1, found[vertex])
            place(vertex)
