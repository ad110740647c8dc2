"""From which vertices each one is told, coarse to fine: vertices far from all that are told come first.

A vertex that is told late lies amid others that are near: it is expected by what lies around it on all sides, and
the errors of these average out. Distances are along edges of the first inner member, which both sides have.
"""

from __future__ import annotations

import heapq
import math
from bisect import insort
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh.residuals import Point
from meshset.codecs.control_mesh.subdivision import Edges
from meshset.errors import ArchiveError

NEAREST = 6
"""Vertices that one is told from, at most."""

Frame = tuple[Point, Point, Point]

UPRIGHT: Frame = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
"""The frame where there is none."""

_ROUND = 0.02
"""What is added to both diameters of a hood, as a share of their sum, so that thin ones have a frame."""

NARROW = 0.125
"""Vectors that are shorter make no frame: the two that span it, and the sum and difference of their directions."""

_FAR = 1 << 62
"""More than any distance."""

_MOST_PAIRS = 1 << 24
"""Pieces times vertices, at most: each piece is joined to the nearest vertex of those before it."""


class Hood(NamedTuple):
    """Where a vertex is told from.

    Attributes:
        vertex: which.
        near: those told before it that are nearest, in that order.
        weights: of these in their mean.
        along, across: of these in two vectors that span the surface around, of length 1 in the first inner member; none
            where there are fewer than three.
        distance: mean distance to them, on the grid.
    """

    vertex: int
    near: tuple[int, ...]
    weights: tuple[float, ...]
    along: tuple[float, ...]
    across: tuple[float, ...]
    distance: float

    def middle(self, points: Sequence[Point]) -> Point:
        """Return the weighted mean of the vertices near it, the origin if there are none."""
        return _summed(points, self.near, self.weights)

    def frame(self, points: Sequence[Point]) -> Frame:
        """Return unit vectors that turn with the vertices near it: normal, along, across."""
        if not self.along:
            return UPRIGHT
        first = _unit(_summed(points, self.near, self.along), NARROW)
        second = _unit(_summed(points, self.near, self.across), NARROW)
        if first is None or second is None:
            return UPRIGHT
        (ax, ay, az), (bx, by, bz) = first, second
        plus = _unit((ax + bx, ay + by, az + bz), NARROW)
        minus = _unit((ax - bx, ay - by, az - bz), NARROW)
        if plus is None or minus is None:
            return UPRIGHT
        (px, py, pz), (mx, my, mz) = plus, minus
        ex, ey, ez = (px + mx) * _HALF, (py + my) * _HALF, (pz + mz) * _HALF
        tx, ty, tz = (px - mx) * _HALF, (py - my) * _HALF, (pz - mz) * _HALF
        return (ey * tz - ez * ty, ez * tx - ex * tz, ex * ty - ey * tx), (ex, ey, ez), (tx, ty, tz)


_HALF = math.sqrt(0.5)


def _summed(points: Sequence[Point], near: Sequence[int], weights: Sequence[float]) -> Point:
    x, y, z = 0.0, 0.0, 0.0
    for one, weight in zip(near, weights, strict=True):
        a, b, c = points[one]
        x, y, z = x + weight * a, y + weight * b, z + weight * c
    return x, y, z


def _unit(vector: Point, shortest: float = 0.0) -> Point | None:
    x, y, z = vector
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length) if length > shortest else None


def hoods(points: Sequence[Point], faces: NDArray[np.int64]) -> tuple[Hood, ...]:
    """Return how vertices are told, in their order, by a mesh on the grid with faces (F, 3); every vertex is in one.

    Raises:
        ArchiveError: it has too many vertices in too many pieces.
    """
    whole = np.array(points, dtype=np.int64).reshape(-1, 3)
    around = _edges(whole, faces)
    normals = _normals(whole, faces).tolist()
    near: list[list[tuple[int, int]]] = [[] for _ in points]
    told = [False] * len(points)
    queue = [(0, 0)]
    found = []
    while queue:
        away, vertex = heapq.heappop(queue)
        if told[vertex] or (near[vertex] and near[vertex][0][0] != -away):
            continue
        told[vertex] = True
        found.append(_hood(vertex, near[vertex], points, normals[vertex]))
        for reached, distance in _spread(vertex, around, near):
            if not told[reached]:
                heapq.heappush(queue, (-distance, reached))
    return tuple(found)


