"""Points drawn at random on the surface of a mesh, and along its sharp edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MeshFileError
from meshset.geometry._edges import Edges
from meshset.geometry.mesh import Mesh

_SHARP = np.cos(np.radians(30.0))
"""Edges whose two faces' normals differ by more than 30 degrees are sharp."""


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


def sample_surface(mesh: Mesh, count: int, seed: int | Sequence[int]) -> SurfaceSamples:
    """Draw `count` independent points, uniform over the area of `mesh`; faces without area get none.

    Args:
        mesh: at least one face with an area.
        count: number of points, 0 or more.
        seed: a number or several, 0 or more; the same mesh, count and seed give the same points.

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


def face_normals(mesh: Mesh) -> NDArray[np.float64]:
    """Return the unit normals (F, 3) of the faces by their counter-clockwise order, 0 for faces without area."""
    triangles = mesh.triangles
    normals: NDArray[np.float64] = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    return normals


def face_areas(triangles: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the areas of triangles (N, 3, 3), (N,)."""
    crosses = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return np.asarray(np.linalg.norm(crosses, axis=1)) / 2


def edge_sides(faces: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return both sides of each edge that has two, (P, 2), in the order of the edges' vertices.

    Side 3 i + k belongs to face i.
    """
    edges = Edges.of(faces)
    by_edge = np.argsort(edges.of_side, kind="stable")
    first = np.cumsum(edges.faces) - edges.faces
    pairs: NDArray[np.int64] = by_edge[first[edges.faces == 2][:, None] + np.arange(2)]
    return pairs


class SharpEdges:
    """The edges between two faces that meet at an angle of more than 30 degrees.

    Args:
        mesh: the mesh.
        normals: (F, 3) float64, from `face_normals`.
    """

    def __init__(self, mesh: Mesh, normals: NDArray[np.float64]) -> None:
        pairs = edge_sides(mesh.faces)
        faces = pairs // 3
        sharp = np.einsum("ij,ij->i", normals[faces[:, 0]], normals[faces[:, 1]]) < _SHARP
        self._faces = faces[sharp]
        self._normals = normals
        side = pairs[sharp, 0]
        corners = mesh.triangles[side // 3]
        rows = np.arange(len(side))
        self._starts, self._ends = corners[rows, side % 3], corners[rows, (side + 1) % 3]
        self._cumulated = np.cumsum(np.linalg.norm(self._ends - self._starts, axis=1))

    def sample(self, count: int, seed: int) -> SurfaceSamples:
        """Draw `count` points, uniform over the length of the edges; none if there are no sharp edges.

        Each belongs, at random, to one of the two faces at its edge.
        """
        if not len(self._cumulated) or not self._cumulated[-1] > 0:
            return SurfaceSamples(np.zeros((0, 3)), np.zeros(0, dtype=np.int64), np.zeros((0, 3)))
        rng = np.random.default_rng(seed)
        edges = np.searchsorted(self._cumulated, rng.random(count) * self._cumulated[-1], side="right")
        edges = np.minimum(edges, len(self._cumulated) - 1)
        along = rng.random((count, 1))
        faces = self._faces[edges, rng.integers(0, 2, count)]
        points = (1.0 - along) * self._starts[edges] + along * self._ends[edges]
        return SurfaceSamples(points, faces, self._normals[faces])
