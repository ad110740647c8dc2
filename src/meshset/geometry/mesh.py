"""The triangle mesh that every part of meshset passes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import trimesh


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles over shared vertices.

    Attributes:
        vertices: (V, 3) float32 or float64, in the units of the file (world) unless said otherwise.
        faces: (F, 3) int32 indices into `vertices`, counter-clockwise seen from outside.

    >>> triangle = Mesh(np.eye(3), np.array([[0, 1, 2]], np.int32))
    >>> triangle.triangles.shape
    (1, 3, 3)
    """

    vertices: NDArray[np.floating[Any]]
    faces: NDArray[np.int32]

    @property
    def triangles(self) -> NDArray[np.float64]:
        """Corner positions of every face, (F, 3, 3) float64."""
        return self.vertices.astype(np.float64)[self.faces]

    @property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper corner of the bounding box of the vertices that faces use, each (3,) float64."""
        used = self.vertices[np.unique(self.faces)].astype(np.float64)
        return used.min(axis=0), used.max(axis=0)

    def to_trimesh(self) -> trimesh.Trimesh:
        """Return the same triangles as a `trimesh.Trimesh`, without merging or reordering."""
        import trimesh

        return trimesh.Trimesh(self.vertices, self.faces, process=False)
