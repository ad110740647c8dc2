"""In which order vertices are placed, and where each is expected from those before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Step:
    """One vertex to place.

    Attributes:
        vertex: which.
        near: a vertex of the same face that is placed, where there is no parallelogram; -1 for none.
        parallelograms: triples x, y, z of placed vertices: x y z and y x `vertex` are faces, so that x + y - z is
            where the vertex would be in a flat and regular surface.
    """

    vertex: int
    near: int
    parallelograms: tuple[tuple[int, int, int], ...]


def traversal(corners: Sequence[int], twin: Sequence[int], hole: Sequence[bool]) -> Iterator[Step]:
    """Yield the vertices of a surface in the order in which they are placed.

    The next vertex is one of those with the most parallelograms (prediction degree; Cohen-Or, Cohen and Irony 2002),
    the one of them that has had so many for longest.

    Args:
        corners, twin, hole: as in `connectivity.Region`.
    """
    around = _corners_around(corners, len(hole))
    placed = [False] * len(hole)
    found: list[list[tuple[int, int, int]]] = [[] for _ in hole]
    queues: list[list[int]] = [[], [], [], []]
    heads = [0] * len(queues)

    def place(vertex: int) -> None:
        placed[vertex] = True
        for corner in around[vertex]:
            first = corner - corner % 3
            face = corners[first], corners[first + 1], corners[first + 2]
            if not (placed[face[0]] and placed[face[1]] and placed[face[2]]):
                continue
            for k in range(3):
                across = twin[first + k]
                other = corners[across - across % 3 + (across + 2) % 3]
                if not (placed[other] or hole[other]):
                    found[other].append((face[k], face[(k + 1) % 3], face[(k + 2) % 3]))
                    queues[min(len(found[other]), 4) - 1].append(other)

    def waiting() -> int:
        for level in range(len(queues) - 1, -1, -1):
            queue = queues[level]
            while heads[level] < len(queue):
                vertex = queue[heads[level]]
                heads[level] += 1
                if not placed[vertex]:
                    return vertex
        return -1

    for first in range(0, len(corners), 3):
        face = corners[first : first + 3]
        if any(hole[vertex] for vertex in face):
            continue
        for k, vertex in enumerate(face):
            if not placed[vertex]:
                near = next((face[j] for j in ((k + 2) % 3, (k + 1) % 3) if placed[face[j]]), -1)
                yield Step(vertex, near, ())
                place(vertex)
        while (vertex := waiting()) >= 0:
            yield Step(vertex, -1, tuple(found[vertex]))
            place(vertex)


def _corners_around(corners: Sequence[int], vertices: int) -> list[list[int]]:
    around: list[list[int]] = [[] for _ in range(vertices)]
    for corner, vertex in enumerate(corners):
        around[vertex].append(corner)
    return around
