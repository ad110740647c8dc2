"""The field of a surface, kept only where the surface is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TRUNCATION = 2.0
"""Distance in voxels at which the field saturates (the released NeCGS code; the paper does not state it)."""


@dataclass(frozen=True, eq=False)
class Field:
    """A narrow-band truncated signed distance field (TSDF), negative inside, deformed or not (TSDF-Def).

    Attributes:
        resolution: K, grid points a side; 32 to 256, a power of two.
        coords: (N, 3) int16 grid points, in the order of an octree descent (`grid.children`), so that each eight
            rows are a block of 2 x 2 x 2; a block is kept whole if any of its points is within the truncation distance.
        tsdf: (N,) float32 signed distance in units of the truncation distance (2 voxels), clamped to [-1, 1].
        deformation: (N, 3) float32, how far each grid point is moved, in units of half a voxel, within [-1, 1]; all 0
            for a plain TSDF.
    """

    resolution: int
    coords: NDArray[np.int16]
    tsdf: NDArray[np.float32]
    deformation: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write the field to `path`, to be read by `load`, its values in float16."""
        values = np.column_stack([self.tsdf, self.deformation]).astype(np.float16)
        with path.open("wb") as file:
            np.savez(file, resolution=self.resolution, blocks=self.coords[::8] >> 1, values=values)

    @classmethod
    def load(cls, path: Path) -> Field:
        """Read a field that `save` wrote."""
        from meshset.field.grid import children

        with np.load(path, allow_pickle=False) as data:
            values = data["values"].astype(np.float32)
            return cls(int(data["resolution"]), children(data["blocks"]), values[:, 0], values[:, 1:])
