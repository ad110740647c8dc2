"""Meshes of implicit surfaces: the boundary of a set of cubes, smoothed and drawn onto the zero set."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from meshset.geometry.mesh import Mesh
from meshset.geometry.samples._build import Array

_BLOCK = 4
"""Cubes along the side of a block, the unit in which empty space is skipped."""


def implicit(value: Callable[[Array], Array], lower: Array, upper: Array, cells: int) -> Mesh:
    """Return the surface where `value` is 0, closed and edge-manifold whatever the function.

    Args:
        value: maps points (N, 3) to numbers (N,), negative inside; its slope is at most 1.5.
        lower: corner of a box that holds the surface, (3,).
        upper: the opposite corner, (3,).
        cells: cubes along the longest side of the box; details smaller than one may be lost.
    """
    size = float((upper - lower).max()) / cells
    inside = _inside(value, lower, np.ceil((upper - lower) / size / _BLOCK).astype(int), size)
    corners, quads = _boundary(_without_pinches(np.pad(inside, 2)))
    vertices = lower + (corners - 2) * size
    for rounds in (4, 1):
        vertices = _smoothed(vertices, quads, rounds)
        vertices = _drawn(vertices, value, size)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Mesh(vertices, faces.astype(np.int32))


def _inside(value: Callable[[Array], Array], lower: Array, blocks: NDArray[np.int64], size: float) -> NDArray[np.bool_]:
    """Say which cubes of side `size` have their centre inside; `blocks` (3,) counts blocks of cubes."""
    wide = _BLOCK * size
    coarse = value(lower + (_lattice(blocks) + 0.5) * wide)
    inside = np.kron((coarse < 0).reshape(blocks), np.ones((_BLOCK,) * 3, dtype=np.bool_))
    # A block further from the surface than its corners is inside or outside as a whole.
    near = np.argwhere((np.abs(coarse) < 1.5 * wide * 3**0.5 / 2).reshape(blocks))
    cubes = (near[:, None] * _BLOCK + _lattice(np.full(3, _BLOCK))).reshape(-1, 3)
    inside[tuple(cubes.T)] = value(lower + (cubes + 0.5) * size) < 0
    return inside


def _lattice(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the integer points (N, 3) of a box of `counts` (3,) points a side."""
    return np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), axis=-1).reshape(-1, 3)


def _without_pinches(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill cubes until no two of them touch along an edge alone, which would give that edge four faces."""
    filled = inside.copy()
    while True:
        before = int(filled.sum())
        for axes in combinations(range(3), 2):
            view = np.moveaxis(filled, axes, (0, 1))
            a, b, c, d = view[:-1, :-1], view[1:, 1:], view[1:, :-1], view[:-1, 1:]
            pinch = (a == b) & (c == d) & (a != c)
            for corner in (a, b, c, d):
                corner |= pinch
        if int(filled.sum()) == before:
            return filled


def _boundary(inside: NDArray[np.bool_]) -> tuple[Array, NDArray[np.int64]]:
    """Return lattice corners (V, 3) and outward quads (Q, 4) between inside and outside cubes."""
    quads = []
    for axis in range(3):
        first, second = np.roll(np.eye(3, dtype=np.int64), -axis, axis=0)[1:]
        change = np.diff(inside.astype(np.int8), axis=axis)
        for sign in (1, -1):
            base = np.argwhere(change == -sign)
            base[:, axis] += 1
            around = [base, base + first, base + first + second, base + second]
            quads.append(np.stack(around[::sign], axis=1))
    corners, index = np.unique(np.concatenate(quads).reshape(-1, 3), axis=0, return_inverse=True)
    return corners.astype(np.float64), index.reshape(-1, 4)


def _smoothed(vertices: Array, quads: NDArray[np.int64], rounds: int) -> Array:
    """Move every vertex to the mean of its neighbours along edges, `rounds` times."""
    start, end = quads.ravel(), np.roll(quads, -1, axis=1).ravel()
    degree = np.bincount(start, minlength=len(vertices))
    for _ in range(rounds):
        vertices = np.stack(
            [np.bincount(start, weights=axis[end], minlength=len(axis)) / degree for axis in vertices.T],
            axis=1,
        )
    return vertices


def _drawn(vertices: Array, value: Callable[[Array], Array], size: float) -> Array:
    """Take Newton steps toward the zero set, none longer than half of `size`, the side of a cube."""
    reach = 0.05 * size
    for _ in range(2):
        here = value(vertices)
        gradient = np.stack([value(vertices + reach * axis) - here for axis in np.eye(3)], axis=1) / reach
        steepness = np.maximum((gradient**2).sum(axis=1), 1e-6)
        step = -(here / steepness)[:, None] * gradient
        length = np.linalg.norm(step, axis=1, keepdims=True)
        vertices = vertices + step * np.minimum(1, size / 2 / np.maximum(length, 1e-12))
    return vertices
