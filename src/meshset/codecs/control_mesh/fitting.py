"""Control points nearest to an original: distances both ways as a quadratic form, made anew where points have moved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_array, csr_array, diags_array, eye_array

from meshset.codecs.control_mesh.subdivision import Refinement
from meshset.errors import MeshFileError
from meshset.geometry import Mesh
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import face_normals, sample_surface

_SIDEWAYS = 0.05
"""Weight of distance in the plane of the nearest face, beside 1 along its normal."""

_FLOOR = 0.3
"""Distances below this share of their mean weigh no more than that: squares are made to sum like magnitudes."""

_JUDGED = 8_000
"""Points a surface by which a distance is judged."""

_HOLD = 1e-3
"""Share of the mean weight of a vertex that holds it where it is, so that no direction is free."""


class Original:
    """A mesh that is to be met.

    Args:
        mesh: in the cube [-1, 1]^3.
        largest_counts: the share of the largest distance that counts if it is above the mean.

    Attributes:
        mesh: as given.
        queries, normals: of it.
    """

    def __init__(self, mesh: Mesh, largest_counts: float = 0.0) -> None:
        self.mesh = mesh
        self._largest_counts = largest_counts
        self.queries = SurfaceQueries(mesh)
        self.normals = face_normals(mesh)
        self._points = sample_surface(mesh, _JUDGED, 0).points

    def distance(self, surface: Mesh) -> float:
        """Return the mean symmetric distance to a surface, or what the largest counts; inf for one without area."""
        try:
            theirs = sample_surface(surface, _JUDGED, 1).points
        except MeshFileError:
            return math.inf
        there = SurfaceQueries(surface).closest(self._points)[0]
        here = self.queries.closest(theirs)[0]
        mean, largest = (there.mean() + here.mean()) / 2.0, max(there.max(), here.max())
        return float(max(mean, self._largest_counts * largest))


@dataclass(frozen=True)
class Design:
    """How a control mesh makes a surface.

    Attributes:
        matrix: (W, V) sparse, from control points to the vertices of the surface.
        faces: (F, 3) of the surface.
    """

    matrix: Any
    faces: NDArray[np.int64]

    @classmethod
    def of(cls, faces: NDArray[np.int64], vertices: int, sharp: NDArray[np.bool_], levels: int) -> Design:
        """Return that of a control mesh with these faces, creases and levels of subdivision."""
        matrix = eye_array(vertices, format="csr")
        for further in range(levels - 1, -1, -1):
            level = Refinement.of(faces, matrix.shape[0], sharp)
            shares = level.weight / level.denominator[level.row]
            shape = len(level.denominator), matrix.shape[0]
            matrix = csr_array((shares, (level.row, level.column)), shape=shape) @ matrix
            faces, sharp = level.faces, level.sharp if further else sharp
        return cls(matrix, faces)

    def surface(self, points: NDArray[np.float64]) -> Mesh:
        """Return the surface that control points (V, 3) make."""
        return Mesh(self.matrix @ points, self.faces.astype(np.int32))


@dataclass(frozen=True)
class Form:
    """About the mean distance: x H x / 2 - b x + const for control points x, (3 V,), three numbers a vertex.

    Attributes:
        matrix: H, (3 V, 3 V), sparse.
        vector: b.
    """

    matrix: csr_array
    vector: NDArray[np.float64]

    def minimum(self) -> NDArray[np.float64]:
        """Return the best control points (V, 3)."""
        return np.asarray(_eliminated(self.matrix, "MMD_AT_PLUS_A").solve(self.vector)).reshape(-1, 3)

    def upper(self, rows: NDArray[np.int64]) -> csr_array:
        """Return a triangular U with U U^T = H, its rows and columns in the order `rows` (3 V,)."""
        factor = _eliminated(self.matrix[rows[::-1]][:, rows[::-1]], "NATURAL")
        lower = factor.L @ diags_array(np.sqrt(factor.U.diagonal()))
        return csr_array(lower.tocsr()[::-1, ::-1])


def _eliminated(matrix: csr_array, order: str) -> Any:
    """Return the factors L U of a symmetric positive matrix, without a change of rows beside that of columns."""
    from scipy.sparse.linalg import splu

    return splu(matrix.tocsc(), permc_spec=order, diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def form(original: Original, design: Design, points: NDArray[np.float64], count: int, seed: int) -> Form:
    """Return the quadratic form around `points` (V, 3), from `count` samples of either surface."""
    surface = design.surface(points)
    there = sample_surface(original.mesh, count, seed)
    queries = SurfaceQueries(surface)
    _, face, nearest = queries.closest(there.points)
    here = sample_surface(surface, count, seed + 1)
    _, met, goal = original.queries.closest(here.points)
    rows = [_rows(surface, face, nearest), _rows(surface, here.faces, here.points)]
    normals = [face_normals(surface)[face], original.normals[met]]
    goals = [there.points, goal]
    away = np.concatenate([nearest - there.points, here.points - goal])
    return _assembled(design, rows, np.concatenate(normals), np.concatenate(goals), away, points)


def _rows(surface: Mesh, face: NDArray[np.int64], points: NDArray[np.float64]) -> tuple[Any, Any]:
    """Return vertices (N, 3) and weights (N, 3) whose sums are `points`, each on a face."""
    corners = surface.faces[face].astype(np.int64)
    a, b, c = (surface.vertices[corners[:, k]] for k in range(3))
    first, second, third = b - a, c - a, points - a
    d00, d01, d11 = ((p * q).sum(axis=1) for p, q in ((first, first), (first, second), (second, second)))
    d20, d21 = (third * first).sum(axis=1), (third * second).sum(axis=1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-30)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    return corners, np.clip(np.stack([1.0 - v - w, v, w], axis=1), 0.0, 1.0)


def _assembled(
    design: Design,
    rows: list[tuple[Any, Any]],
    normals: NDArray[np.float64],
    goals: NDArray[np.float64],
    away: NDArray[np.float64],
    points: NDArray[np.float64],
) -> Form:
    corners, shares = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    count, vertices = len(goals), design.matrix.shape[1]
    at = np.repeat(np.arange(count), 3)
    shape = count, design.matrix.shape[0]
    rows_of = (csr_array((shares.ravel(), (at, corners.ravel())), shape=shape) @ design.matrix).tocsr()
    distance = np.abs((away * normals).sum(axis=1)) + _SIDEWAYS * np.linalg.norm(away, axis=1)
    weight = 1.0 / (count * np.maximum(distance, _FLOOR * max(distance.mean(), 1e-9)))
    blocks: list[list[Any]] = [[None] * 3 for _ in range(3)]
    for j in range(3):
        for k in range(j, 3):
            factor = weight * (normals[:, j] * normals[:, k] + (_SIDEWAYS if j == k else 0.0))
            blocks[j][k] = blocks[k][j] = rows_of.T @ (diags_array(factor) @ rows_of)
    by_axis = block_array(blocks, format="csr")
    interleaved = np.arange(3 * vertices).reshape(3, vertices).T.ravel()
    matrix = by_axis[interleaved][:, interleaved].tocsr()
    along = (normals * goals).sum(axis=1)
    vector = rows_of.T @ (weight[:, None] * (normals * along[:, None] + _SIDEWAYS * goals))
    hold = _HOLD * matrix.trace() / (3 * vertices)
    return Form(matrix + hold * eye_array(3 * vertices, format="csr"), vector.ravel() + hold * points.ravel())


def fitted(
    original: Original, design: Design, points: NDArray[np.float64], count: int, rounds: int
) -> NDArray[np.float64]:
    """Return control points (V, 3) near `points` whose surface is nearest to the original."""
    for seed in range(rounds):
        points = form(original, design, points, count, 2 * seed).minimum()
    return points


def limits_at(design: Design, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return control points whose surface passes near `points` (V, 3)."""
    there, own = points.copy(), design.matrix[: len(points)]
    for _ in range(8):
        there = there + 0.8 * (points - own @ there)
    return there
