"""Triangles from polygons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_CLIPPED_CORNERS = 500
"""Concave polygons with more corners keep their fan: clipping ears takes quadratic time."""


def triangulate(
    vertices: NDArray[np.float64], corners: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Split polygons into triangles without adding vertices.

    Convex polygons become fans around their first corner. Where a fan would fold over, as in a concave
    polygon, ears are clipped instead.

    Args:
        vertices: (V, 3) float64, finite where corners point.
        corners: (N,) int64 indices into `vertices`, polygon after polygon.
        sizes: (F,) int64 corners of each polygon, at least 3 each.

    Returns:
        (N - 2F, 3) int64 triangles in the order and orientation of the polygons.
    """
    starts = np.cumsum(sizes) - sizes
    counts = sizes - 2
    firsts = np.cumsum(counts) - counts
    polygon = np.repeat(np.arange(len(sizes)), counts)
    start = starts[polygon]
    second = start + 1 + np.arange(len(polygon)) - firsts[polygon]
    triangles: NDArray[np.int64] = corners[np.stack([start, second, second + 1], axis=1)]
    for index in _folded(vertices, triangles, sizes, firsts):
        ring = corners[starts[index] : starts[index] + sizes[index]]
        rows = slice(firsts[index], firsts[index] + counts[index])
        triangles[rows] = ring[_clip_ears(_flattened(vertices[ring]))]
    return triangles


def strip_triangles(indices: NDArray[np.int64], starts: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the triangles (F, 3) of strips, every second one turned back, without those that name an index twice.

    Args:
        indices: (N,) of all strips, one after the other; -1 ends a strip within.
        starts: (N,) whether a strip begins there.
    """
    ends = indices == -1
    begins = starts.copy()
    begins[1:] |= ends[:-1]
    places = np.arange(len(indices))
    within = places - np.maximum.accumulate(np.where(begins, places, 0))
    windows = np.stack([indices[:-2], indices[1:-1], indices[2:]], axis=1)
    whole = (within[2:] >= 2) & ~ends[2:]
    odd = within[2:] % 2 == 1
    windows[odd] = windows[odd][:, [1, 0, 2]]
    a, b, c = windows.T
    triangles: NDArray[np.int64] = windows[whole & (a != b) & (b != c) & (c != a)]
    return triangles


def _folded(
    vertices: NDArray[np.float64],
    triangles: NDArray[np.int64],
    sizes: NDArray[np.int64],
    firsts: NDArray[np.int64],
) -> NDArray[np.intp]:
    """Return the polygons of which a fan triangle faces against the polygon's area vector."""
    polygons = np.flatnonzero((sizes > 3) & (sizes <= MAX_CLIPPED_CORNERS))
    if not len(polygons):
        return polygons
    counts = sizes[polygons] - 2
    begins = np.cumsum(counts) - counts
    rows = np.repeat(firsts[polygons] - begins, counts) + np.arange(counts.sum())
    a, b, c = np.moveaxis(vertices[triangles[rows]], 1, 0)
    normals = np.cross(b - a, c - a)
    area = np.add.reduceat(normals, begins)
    # Collinear corners give fan triangles of no area; only a clearly opposite one is a fold.
    against = np.einsum("ij,ij->i", normals, np.repeat(area, counts, axis=0))
    squared = np.einsum("ij,ij->i", area, area)
    folded: NDArray[np.intp] = polygons[np.minimum.reduceat(against, begins) < -1e-12 * squared]
    return folded


def _flattened(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project a polygon (n, 3) onto the axis plane that it faces most, counter-clockwise, (n, 2)."""
    relative = points - points[0]
    area = np.cross(relative[1:-1], relative[2:]).sum(axis=0)
    axis = int(np.abs(area).argmax())
    plane = [(1, 2), (2, 0), (0, 1)][axis]
    flat: NDArray[np.float64] = relative[:, plane]
    return flat if area[axis] >= 0 else flat * np.array([1.0, -1.0])


def _clip_ears(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Triangulate a counter-clockwise polygon (n, 2); returns (n - 2, 3) indices of its corners.

    Clipping an ear can only change whether its two neighbours are ears, so each clip looks at two corners again. Where
    no corner is an ear, as may be if the polygon crosses itself, any will do.
    """
    ring = np.arange(len(points))
    ears = np.array([_is_ear(points, ring, position) for position in range(len(ring))])
    triangles = []
    while len(ring) > 3:
        tip = int(ears.argmax()) if ears.any() else 1
        triangles.append((ring[tip - 1], ring[tip], ring[(tip + 1) % len(ring)]))
        ring, ears = np.delete(ring, tip), np.delete(ears, tip)
        for neighbour in (tip - 1, tip % len(ring)):
            ears[neighbour] = _is_ear(points, ring, neighbour)
    return np.array([*triangles, tuple(ring)], np.int64)


def _is_ear(points: NDArray[np.float64], ring: NDArray[np.int64], position: int) -> bool:
    a, b, c = points[ring[[position - 1, position, (position + 1) % len(ring)]]]
    if _turn(a, b, c) <= 0:
        return False
    others = points[ring]
    # A corner at the very place of a tip corner (a bridge to a hole) does not block the ear; nor do its own three.
    inside = (_turn(a, b, others) >= 0) & (_turn(b, c, others) >= 0) & (_turn(c, a, others) >= 0)
    same = (others[:, None] == np.stack([a, b, c])).all(axis=2).any(axis=1)
    return not bool((inside & ~same).any())


def _turn(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Twice the signed area of a, b, c; `c` may be one point (2,) or many (n, 2)."""
    u, v = b - a, c - a
    twice: NDArray[np.float64] = u[0] * v[..., 1] - u[1] * v[..., 0]
    return twice