def _edges(points: NDArray[np.int64], faces: NDArray[np.int64]) -> list[list[tuple[int, int]]]:
    """Return for each vertex those it shares an edge with, and how far they are; pieces are joined by one edge each."""
    around: list[list[tuple[int, int]]] = [[] for _ in points]

    def join(ends: NDArray[np.int64]) -> None:
        across = points[ends[:, 0]] - points[ends[:, 1]]
        lengths = np.maximum(np.sqrt((across * across).sum(axis=1)).astype(np.int64), 1)
        for (a, b), length in zip(ends.tolist(), lengths.tolist(), strict=True):
            around[a].append((b, length))
            around[b].append((a, length))

    join(Edges.of(faces).ends)
    pieces = _pieces(around)
    if len(pieces) * len(points) > _MOST_PAIRS:
        raise ArchiveError("a group of meshes has too many vertices in too many pieces")
    joined = np.zeros(len(points), dtype=bool)
    for number, piece in enumerate(pieces):
        if number:
            known = np.flatnonzero(joined)
            across = points[known] - points[piece[0]]
            join(np.array([[piece[0], known[(across * across).sum(axis=1).argmin()]]]))
        joined[piece] = True
    return around


def _pieces(around: Sequence[Sequence[tuple[int, int]]]) -> list[list[int]]:
    """Return the vertices of each piece, its smallest first; pieces in the order of these."""
    seen = [False] * len(around)
    found = []
    for start in range(len(around)):
        if seen[start]:
            continue
        seen[start], piece = True, [start]
        for vertex in piece:
            for other, _ in around[vertex]:
                if not seen[other]:
                    seen[other] = True
                    piece.append(other)
        found.append(piece)
    return found


def _normals(points: NDArray[np.int64], faces: NDArray[np.int64]) -> NDArray[np.int64]:
    a, b, c = (points[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    found = np.zeros_like(points)
    for k in range(3):
        np.add.at(found, faces[:, k], normal)
    return found


def _spread(
    source: int, around: Sequence[Sequence[tuple[int, int]]], near: Sequence[list[tuple[int, int]]]
) -> list[tuple[int, int]]:
    """Note a vertex with all that it is among the nearest of; return those that it is the nearest of, and how far."""
    found, reached, queue = [], {source: 0}, [(0, source)]
    while queue:
        distance, vertex = heapq.heappop(queue)
        if distance > reached[vertex]:
            continue
        known = near[vertex]
        if vertex != source:
            if len(known) == NEAREST and distance >= known[-1][0]:
                continue
            insort(known, (distance, source))
            del known[NEAREST:]
            if known[0][1] == source:
                found.append((vertex, distance))
        for other, length in around[vertex]:
            further = distance + length
            if further < reached.get(other, _FAR):
                reached[other] = further
                heapq.heappush(queue, (further, other))
    return found


def _hood(vertex: int, near: Sequence[tuple[int, int]], points: Sequence[Point], normal: Sequence[int]) -> Hood:
    others = tuple(one for _, one in near)
    if not near:
        return Hood(vertex, (), (), (), (), 0.0)
    shares = [1.0 / (float(distance) * float(distance)) for distance, _ in near]
    total = 0.0
    for share in shares:  # not `sum`: Python adds floats in another way from 3.12 on
        total = total + share
    weights = tuple(share / total for share in shares)
    along, across = _spanning(points[vertex], [points[one] for one in others], weights, normal)
    return Hood(vertex, others, weights, along, across, sum(distance for distance, _ in near) / len(near))


def _spanning(
    point: Point, near: Sequence[Point], weights: Sequence[float], normal: Sequence[int]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return weights of two sums that, for these points, are unit vectors along the surface: a fit by least squares."""
    nx, ny, nz = map(float, normal)
    dx, dy, dz = (near[0][k] - point[k] for k in range(3))
    sideways = _unit((ny * dz - nz * dy, nz * dx - nx * dz, nx * dy - ny * dx))
    upwards = _unit((nx, ny, nz))
    if len(near) < 3 or sideways is None or upwards is None:
        return (), ()
    (tx, ty, tz), (nx, ny, nz) = sideways, upwards
    ex, ey, ez = ty * nz - tz * ny, tz * nx - tx * nz, tx * ny - ty * nx
    mx, my, mz = _summed(near, range(len(near)), weights)
    flat = []
    for x, y, z in near:
        x, y, z = x - mx, y - my, z - mz
        flat.append((x * ex + y * ey + z * ez, x * tx + y * ty + z * tz))
    first, mixed, second = 0.0, 0.0, 0.0
    for (p, q), weight in zip(flat, weights, strict=True):
        first, mixed, second = first + weight * (p * p), mixed + weight * (p * q), second + weight * (q * q)
    more = _ROUND * (first + second)
    first, second = first + more, second + more
    area = first * second - mixed * mixed
    if area <= 0.0:
        return (), ()
    return (
        tuple(weight * (second * p - mixed * q) / area for (p, q), weight in zip(flat, weights, strict=True)),
        tuple(weight * (first * q - mixed * p) / area for (p, q), weight in zip(flat, weights, strict=True)),
    )
