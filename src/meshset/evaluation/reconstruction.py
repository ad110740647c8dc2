"""The metrics of the LGCL paper (section 4.1): two clouds of points, and distances of vertices to the other surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshset.evaluation.metrics import nearest, two_samplings
from meshset.geometry.mesh import Mesh
from meshset.geometry.queries import SurfaceQueries

CLOUD_SAMPLES = 30_000
"""Points a surface (LGCL, section 4.1)."""


@dataclass(frozen=True)
class CloudDistances:
    """How far two clouds of points are apart, in the units of the meshes.

    Attributes:
        chamfer: mean of the two directed mean distances to the nearest point.
        chamfer_squared: sum of the two directed means of the squared distances, as DeepSDF has it.
        hausdorff: largest distance of any point to the nearest of the other cloud.
    """

    chamfer: float
    chamfer_squared: float
    hausdorff: float


@dataclass(frozen=True)
class DistanceStatistics:
    """A distribution of distances, in their units.

    Attributes:
        mean: of all.
        std: standard deviation, of all and not of a sample.
        median: half of the distances are smaller.
        ninety: nine tenths of the distances are smaller.
        above: share in [0, 1] of the distances that exceed each threshold.
    """

    mean: float
    std: float
    median: float
    ninety: float
    above: tuple[float, ...]


def cloud_distances(original: Mesh, decoded: Mesh, samples: int = CLOUD_SAMPLES, seed: int = 0) -> CloudDistances:
    """Compare area-weighted samples of two surfaces.

    Raises:
        MeshFileError: one of the meshes has no area.
        MissingExtraError: scipy is not installed.
    """
    first, second = two_samplings(original, decoded, samples, seed)
    there, back = nearest(first.points, second.points)[0], nearest(second.points, first.points)[0]
    return CloudDistances(
        chamfer=float(there.mean() + back.mean()) / 2,
        chamfer_squared=float(np.square(there).mean() + np.square(back).mean()),
        hausdorff=float(max(there.max(), back.max())),
    )


def vertex_distances(original: Mesh, decoded: Mesh) -> NDArray[np.float64]:
    """Return the Euclidean distance of each vertex of `original` to the surface of `decoded`, (V,).

    Raises:
        MissingExtraError: libigl is not installed.
    """
    return SurfaceQueries(decoded).closest(original.vertices)[0]


def distance_statistics(distances: NDArray[np.float64], thresholds: Sequence[float]) -> DistanceStatistics:
    """Return what the paper's Tables 2 to 4 say of distances (N,), of one mesh or of several together.

    Raises:
        ValueError: there are no distances.
    """
    if not len(distances):
        raise ValueError("statistics of no distances are not defined")
    return DistanceStatistics(
        mean=float(distances.mean()),
        std=float(distances.std()),
        median=float(np.median(distances)),
        ninety=float(np.quantile(distances, 0.9)),
        above=tuple(float((distances > threshold).mean()) for threshold in thresholds),
    )
