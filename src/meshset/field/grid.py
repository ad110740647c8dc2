"""The regular grid over the cube [-1, 1]^3, and how to find a voxel of a narrow band by its coordinates.

The grid has K points a side, point i of an axis at -1 + i h with h = 2 / (K - 1). It is the finest level of a
pyramid: a voxel at a coarser level of R voxels a side stands for the (K / R)^3 grid points below it.

Functions here take numpy arrays or torch tensors alike (array API).
"""

from __future__ import annotations

from typing import Any

import array_api_compat

Array = Any
"""A numpy array or a torch tensor."""

ROOT = 4
"""Voxels a side of the coarsest level, where nothing is ever left out."""


def spacing(resolution: int) -> float:
    """Distance h between neighbouring grid points, in normalised units."""
    return 2.0 / (resolution - 1)


def children(coords: Array) -> Array:
    """Return the eight children of each voxel: (N, 3) to (8 N, 3), child c of voxel n in row 8 n + c.

    Child c lies at the offset (c & 1, c >> 1 & 1, c >> 2 & 1) from twice its parent.
    """
    xp = array_api_compat.array_namespace(coords)
    octant = xp.arange(8, dtype=coords.dtype, device=array_api_compat.device(coords))
    offsets = xp.stack([octant & 1, (octant >> 1) & 1, octant >> 2], axis=1)
    return xp.reshape(2 * coords[:, None, :] + offsets[None, :, :], (-1, 3))


def root_coords(like: Array) -> Array:
    """Return the voxels of the coarsest level, (64, 3) int32, on the device of `like`, in the order of `children`."""
    xp = array_api_compat.array_namespace(like)
    coords = xp.zeros((1, 3), dtype=xp.int32, device=array_api_compat.device(like))
    for _ in range(ROOT.bit_length() - 1):
        coords = children(coords)
    return coords


class RowLookup:
    """Finds the row of a voxel in a list of voxels by its coordinates.

    A dense table with a margin of one voxel, so that neighbours outside the grid are found to be absent as well.

    Args:
        coords: (N, 3) integers in [0, resolution).
        resolution: voxels a side of the level that `coords` belong to.
    """

    def __init__(self, coords: Array, resolution: int) -> None:
        xp = array_api_compat.array_namespace(coords)
        device = array_api_compat.device(coords)
        self._side = resolution + 2
        inner = xp.astype(coords, xp.int64) + 1
        self.keys = (inner[:, 0] * self._side + inner[:, 1]) * self._side + inner[:, 2]
        self._table = xp.full((self._side**3,), -1, dtype=xp.int32, device=device)
        self._table[self.keys] = xp.arange(coords.shape[0], dtype=xp.int32, device=device)

    def stride(self, offset: tuple[int, int, int]) -> int:
        """Difference of keys between a voxel and the one at `offset` from it, each component -1, 0 or 1."""
        return (offset[0] * self._side + offset[1]) * self._side + offset[2]

    def at(self, keys: Array) -> Array:
        """Return rows (int32) of the voxels with these keys, -1 where there is none."""
        return self._table[keys]
