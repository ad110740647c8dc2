"""Solids between two stepped surfaces over a plane: plates with holes, bosses, pockets and teeth.

A flat triangulation gets a lower and an upper height per triangle; where the heights of neighbours differ,
walls close the solid. A triangle whose lower height is not below its upper one is a hole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from meshset.geometry.mesh import Mesh
from meshset.geometry.samples._build import Array, angles


@dataclass(frozen=True, eq=False)
class Plan:
    """A triangulated part of the plane with a height range per triangle.

    Attributes:
        points: (P, 2).
        triangles: (T, 3), counter-clockwise.
        lower, upper: (T,), heights.
    """

    points: Array
    triangles: NDArray[np.int64]
    lower: Array
    upper: Array


def raised(plan: Plan, step: float) -> Mesh:
    """Return the closed solid over `plan`, its walls divided so that no part of them is higher than `step`.

    Around each point of the plan at most two different height ranges may meet, holes and the outside
    included, or the walls would not fit together.
    """
    solid = plan.lower < plan.upper
    triangles, lower, upper = plan.triangles[solid], plan.lower[solid], plan.upper[solid]
    top = _flat(triangles, upper)
    bottom = _flat(triangles[:, ::-1], lower)
    start, end, floor, ceiling = _walls(triangles, lower, upper)
    sides = [_wall(*wall, step) for wall in zip(start, end, floor, ceiling, strict=True)]
    corners = np.concatenate([top, bottom, *sides]).reshape(-1, 2)
    # Walls that meet at a point divide the same two heights in the same way, so their heights are equal to
    # the last bit and need no tolerance.
    unique, index = np.unique(corners, axis=0, return_inverse=True)
    vertices = np.column_stack([plan.points[unique[:, 0].astype(np.int64)], unique[:, 1]])
    return Mesh(vertices, index.reshape(-1, 3).astype(np.int32))


def tiles(columns: Array, rows: Array, hole_radii: Array, segments: int) -> tuple[Plan, NDArray[np.int64]]:
    """Divide a rectangle into tiles, each with concentric circles in the middle.

    Args:
        columns: (C + 1,), x where tiles begin and end.
        rows: (R + 1,), y likewise.
        hole_radii: (C, R, K), radii of the circles, falling along the last axis; the first fits into its
            tile.
        segments: parts of each side of a tile.

    Returns:
        A flat plan (heights 0), and for each of its triangles (T, 3) the column, the row, and the zone: 0
        outside the circles, k inside circle k.
    """
    outline = _square(segments)
    points, triangles, places = [], [], []
    offset = 0
    for column, row in np.ndindex(hole_radii.shape[:2]):
        centre = np.array([columns[column : column + 2].mean(), rows[row : row + 2].mean()])
        half = np.array([np.diff(columns)[column], np.diff(rows)[row]]) / 2
        rings, zones = _tile_rings(outline * half, hole_radii[column, row])
        faces, ring_of = _disc(len(rings), len(outline))
        points.append(np.concatenate([rings.reshape(-1, 2), np.zeros((1, 2))]) + centre)
        triangles.append(faces + offset)
        zone = zones[ring_of]
        places.append(np.column_stack([np.full_like(zone, column), np.full_like(zone, row), zone]))
        offset += len(points[-1])
    return _merged(np.concatenate(points), np.concatenate(triangles)), np.concatenate(places)


def bent_round(plan: Plan) -> Plan:
    """Wrap a flat plan around the origin: x in [0, 2 pi] is the angle, y > 0 the radius."""
    angle, radius = plan.points.T
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    # Angles that grow to the right, with the radius upward, run clockwise.
    return _merged(points, plan.triangles[:, ::-1])


def wheel(rings: Array) -> tuple[Plan, NDArray[np.int64]]:
    """Join concentric outlines into a flat ring.

    Args:
        rings: (R, S, 2), outlines from the inside to the outside, each counter-clockwise.

    Returns:
        A flat plan (heights 0), and for each of its triangles (T, 2) the ring and the sector that it lies in.
    """
    count, size = rings.shape[:2]
    index = np.arange(count * size).reshape(count, size)
    after = np.roll(index, -1, axis=1)
    a, b, c, d = index[:-1], index[1:], after[1:], after[:-1]
    halves = [np.stack(corners, axis=-1).reshape(-1, 3) for corners in ([a, b, c], [a, c, d])]
    places = np.stack(np.meshgrid(np.arange(count - 1), np.arange(size), indexing="ij"), axis=-1)
    flat = np.zeros(2 * (count - 1) * size)
    plan = Plan(rings.reshape(-1, 2), np.concatenate(halves), flat, flat)
    return plan, np.tile(places.reshape(-1, 2), (2, 1))


def _walls(
    triangles: NDArray[np.int64], lower: Array, upper: Array
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array, Array]:
    """Return start, end, floor and ceiling (W,) of the walls, the solid on their left."""
    start, end = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
    own = np.repeat(np.arange(len(triangles)), 3)
    stride = int(triangles.max()) + 1
    keys, wanted = start * stride + end, end * stride + start
    order = np.argsort(keys)
    found = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    open_side = keys[order[found]] != wanted
    other = own[order[found]]
    above = ~open_side & (upper[own] > upper[other])
    below = ~open_side & (lower[own] < lower[other])
    return (
        np.concatenate([start[open_side], start[above], start[below]]),
        np.concatenate([end[open_side], end[above], end[below]]),
        np.concatenate([lower[own[open_side]], upper[other[above]], lower[own[below]]]),
        np.concatenate([upper[own[open_side]], upper[own[above]], lower[other[below]]]),
    )


def _wall(start: int, end: int, floor: float, ceiling: float, step: float) -> Array:
    """Return triangles (n, 3, 2) of (point, height) for one wall, facing right of start to end."""
    heights = np.linspace(floor, ceiling, max(1, int(np.ceil((ceiling - floor) / step - 1e-9))) + 1)
    triangles = []
    for low, high in pairwise(heights):
        triangles.append([(start, low), (end, low), (end, high)])
        triangles.append([(start, low), (end, high), (start, high)])
    return np.array(triangles)


def _flat(triangles: NDArray[np.int64], height: Array) -> Array:
    """Return triangles (T, 3, 2) of (point, height)."""
    return np.stack([triangles.astype(np.float64), np.repeat(height[:, None], 3, axis=1)], axis=-1)


def _square(segments: int) -> Array:
    """Return the outline of the square [-1, 1]^2 from (1, -1) upward, (4 * segments, 2)."""
    side = -1 + 2 * np.arange(segments) / segments
    one = np.ones(segments)
    edges = [(one, side), (-side, one), (-one, -side), (side, -one)]
    return np.concatenate([np.stack(edge, axis=1) for edge in edges])


def _tile_rings(outline: Array, radii: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return outlines from the tile's border inward (R, S, 2), and the zone that begins at each (R,)."""
    direction = outline / np.linalg.norm(outline, axis=1, keepdims=True)
    circles = [radius * direction for radius in radii]
    rings, zones = [outline], [0]
    for zone, (outer, inner) in enumerate(zip([outline, *circles[:-1]], circles, strict=True)):
        rings += [outer + (inner - outer) * t for t in (1 / 3, 2 / 3, 1)]
        zones += [zone, zone, zone + 1]
    rings.append(circles[-1] / 2)
    zones.append(len(circles))
    return np.stack(rings), np.array(zones)


def _disc(rings: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Join `rings` outlines, from outside to inside, and a centre; return triangles and the ring of each."""
    index = np.arange(rings * size).reshape(rings, size)
    after = np.roll(index, -1, axis=1)
    a, b, c, d = index[:-1], after[:-1], after[1:], index[1:]
    fan = np.stack([index[-1], after[-1], np.full(size, rings * size)], axis=1)
    bands = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], axis=2).reshape(-1, 3)
    ring_of = np.concatenate([np.repeat(np.arange(rings - 1), 2 * size), np.full(size, rings - 1)])
    return np.concatenate([bands, fan]), ring_of


def _merged(points: Array, triangles: NDArray[np.int64]) -> Plan:
    """Return a flat plan in which points that coincide, up to rounding, are one."""
    # The odd offset keeps round coordinates, which are likely, off the border between two cells.
    cells = np.floor(points * 1e7 + 0.2718)
    _, first, index = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    flat = np.zeros(len(triangles))
    return Plan(points[first], index.reshape(-1)[triangles], flat, flat)


def circle(radius: float, count: int) -> Array:
    """Return `count` points on a circle around the origin, counter-clockwise, (count, 2)."""
    turn = angles(count)
    return radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
