"""Builders of closed meshes from grids of points: solids of revolution, tubes, star-shaped balls."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from meshset.geometry.mesh import Mesh

Array: TypeAlias = NDArray[np.float64]


def closed_grid(rows: Array) -> Mesh:
    """Join rings of points into a closed surface with a pole at either end.

    Args:
        rows: (R, S, 3), R rings of S points; all points of the first and of the last ring coincide. Seen
            from outside, the next ring lies to the left of a walk along a ring.
    """
    ring_count, size = rows.shape[:2]
    inner = rows[1:-1].reshape(-1, 3)
    vertices = np.concatenate([rows[:1, 0], inner, rows[-1:, 0]])
    first, last = 0, len(vertices) - 1
    ring = 1 + np.arange((ring_count - 2) * size).reshape(-1, size)
    after = np.roll(ring, -1, axis=1)
    faces = np.concatenate(
        [
            np.stack([np.full(size, first), after[0], ring[0]], axis=1),
            _quads(ring[:-1], after[:-1], after[1:], ring[1:]),
            np.stack([np.full(size, last), ring[-1], after[-1]], axis=1),
        ]
    )
    return Mesh(vertices, faces.astype(np.int32))


def torus_grid(rows: Array) -> Mesh:
    """Join rings of points into a closed surface without poles: the last ring meets the first.

    Args:
        rows: (R, S, 3), as for `closed_grid`, but every ring has an extent.
    """
    ring = np.arange(rows.shape[0] * rows.shape[1]).reshape(rows.shape[:2])
    following, after = np.roll(ring, -1, axis=0), np.roll(ring, -1, axis=1)
    faces = _quads(ring, after, np.roll(following, -1, axis=1), following)
    return Mesh(rows.reshape(-1, 3), faces.astype(np.int32))


def lathe(profile: ArrayLike, size: int, swell: ArrayLike = 1.0) -> Mesh:
    """Turn a profile about the z axis.

    Args:
        profile: (R, 2) of radius and height, from a point on the axis to another, counter-clockwise about the
            material where radius points right and height up.
        size: points around.
        swell: factor on the radius, anything that broadcasts with (R, size).
    """
    return closed_grid(_turned_rows(profile, size, swell))


def ring_lathe(profile: ArrayLike, size: int, swell: ArrayLike = 1.0) -> Mesh:
    """Turn a closed profile that does not touch the axis; the arguments are those of `lathe`."""
    return torus_grid(_turned_rows(profile, size, swell))


def _turned_rows(profile: ArrayLike, size: int, swell: ArrayLike) -> Array:
    outline = np.asarray(profile, dtype=np.float64)
    radius = outline[:, :1] * np.broadcast_to(swell, (len(outline), size))
    angle = angles(size)
    height = np.broadcast_to(outline[:, 1:], radius.shape)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=-1)


def tube(spine: Array, radius: ArrayLike, size: int) -> Mesh:
    """Sweep a circle along an open curve, with a round cap at either end.

    Args:
        spine: (N, 3), points in order.
        radius: of the circle, a number or (N,).
        size: points around.
    """
    radii = np.broadcast_to(np.asarray(radius, dtype=np.float64), (len(spine),))
    tangent = _tangents(spine, closed=False)
    turn = np.linspace(0, np.pi / 2, 7)[:-1]
    start = spine[0] - np.cos(turn)[:, None] * tangent[0] * radii[0]
    end = spine[-1] + np.cos(turn[::-1])[:, None] * tangent[-1] * radii[-1]
    line = np.concatenate([start, spine[1:-1], end])
    widths = np.concatenate([np.sin(turn) * radii[0], radii[1:-1], np.sin(turn[::-1]) * radii[-1]])
    along = np.concatenate([np.repeat(tangent[:1], len(turn), 0), tangent[1:-1], np.repeat(tangent[-1:], len(turn), 0)])
    across, up = _frames(along)
    return closed_grid(_circles(line, across, up, widths, angles(size)))


def closed_tube(spine: Array, radius: ArrayLike, size: int) -> Mesh:
    """Sweep a circle along a closed curve; the last of the points `spine` (N, 3) is followed by the first.

    Args:
        spine: (N, 3), points in order.
        radius: of the circle, a number or (N,).
        size: points around.
    """
    tangent = _tangents(spine, closed=True)
    across, up = _frames(np.concatenate([tangent, tangent[:1]]))
    # The frame carried once around comes back turned by some angle, which is spread over the whole length.
    twist = np.arctan2(across[-1] @ up[0], across[-1] @ across[0])
    shift = -twist * np.arange(len(spine))[:, None] / len(spine)
    radii = np.broadcast_to(np.asarray(radius, dtype=np.float64), (len(spine),))
    return torus_grid(_circles(spine, across[:-1], up[:-1], radii, shift + angles(size)))


def hollow_tube(spine: Array, outer: Array, inner: Array, size: int) -> Mesh:
    """Sweep a ring along an open curve: a pipe.

    Args:
        spine: (N, 3), points in order.
        outer: radius of the outside, (N,).
        inner: radius of the bore, (N,), smaller.
        size: points around.
    """
    across, up = _frames(_tangents(spine, closed=False))
    outside = _circles(spine, across, up, outer, angles(size))
    inside = _circles(spine, across, up, inner, angles(size))
    return torus_grid(np.concatenate([outside, inside[::-1]]))


def ball(radius: Array, directions: Mesh) -> Mesh:
    """Push the vertices of a unit sphere `directions` out to `radius` (V,): a star-shaped body."""
    return Mesh(directions.vertices * radius[:, None], directions.faces)


def sphere(level: int) -> Mesh:
    """Return a unit icosphere: 20 * 4^level faces of similar size, vertices (V, 3) float64."""
    golden = (1 + 5**0.5) / 2
    corners = np.array([(0, one, other) for one in (-1, 1) for other in (-golden, golden)])
    vertices = np.concatenate([corners, np.roll(corners, 1, axis=1), np.roll(corners, 2, axis=1)])
    apart = np.linalg.norm(vertices[:, None] - vertices, axis=-1)
    joined = np.isclose(apart, 2)
    triples = np.array(
        [
            (i, j, k)
            for i in range(12)
            for j in range(i + 1, 12)
            for k in range(j + 1, 12)
            if joined[i, j] and joined[j, k] and joined[i, k]
        ]
    )
    inward = np.linalg.det(vertices[triples]) < 0
    triples[inward] = triples[inward][:, ::-1]
    faces = triples
    for _ in range(level):
        vertices, faces = _split(vertices, faces)
    return Mesh(vertices / np.linalg.norm(vertices, axis=1, keepdims=True), faces.astype(np.int32))


def smooth_curve(points: ArrayLike, count: int) -> Array:
    """Return `count` points on a Catmull-Rom spline through `points` (N, D), ends included, (count, D)."""
    knots = np.asarray(points, dtype=np.float64)
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    position = np.linspace(0, len(knots) - 1, count)
    piece = np.minimum(position.astype(int), len(knots) - 2)
    t = (position - piece)[:, None]
    before, start, end, after = (padded[piece + i] for i in range(4))
    return np.asarray(
        start
        + t / 2 * (end - before)
        + t**2 / 2 * (2 * before - 5 * start + 4 * end - after)
        + t**3 / 2 * (3 * start - before - 3 * end + after)
    )


def polyline(points: ArrayLike, step: float) -> Array:
    """Return the corners of a polyline (N, D), with points between them no further than `step` apart."""
    corners = np.asarray(points, dtype=np.float64)
    pieces: list[Array] = []
    for start, end in pairwise(corners):
        parts = max(1, int(np.ceil(np.linalg.norm(end - start) / step)))
        pieces.append(start + (end - start) * (np.arange(parts)[:, None] / parts))
    return np.concatenate([*pieces, corners[-1:]])


def angles(count: int) -> Array:
    """Return `count` angles that divide the circle, from 0, in radians."""
    return np.arange(count, dtype=np.float64) * (2 * np.pi / count)


def joined(parts: list[Mesh]) -> Mesh:
    """Return the meshes `parts` side by side in one mesh, none of their vertices merged."""
    offsets = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    faces = [part.faces + offset for part, offset in zip(parts, offsets, strict=True)]
    return Mesh(np.concatenate([part.vertices for part in parts]), np.concatenate(faces).astype(np.int32))


def _quads(a: NDArray[Any], b: NDArray[Any], c: NDArray[Any], d: NDArray[Any]) -> NDArray[np.int64]:
    """Split the quads a-b-c-d, any shape, counter-clockwise, into two triangles each, (2 n, 3)."""
    first = np.stack([a, b, c], axis=-1).reshape(-1, 3)
    second = np.stack([a, c, d], axis=-1).reshape(-1, 3)
    return np.concatenate([first, second])


def _circles(centres: Array, across: Array, up: Array, radius: Array, turn: Array) -> Array:
    """Return rings (N, S, 3) around `centres` (N, 3) at the angles `turn`, (S,) or (N, S)."""
    cosine, sine = np.cos(turn)[..., None], np.sin(turn)[..., None]
    offset = across[:, None] * cosine + up[:, None] * sine
    return np.asarray(centres[:, None] + radius[:, None, None] * offset)


def _tangents(spine: Array, closed: bool) -> Array:
    around = np.roll(spine, -1, axis=0) - np.roll(spine, 1, axis=0)
    steps = around if closed else np.gradient(spine, axis=0)
    return np.asarray(steps / np.linalg.norm(steps, axis=1, keepdims=True))


def _frames(tangent: Array) -> tuple[Array, Array]:
    """Return two unit vectors across each tangent (N, 3), without twist; across x up = tangent."""
    axis = np.eye(3)[np.abs(tangent[0]).argmin()]
    across = np.empty_like(tangent)
    carried = axis
    for index, direction in enumerate(tangent):
        carried = carried - (carried @ direction) * direction
        carried = carried / np.linalg.norm(carried)
        across[index] = carried
    return across, np.cross(tangent, across)


def _split(vertices: Array, faces: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """Split every triangle into four at the middles of its sides."""
    sides = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    unique, index = np.unique(sides, axis=0, return_inverse=True)
    middle = len(vertices) + index.reshape(-1, 3)
    a, b, c = faces.T
    ab, bc, ca = middle.T
    quarters = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    split = np.concatenate([np.stack(quarter, axis=1) for quarter in quarters])
    middles = vertices[unique].mean(axis=1)
    # On the sphere at once, so that the next middles divide arcs, not chords.
    radius = np.linalg.norm(vertices[0])
    middles *= radius / np.linalg.norm(middles, axis=1, keepdims=True)
    return np.concatenate([vertices, middles]), split
