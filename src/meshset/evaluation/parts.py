"""Parts of a mesh that did not come back: a mean distance hides small ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshset.geometry.diagnosis import face_components
from meshset.geometry.mesh import Mesh
from meshset.geometry.orientation import face_outward
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import face_areas, face_normals

NEAR = 2.0 / 63.0
"""Mean distance in the cube beyond which no surface is near a part: a voxel of a grid of 64 points a side."""

OF_SIZE = 0.25
"""The same for small parts, as a share of the diagonal of their bounding boxes: a ball that lies on a plate is 0.29 of
its own diagonal away from it, in the mean."""

OF_AREA = 0.02
"""Share of the area of a part from which on decoded surface nearest to it is the part, however far from it: one smaller
than a voxel comes back larger, or as a speck before its field is fitted."""

_POINTS = 64
"""Faces of a part that are looked at, at most."""

_BESIDE = 1e-3
"""How far from the surface its sides are asked for, in the cube."""


@dataclass(frozen=True)
class Parts:
    """How many parts of a mesh there are and how many did not come back; parts are connected by shared vertices.

    Attributes:
        lost: parts near which there is no decoded surface; those inside the solid of others are not missed.
        count: parts of the original.
    """

    lost: int
    count: int


def lost_parts(original: Mesh, decoded: Mesh) -> Parts:
    """Count the parts of a mesh that did not come back.

    A part is lost where the decoded surface is far from it, in the mean, by its own size or by `NEAR`, and hardly any
    of the decoded surface is nearer to it than to the other parts. What is inside the solid does not count.

    Args:
        original: normalised, in the cube [-1, 1]^3.
        decoded: what came back, in the same place, at least one face.

    Raises:
        MissingExtraError: scipy or libigl is not installed.
    """
    part, count = face_components(original)
    probes = _Probes.of(original, part, count)
    limit = np.minimum(NEAR, OF_SIZE * _diagonals(original, part, count))
    nearest = SurfaceQueries(decoded)
    far = probes.mean_distances(nearest) > limit
    if not far.any():
        return Parts(0, count)
    solid = SurfaceQueries(face_outward(original)[0])
    probes = probes.of_parts(far).in_the_open(solid)
    area = np.bincount(probes.part, probes.area, count)
    missed = far & (area > 0) & (probes.mean_distances(nearest) > limit)
    triangles = decoded.triangles
    came_back = np.bincount(part[solid.closest(triangles.mean(axis=1))[1]], face_areas(triangles), count)
    return Parts(int((missed & (came_back < OF_AREA * area)).sum()), count)


@dataclass(frozen=True, eq=False)
class _Probes:
    """Points on the parts of a mesh.

    Attributes:
        points: (N, 3), the middles of faces.
        normals: (N, 3) unit normals there.
        area: (N,) what each stands for.
        part: (N,) where it is.
        parts: how many parts there are.
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    area: NDArray[np.float64]
    part: NDArray[np.int64]
    parts: int

    @classmethod
    def of(cls, mesh: Mesh, part: NDArray[np.int64], parts: int) -> _Probes:
        """Take up to `_POINTS` faces of each part, evenly through its list; each stands for those up to the next."""
        order = np.argsort(part, kind="stable")
        faces = np.bincount(part, minlength=parts)[part[order]]
        place = np.arange(len(order)) - np.searchsorted(part[order], part[order])
        step = -(-faces // _POINTS)
        (first,) = np.nonzero(place % step == 0)
        area = np.add.reduceat(face_areas(mesh.triangles)[order], first)
        taken = order[first]
        return cls(mesh.triangles[taken].mean(axis=1), face_normals(mesh)[taken], area, part[taken], parts)

    def of_parts(self, chosen: NDArray[np.bool_]) -> _Probes:
        """Return those on the parts that are chosen, (P,)."""
        return self._where(chosen[self.part])

    def in_the_open(self, solid: SurfaceQueries) -> _Probes:
        """Return those that do not have the inside on both sides."""
        offsets = _BESIDE * self.normals
        winding = np.abs(solid.winding_number(np.concatenate([self.points + offsets, self.points - offsets])))
        return self._where(np.asarray((winding.reshape(2, -1) <= 0.5).any(axis=0)))

    def mean_distances(self, surface: SurfaceQueries) -> NDArray[np.float64]:
        """Return the mean distance of each part to a surface, (P,); 0 for a part without area."""
        weighted = np.bincount(self.part, self.area * surface.closest(self.points)[0], self.parts)
        return np.asarray(weighted / np.maximum(np.bincount(self.part, self.area, self.parts), 1e-300))

    def _where(self, kept: NDArray[np.bool_]) -> _Probes:
        return _Probes(self.points[kept], self.normals[kept], self.area[kept], self.part[kept], self.parts)


def _diagonals(mesh: Mesh, part: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the diagonal of the bounding box of each part, (P,)."""
    lower, upper = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    triangles = mesh.triangles
    np.minimum.at(lower, part, triangles.min(axis=1))
    np.maximum.at(upper, part, triangles.max(axis=1))
    return np.asarray(np.linalg.norm(upper - lower, axis=1))
