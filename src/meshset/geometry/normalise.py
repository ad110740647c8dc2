"""Where a mesh stands in the world, and how it moves into the cube [-1, 1]^3 and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.geometry.mesh import Mesh
from meshset.vocabulary import LONGEST_SIDE

_UNNOTICED = 1e-6
"""Distance in the cube that float32 may always cost: a thousandth of a voxel of the finest grid is more."""

_SHARE = 0.1
"""Share of the error of a mesh that float32 may cost beside."""


@dataclass(frozen=True)
class Placement:
    """The bounding box of a mesh in world units, from which centre and scale follow.

    Attributes:
        lower: smallest corner, (3,) float64.
        upper: largest corner, (3,) float64; at least one side is longer than 0.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    @classmethod
    def of(cls, mesh: Mesh) -> Placement:
        """Return the placement of `mesh`."""
        return cls(*mesh.bounds)

    @property
    def centre(self) -> NDArray[np.float64]:
        """World point that moves to the origin, (3,) float64."""
        return self.lower + (self.upper - self.lower) / 2

    @property
    def scale(self) -> float:
        """Normalised units per world unit."""
        return LONGEST_SIDE / float((self.upper - self.lower).max())

    @property
    def diagonal(self) -> float:
        """Length of the bounding-box diagonal in normalised units."""
        return float(np.linalg.norm(self.upper - self.lower)) * self.scale

    def normalise(self, mesh: Mesh) -> Mesh:
        """Move `mesh` from world units into the cube [-1, 1]^3; vertices become float64."""
        return Mesh((mesh.vertices.astype(np.float64) - self.centre) * self.scale, mesh.faces)

    def precision(self, error: float | None) -> type[np.floating[Any]]:
        """Return the dtype of the vertices of a mesh in world units that is inexact anyway.

        It is float32, or float64 where float32 would move a vertex by more than a tenth of `error`, as far from the
        origin, and by more than a millionth.

        Args:
            error: mean distance of the mesh to its original, in normalised units; None if it is not known.
        """
        farthest = max(float(np.abs(self.lower).max()), float(np.abs(self.upper).max()))
        with np.errstate(over="ignore", invalid="ignore"):
            cost = self.scale * float(np.spacing(np.float32(farthest))) / 2
        return np.float64 if cost > max(_UNNOTICED, _SHARE * (error or 0.0)) else np.float32

    def restore(self, mesh: Mesh, dtype: type[np.floating[Any]] = np.float32) -> Mesh:
        """Move `mesh` from the cube back into world units, vertices of `dtype`."""
        return Mesh((mesh.vertices.astype(np.float64) / self.scale + self.centre).astype(dtype), mesh.faces)
