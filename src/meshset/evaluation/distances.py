"""Errors of a signed distance function, as the papers on one network per mesh report them.

Davies et al. (2021, NI) define both, and the key spheres paper takes them over. They ask the distance that a network
predicts, not the surface that is cut out of it, so they need the function itself. Systems without a distance, such as a
simplified mesh, can be asked through `signed_distance` of what they decode to.

Lengths are in units of the cube [-1, 1]^3, whose longest side a mesh fills. NI scales meshes into a ball of radius 0.9,
so its figures for the same network are smaller by a factor that depends on the mesh, about 0.5 to 0.9.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.geometry.mesh import Mesh
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import sample_surface

DISTANCE_SAMPLES = 100_000
"""Points of either error in NI's evaluation."""

_SPREAD = 0.01
_UNIFORM_SHARE = 0.1
"""NI's evaluation: nine of ten points are on the surface plus normal noise of 0.01, one is uniform in the cube."""

Distance = Callable[[NDArray[np.float64]], NDArray[np.floating[Any]]]
"""Points (N, 3) to signed distances (N,), negative inside."""


def surface_error(mesh: Mesh, distance: Distance, samples: int = DISTANCE_SAMPLES, seed: int = 0) -> float:
    """Return the mean magnitude of `distance` on the surface of `mesh`, where it should be 0.

    Args:
        mesh: the original, in the cube.
        distance: what is judged.
        samples: points, uniform over the area.
        seed: the same mesh, samples and seed give the same points.

    Raises:
        MeshFileError: the mesh has no area.
    """
    return float(np.abs(distance(sample_surface(mesh, samples, seed).points)).mean())


def importance_error(mesh: Mesh, distance: Distance, samples: int = DISTANCE_SAMPLES, seed: int = 0) -> float:
    """Return the mean error of `distance` at points most of which lie near the surface of `mesh`.

    The arguments are those of `surface_error`, but that the mesh must face outward.

    Raises:
        MeshFileError: the mesh has no area.
        MissingExtraError: libigl is not installed.
    """
    points = _near_points(mesh, samples, seed)
    return float(np.abs(distance(points) - signed_distance(mesh)(points)).mean())


def signed_distance(mesh: Mesh) -> Distance:
    """Return the exact signed distance function of a mesh that faces outward; winding numbers tell the side.

    Raises:
        MissingExtraError: libigl is not installed; when the function is called.
    """
    queries = SurfaceQueries(mesh)

    def distance(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(queries.winding_number(points) > 0.5, -1.0, 1.0) * queries.closest(points)[0]

    return distance


def _near_points(mesh: Mesh, count: int, seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    uniform = rng.uniform(-1.0, 1.0, (round(_UNIFORM_SHARE * count), 3))
    near = sample_surface(mesh, count - len(uniform), seed).points
    return np.concatenate([near + rng.normal(0.0, _SPREAD, near.shape), uniform])
