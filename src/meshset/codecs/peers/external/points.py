"""From a mesh to voxels, as codecs of point clouds want it, and from points back to a surface."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MissingExtraError
from meshset.field import extract_surface
from meshset.geometry import Mesh
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import sample_surface

SAMPLES_PER_VOXEL = 8
"""Samples for each voxel side squared of surface: one in e^8 of the voxels that a flat piece fills is missed."""

MOST_SAMPLES = 1_000_000
"""Samples that are drawn at once."""

FINEST_GRID = 256
"""Most grid points a side of the field; its lookup table grows with the cube of it."""

NEIGHBOURS = 12
"""Points that a value of the field is averaged over."""

REACH = 2
"""Grid points this many steps from a point along each axis get a value.

A surface is within half a voxel of the centre of a voxel that it passes, a corner of its cell within a step of it, and
a centre within half a step of a grid point.
"""


def voxelise(mesh: Mesh, depth: int) -> NDArray[np.int64]:
    """Return the voxels that the surface of a normalised mesh passes, (N, 3), sorted, in [0, 2^depth).

    Voxel i of an axis covers [-1 + i s, -1 + (i + 1) s] with s = 2 / 2^depth. They are found by dense sampling, so a
    voxel that the surface only grazes may be missing.
    """
    side = 2**depth
    triangles = mesh.triangles
    crosses = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    area = float(np.linalg.norm(crosses, axis=1).sum()) / 2
    left = math.ceil(SAMPLES_PER_VOXEL * area * (side / 2) ** 2)
    keys = np.zeros(0, dtype=np.int64)
    for seed in range(math.ceil(left / MOST_SAMPLES)):
        points = sample_surface(mesh, min(left, MOST_SAMPLES), seed).points
        left -= len(points)
        cells = np.clip(((points + 1) * (side / 2)).astype(np.int64), 0, side - 1)
        keys = np.union1d(keys, (cells[:, 0] * side + cells[:, 1]) * side + cells[:, 2])
    return np.stack([keys // side**2, keys // side % side, keys % side], axis=1)


def voxel_centres(voxels: NDArray[np.int64] | NDArray[np.float64], depth: int) -> NDArray[np.float64]:
    """Return the centres of voxels (N, 3) in the cube [-1, 1]^3, (N, 3) float64."""
    centres: NDArray[np.float64] = (voxels + 0.5) * (2 / 2**depth) - 1
    return centres


def normals_of(original: Mesh, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each of `points` (N, 3) the unit normal of the face of `original` nearest to it, (N, 3).

    Faces without area give zeros.
    """
    a, b, c = np.moveaxis(original.triangles[SurfaceQueries(original).closest(points)[1]], 1, 0)
    normals: NDArray[np.float64] = np.cross(b - a, c - a)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    np.divide(normals, lengths, out=normals, where=lengths > 0)
    return normals


def surface_from_points(points: NDArray[np.float64], normals: NDArray[np.float64], depth: int) -> Mesh:
    """Return the surface through voxel centres, vertices (V, 3) float64 in the cube [-1, 1]^3.

    Implicit moving least squares (Kolluri 2008): near the points, the field is the mean of the signed distances to the
    planes of nearby points, with Gaussian weights as wide as a voxel, which averages the rounding to voxels out;
    marching cubes finds its zero level. The surface is closed only where the points leave no gap.

    Args:
        points: (N, 3) voxel centres.
        normals: (N, 3) unit normals that point outward.
        depth: of the voxels; the grid of the field has 2^depth points a side, but at most 256.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    resolution = min(2**depth, FINEST_GRID)
    step = 2 / (resolution - 1)
    coords = _grid_near(points, step, resolution)
    field = _field(points, normals, -1.0 + step * coords, 2 / 2**depth)
    return Mesh(*extract_surface(coords, field, resolution))


def _grid_near(points: NDArray[np.float64], step: float, resolution: int) -> NDArray[np.int64]:
    """Return the grid points around `points`, (M, 3) without repeats."""
    nearest = np.unique(np.rint((points + 1) / step).astype(np.int64), axis=0)
    for axis in range(3):
        moved = np.repeat(nearest[None], 2 * REACH + 1, axis=0)
        moved[:, :, axis] += np.arange(-REACH, REACH + 1)[:, None]
        nearest = np.unique(np.clip(moved.reshape(-1, 3), 0, resolution - 1), axis=0)
    return nearest


def _field(
    points: NDArray[np.float64], normals: NDArray[np.float64], places: NDArray[np.float64], width: float
) -> NDArray[np.float64]:
    """Return the field at each of `places` (M, 3), negative inside, (M,)."""
    try:
        from scipy.spatial import cKDTree
    except ImportError as error:
        raise MissingExtraError("surfaces from points", "bench") from error
    distance, index = cKDTree(points).query(places, k=min(NEIGHBOURS, len(points)), workers=-1)
    distance, index = distance.reshape(len(places), -1), index.reshape(len(places), -1)
    # Weights relative to the nearest point, or far from all points they would all round to 0.
    weights = np.exp((distance[:, :1] ** 2 - distance**2) / (2 * width**2))
    planes = np.einsum("mkd,mkd->mk", normals[index], places[:, None] - points[index])
    field: NDArray[np.float64] = (weights * planes).sum(axis=1) / weights.sum(axis=1)
    return field
