"""From a signed distance to a mesh: it is asked for only where the surface can be."""

from __future__ import annotations

from collections.abc import Callable

import array_api_compat
import numpy as np

from meshset.codecs.common.arrays import surface_of
from meshset.errors import ArchiveError
from meshset.field import TRUNCATION
from meshset.field.grid import ROOT, Array, children, root_coords, spacing
from meshset.geometry.mesh import Mesh

STEEPEST = 2.0
"""Lipschitz constant that a network is allowed: a block is left out where the distance at its centre, divided by it, is
larger than the way to the furthest point that its cells need. A true distance has 1."""

MAX_WORK = 1 << 39
"""Most multiplications of one surface: a hostile archive must not take minutes."""

_CHUNK = 1 << 14
"""Points evaluated at a time, at most: memory stays small."""

Distance = Callable[[Array], Array]
"""From points (3, P) float32 to signed distances (P,)."""


def extract(distance: Distance, resolution: int, multiplications: int, clamp: float | None, like: Array) -> Mesh:
    """Return the zero level set of a signed distance.

    An octree descends from 4^3 blocks to those of 2^3 grid points. A block of s points a side stays if its centre is
    within `STEEPEST` times sqrt(3) h ((s - 1) / 2 + 1) of the surface: the half diagonal, and one cell beyond, so that
    every cell that the surface crosses has all of its corners.

    Args:
        distance: the field.
        resolution: K, grid points a side.
        multiplications: about how many a point takes.
        clamp: distance beyond which values are no distances.
        like: an array of the kind to compute with, on its device.

    Raises:
        ArchiveError: too much work, distances that are not numbers, or a surface through too many cells.
    """
    coords = root_coords(like)
    side, h, work = resolution // ROOT, spacing(resolution), 0
    xp = array_api_compat.array_namespace(coords)
    while side > 1:
        reach = STEEPEST * 3.0**0.5 * h * ((side - 1) / 2 + 1)
        if clamp is None or reach < clamp:
            work += coords.shape[0] * multiplications
            _check(work)
            near = xp.abs(_evaluate(distance, coords, side, h)) <= reach
            coords = coords[near]
        coords, side = children(coords), side // 2
    _check(work + coords.shape[0] * multiplications)
    values = xp.clip(_evaluate(distance, coords, 1, h) / (TRUNCATION * h), min=-1.0, max=1.0)
    return surface_of(coords, values[:, None], resolution)


def _check(work: int) -> None:
    if work > MAX_WORK:
        raise ArchiveError("decodes to a surface that takes more work than any mesh should need")


def _evaluate(distance: Distance, coords: Array, side: int, h: float) -> Array:
    """Return the distance at the centres of blocks of `side` grid points a side, (N,)."""
    xp = array_api_compat.array_namespace(coords)
    pieces = []
    for first in range(0, coords.shape[0], _CHUNK):
        centres = -1.0 + h * (side * xp.astype(coords[first : first + _CHUNK], xp.float32) + (side - 1) / 2)
        pieces.append(distance(xp.asarray(centres.T, copy=True)))
    if not pieces:
        return xp.zeros(0, dtype=xp.float32)
    values = xp.concat(pieces)
    if not bool(xp.all(xp.isfinite(values))):
        raise ArchiveError("decodes to distances that are not numbers")
    return values


def quietly(distance: Distance) -> Distance:
    """Return the same function without numpy's warnings: hostile weights overflow, which is noticed afterwards."""

    def silent(points: Array) -> Array:
        with np.errstate(all="ignore"):
            return distance(points)

    return silent
