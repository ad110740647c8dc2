"""Closest points on a mesh, and which side of it a point lies on.

libigl answers both from trees that are built once per mesh: a bounding-volume hierarchy of the triangles
for closest points, and the fast winding numbers of Barill et al. (2018) for the side. The generalised
winding number (Jacobson et al. 2013) stays meaningful for meshes with holes, several parts or
self-intersections.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from meshset.errors import MissingExtraError
from meshset.geometry.mesh import Mesh

_KEY_BITS = 10
"""Bits per axis of a sorting key: 1024 cells a side are as fine as sorting needs."""

_SORT_FROM = 2048
"""Fewer queries than this are answered as they come."""

_SCATTERED = 0.1
"""Queries are sorted where neighbours in the list lie further apart than this share of their extent.

Measured on 100,000 points against 81,920 triangles, two cores: 0.11 to 0.17 s at random, 0.06 s in order,
and the sorting 0.02 s.
"""


class SurfaceQueries:
    """Distance and side of many points against one mesh, from trees that are built on first use.

    Args:
        mesh: at least one face; it is copied to float64, so later changes to its arrays have no effect.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._vertices = np.array(mesh.vertices, dtype=np.float64, order="C")
        self._faces = np.array(mesh.faces, dtype=np.int64, order="C")

    def closest(self, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """Return the point of the surface nearest to each of `points`.

        Args:
            points: (N, 3), any float type, in the units of the mesh; any order.

        Returns:
            Distance (N,) float64, not negative; face that holds the closest point (N,) int64; closest point
            (N, 3) float64.

        Raises:
            MissingExtraError: libigl is not installed.
        """
        queries = _as_points(points)
        if not len(queries):
            return np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros((0, 3))
        if not _looks_scattered(queries):
            return self._closest_in_order(queries)
        order = np.argsort(_morton_keys(queries), kind="stable")
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        distance, face, nearest = self._closest_in_order(queries[order])
        return distance[back], face[back], nearest[back]

    def first_hit(self, origins: ArrayLike, directions: ArrayLike) -> NDArray[np.float64]:
        """Return how far along each ray the surface is hit first, (N,) float64, inf for a miss.

        The unit is the length of the ray's direction.

        Args:
            origins: (N, 3) points in the units of the mesh.
            directions: (N, 3), not necessarily of unit length.
        """
        starts = _as_points(origins)
        if not len(starts):
            return np.zeros(0)
        face, along, _ = self._distance_tree.intersect_ray_first(
            self._vertices, self._faces, starts, _as_points(directions)
        )
        return np.where(np.asarray(face).reshape(-1) < 0, np.inf, np.asarray(along).reshape(-1))

    def winding_number(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return the generalised winding number at each of `points`, (N,) float64.

        About 1 inside a closed mesh that faces outward, 0 outside, fractions near holes, -1 inside a mesh
        that is inside out. The fast approximation is off by a few thousandths; on the surface the value is
        not defined.

        Args:
            points: (N, 3), any float type, in the units of the mesh.

        Raises:
            MissingExtraError: libigl is not installed.
        """
        queries = _as_points(points)
        if not len(queries):
            return np.zeros(0)
        return np.asarray(self._winding_tree.winding_number(queries), dtype=np.float64).reshape(-1)

    def _closest_in_order(
        self, queries: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        squared, face, nearest = self._distance_tree.squared_distance(self._vertices, self._faces, queries)
        return (
            np.sqrt(np.asarray(squared, dtype=np.float64).reshape(-1)),
            np.asarray(face, dtype=np.int64).reshape(-1),
            np.asarray(nearest, dtype=np.float64).reshape(-1, 3),
        )

    @cached_property
    def _distance_tree(self) -> Any:
        tree = _igl().AABB()
        tree.init(self._vertices, self._faces)
        return tree

    @cached_property
    def _winding_tree(self) -> Any:
        tree = _igl().FastWindingNumberBVH()
        tree.init(self._vertices, self._faces)
        return tree


def _igl() -> Any:
    try:
        import igl
    except ImportError as error:
        raise MissingExtraError("closest-point queries", "compress") from error
    return igl


def _as_points(points: ArrayLike) -> NDArray[np.float64]:
    return np.ascontiguousarray(np.asarray(points, dtype=np.float64).reshape(-1, 3))


def _looks_scattered(queries: NDArray[np.float64]) -> bool:
    """Say whether neighbours in the list are far apart in space, so that sorting pays for itself."""
    if len(queries) < _SORT_FROM:
        return False
    steps = np.linalg.norm(np.diff(queries[:_SORT_FROM], axis=0), axis=1)
    return bool(np.median(steps) > _SCATTERED * np.ptp(queries, axis=0).max())


def _morton_keys(queries: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return a Z-order key for each of `queries` (N, 3) in its own bounding cube, (N,) uint64."""
    lower = queries.min(axis=0)
    side = max(float(np.ptp(queries, axis=0).max()), np.finfo(np.float64).tiny)
    cells = ((queries - lower) * ((2**_KEY_BITS - 1) / side)).astype(np.uint64)
    keys = np.zeros(len(queries), dtype=np.uint64)
    for bit in range(_KEY_BITS):
        for axis in range(3):
            keys |= ((cells[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(3 * bit + axis)
    return keys
