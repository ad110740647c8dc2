"""Points drawn at random on the surface of a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MeshFileError
from meshset.geometry.mesh import Mesh


@dataclass(frozen=True, eq=False)
class SurfaceSamples:
    """Points on a surface and where they come from.

    Attributes:
        points: (n, 3) float64, in the units of the mesh.
        faces: (n,) int64, the face that each point lies on.
        normals: (n, 3) float64, unit normal of that face, by its counter-clockwise order.
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int64]
    normals: NDArray[np.float64]


def sample_surface(mesh: Mesh, count: int, seed: int) -> SurfaceSamples:
    """Draw `count` independent points, uniform over the area of `mesh`; faces without area get none.

    Args:
        mesh: at least one face with an area.
        count: number of points, 0 or more.
        seed: the same mesh, count and seed give the same points.

    Raises:
        MeshFileError: the surface has no area.
    """
    triangles = mesh.triangles
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    crosses = np.cross(first, second)
    doubled_areas = np.linalg.norm(crosses, axis=1)
    cumulated = np.cumsum(doubled_areas)
    if not len(cumulated) or not cumulated[-1] > 0:
        raise MeshFileError("the mesh has no surface to sample: all of its faces have zero area")
    rng = np.random.default_rng(seed)
    # searchsorted with side "right" skips faces that add nothing to the cumulated area.
    faces = np.searchsorted(cumulated, rng.random(count) * cumulated[-1], side="right")
    # Rounding can lift a draw to the total itself, one past the last face that has an area.
    faces = np.minimum(faces, np.flatnonzero(doubled_areas)[-1])
    along = rng.random((count, 2))
    beyond = along.sum(axis=1) > 1
    along[beyond] = 1 - along[beyond]
    points = triangles[faces, 0] + along[:, :1] * first[faces] + along[:, 1:] * second[faces]
    return SurfaceSamples(points, faces, crosses[faces] / doubled_areas[faces, None])
