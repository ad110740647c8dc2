"""Distances between an original mesh and its decoded form, both in the cube [-1, 1]^3.

The metrics of the NeCGS paper (supplement, Eq. 8 to 11) compare two clouds of sampled points. Two clouds of
the *same* surface already differ by about half the spacing of their points, so `Metrics` also holds the
distance from samples to the other surface itself, which falls to 0, and `sampling_floor` measures the first
effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MissingExtraError
from meshset.geometry.mesh import Mesh
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import SurfaceSamples, sample_surface

IOU_SAMPLES = 20_000
"""Points of `volume_iou`: where the solids fill a quarter of their box, the standard error is at most 0.007."""

PAPER_SAMPLES = 100_000
"""Points a surface in the paper's metrics, N_eval of supplement section 3.1."""


@dataclass(frozen=True)
class Metrics:
    """How far a decoded mesh is from its original; lengths in units of the cube [-1, 1]^3.

    Attributes:
        cd: Chamfer distance between the two clouds, not squared (Eq. 8).
        nc: normal consistency in [0, 1], by absolute dot products (Eq. 9).
        f1_005: F-score in [0, 1] at a threshold of 0.005 (Eq. 10 and 11).
        f1_01: F-score in [0, 1] at a threshold of 0.01.
        mean_distance: mean of the two directed mean distances from samples to the other surface.
        max_distance: largest distance from any sample to the other surface, both ways.
    """

    cd: float
    nc: float
    f1_005: float
    f1_01: float
    mean_distance: float
    max_distance: float


def compare(original: Mesh, decoded: Mesh, samples: int = PAPER_SAMPLES, seed: int = 0) -> Metrics:
    """Measure `decoded` against `original`.

    In the paper's Eq. 11 the names are swapped: its Recall is the share of reconstructed points near the
    original, usually called precision, and its Precision is the recall. The F-score is symmetric in the
    two, so it is the same either way. The printed formula counts points; dividing by their number, as here,
    is what makes F at most 1.

    Args:
        original: the mesh that was compressed, in the cube.
        decoded: what came back, moved into the cube by the placement of the original.
        samples: points a surface, at least 1.
        seed: the same meshes, samples and seed give the same figures.

    Raises:
        MeshFileError: one of the meshes has no area.
        MissingExtraError: scipy or libigl is not installed.

    >>> corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]])
    >>> square = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    >>> above = Mesh(square.vertices + [0, 0, 0.01], square.faces)
    >>> round(compare(square, above, samples=1000).mean_distance, 6)
    0.01
    """
    first, second = two_samplings(original, decoded, samples, seed)
    to_second, nearest_second = nearest(first.points, second.points)
    to_first, nearest_first = nearest(second.points, first.points)
    mean_distance, max_distance = _exact(original, decoded, first, second)
    return Metrics(
        cd=_mean_of_means(to_second, to_first),
        nc=_mean_of_means(
            _alignment(first.normals, second.normals[nearest_second]),
            _alignment(second.normals, first.normals[nearest_first]),
        ),
        f1_005=_f_score(to_second, to_first, 0.005),
        f1_01=_f_score(to_second, to_first, 0.01),
        mean_distance=mean_distance,
        max_distance=max_distance,
    )


def surface_distance(original: Mesh, decoded: Mesh, samples: int = PAPER_SAMPLES, seed: int = 0) -> tuple[float, float]:
    """Return `mean_distance` and `max_distance` of `Metrics` alone, from the same samples as `compare`.

    The arguments and errors are those of `compare`; scipy is not needed.
    """
    first, second = two_samplings(original, decoded, samples, seed)
    return _exact(original, decoded, first, second)


def sampling_floor(mesh: Mesh, samples: int = PAPER_SAMPLES, seed: int = 0) -> float:
    """Return the Chamfer distance (Eq. 8) between two independent samplings of `mesh`.

    No decoded mesh can be expected to score a smaller `cd` at the same number of samples.

    Raises:
        MeshFileError: the mesh has no area.
        MissingExtraError: scipy is not installed.
    """
    first, second = two_samplings(mesh, mesh, samples, seed)
    return _mean_of_means(
        nearest(first.points, second.points)[0],
        nearest(second.points, first.points)[0],
    )


def volume_iou(original: Mesh, decoded: Mesh, samples: int = IOU_SAMPLES, seed: int = 0) -> float:
    """Return the volume that both solids share over the volume that either fills, in [0, 1].

    By Monte Carlo: the share of random points, uniform in the common bounding box, that lie in both among those that
    lie in at least one. A point is inside where the generalised winding number (Jacobson et al. 2013) exceeds 0.5, so
    a mesh with small holes still has an inside; for open sheets the figure means nothing. The key spheres paper calls
    it gIoU. With n points in either solid the standard error is at most 0.5 / sqrt(n).

    Args:
        original: the mesh that was compressed, facing outward.
        decoded: what came back, in the same place.
        samples: points in the box, at least 1.
        seed: the same meshes, samples and seed give the same figure.

    Returns:
        0 where no point lies in either.

    Raises:
        MissingExtraError: libigl is not installed.
    """
    corners = np.stack([*original.bounds, *decoded.bounds])
    points = np.random.default_rng(seed).uniform(corners.min(axis=0), corners.max(axis=0), (samples, 3))
    first, second = (SurfaceQueries(mesh).winding_number(points) > 0.5 for mesh in (original, decoded))
    either = int((first | second).sum())
    return int((first & second).sum()) / either if either else 0.0


def mean_metrics(metrics: Sequence[Metrics]) -> Metrics:
    """Return the mean of every figure over the meshes of a set, `max_distance` included.

    Raises:
        ValueError: there are no metrics.
    """
    if not metrics:
        raise ValueError("the mean of no metrics is not defined")
    rows = [asdict(one) for one in metrics]
    return Metrics(**{field.name: float(np.mean([row[field.name] for row in rows])) for field in fields(Metrics)})


def two_samplings(first: Mesh, second: Mesh, samples: int, seed: int) -> tuple[SurfaceSamples, SurfaceSamples]:
    """Sample both meshes by seeds of their own: equal draws would hide the floor of equal meshes."""
    return sample_surface(first, samples, 2 * seed), sample_surface(second, samples, 2 * seed + 1)


def _exact(
    original: Mesh, decoded: Mesh, on_original: SurfaceSamples, on_decoded: SurfaceSamples
) -> tuple[float, float]:
    there = SurfaceQueries(decoded).closest(on_original.points)[0]
    back = SurfaceQueries(original).closest(on_decoded.points)[0]
    return _mean_of_means(there, back), float(max(there.max(), back.max()))


def nearest(points: NDArray[np.float64], cloud: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return distance (N,) and index (N,) of the point of `cloud` nearest to each of `points` (N, 3)."""
    try:
        from scipy.spatial import cKDTree
    except ImportError as error:
        raise MissingExtraError("evaluation", "compress") from error
    distance, index = cKDTree(cloud).query(points, workers=-1)
    return distance, index


def _alignment(normals: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.abs(np.einsum("ij,ij->i", normals, others)), dtype=np.float64)


def _mean_of_means(first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]) -> float:
    return float(first.mean() + second.mean()) / 2


def _f_score(first: NDArray[np.float64], second: NDArray[np.float64], threshold: float) -> float:
    """Return the harmonic mean of the two shares below `threshold`, 0 where both are 0 (Eq. 10)."""
    one, other = float((first < threshold).mean()), float((second < threshold).mean())
    return 2 * one * other / (one + other) if one + other else 0.0
