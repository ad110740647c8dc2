"""Control points of a member, near its surface and near what the group suggests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from meshset.codecs.control_mesh.fitting import Design, Form, Original, form
from meshset.codecs.control_mesh.residuals import GRID
from meshset.codecs.mesh_group.hoods import NARROW, NEAREST, Hood, hoods

_SAMPLES = 3_000

_FLAT = 1e-3
"""A frame turns with the vectors that span it unless the parallelogram of these is smaller."""


@dataclass(frozen=True)
class Told:
    """All hoods of a group as arrays, S of them with N vertices each.

    An offset is where a vertex is in the frame of its hood, from the middle of that.

    Attributes:
        vertex: (S,) of each hood the vertex that is told, in order.
        near: (S, N), those it is told from.
        weights, along, across: (S, N) of these; 0 where there are fewer.
    """

    vertex: NDArray[np.int64]
    near: NDArray[np.int64]
    weights: NDArray[np.float64]
    along: NDArray[np.float64]
    across: NDArray[np.float64]

    @classmethod
    def of(cls, found: Sequence[Hood]) -> Told:
        """Return those of hoods."""
        near = np.zeros((len(found), NEAREST), dtype=np.int64)
        weights, along, across = (np.zeros((len(found), NEAREST)) for _ in range(3))
        for row, one in enumerate(found):
            near[row, : len(one.near)] = one.near
            weights[row, : len(one.near)] = one.weights
            along[row, : len(one.along)] = one.along
            across[row, : len(one.across)] = one.across
        return cls(np.array([one.vertex for one in found]), near, weights, along, across)

    @classmethod
    def by(cls, points: NDArray[np.float64], faces: NDArray[np.int64]) -> Told:
        """Return those that a mesh, points (V, 3) in the cube, decides as first inner member."""
        return cls.of(hoods([(x, y, z) for x, y, z in np.round(points * GRID).tolist()], faces))

    def middle(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the middle (S, 3) of each hood."""
        return _sums(self.weights, points[self.near])

    def frames(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the frame of each hood, (S, 3, 3)."""
        first, second = (_units(_sums(one, points[self.near])) for one in (self.along, self.across))
        plus, minus = first + second, first - second
        narrow = np.minimum(np.linalg.norm(plus, axis=1), np.linalg.norm(minus, axis=1)) <= NARROW
        plus, minus = _units(plus), _units(minus)
        along, across = (plus + minus) * math.sqrt(0.5), (plus - minus) * math.sqrt(0.5)
        frames = np.stack([np.cross(along, across), along, across], axis=1)
        frames[narrow] = np.eye(3)
        return frames

    def offsets(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the offsets (S, 3) of control points (V, 3)."""
        found: NDArray[np.float64] = np.einsum(
            "skl,sl->sk", self.frames(points), points[self.vertex] - self.middle(points)
        )
        return found

    def deviation(
        self, points: NDArray[np.float64], offsets: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], csr_array]:
        """Return how far control points (V, 3) are from where offsets (S, 3) suggest.

        Returns:
            (S, 3) in the cube; the frames, (S, 3, 3); and the derivative of the first, flattened, by the points,
            flattened: (3 S, 3 V). Frames turn with their hoods.
        """
        frames = self.frames(points)
        offset = np.einsum("skl,sk->sl", frames, offsets)
        away = points[self.vertex] - self.middle(points) - offset
        by_along, by_across = self._turns(points, frames)
        x, y, z = offset.T
        none = np.zeros_like(x)
        crossed = np.array([[none, z, -y], [-z, none, x], [y, -x, none]]).transpose(2, 0, 1)
        by_along, by_across = crossed @ by_along, crossed @ by_across
        blocks = -(
            self.weights[:, :, None, None] * np.eye(3)
            + self.along[:, :, None, None] * by_along[:, None]
            + self.across[:, :, None, None] * by_across[:, None]
        )
        used = self.weights > 0.0
        rows = np.arange(len(self.vertex))
        row = np.concatenate([rows, np.nonzero(used)[0]])
        column = np.concatenate([self.vertex, self.near[used]])
        parts = np.concatenate([np.broadcast_to(np.eye(3), (len(rows), 3, 3)), blocks[used]])
        return away, frames, _of_blocks(row, column, parts, (len(rows), len(points)))

    def _turns(
        self, points: NDArray[np.float64], frames: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return by what vector each frame turns as the two sums that span it change, (S, 3, 3) each."""
        first, second = (_sums(one, points[self.near]) for one in (self.along, self.across))
        normal, along, across = frames.transpose(1, 0, 2)
        a, b, c, d = ((one * axis).sum(axis=1) for one in (first, second) for axis in (along, across))
        area = a * d - b * c
        turns = np.abs(area) > _FLAT
        share = np.where(turns, 1.0 / np.where(turns, area, 1.0), 0.0)

        def spins(vector: NDArray[np.float64]) -> NDArray[np.float64]:
            size = np.where(turns, 2.0 * (vector * vector).sum(axis=1), 1.0)
            spin = np.where(turns[:, None], np.cross(normal, vector) / size[:, None], 0.0)
            outer: NDArray[np.float64] = np.einsum("si,sj->sij", normal, spin)
            return outer

        def tilts(by_along: NDArray[np.float64], by_across: NDArray[np.float64]) -> NDArray[np.float64]:
            axis = (by_across * share)[:, None] * along - (by_along * share)[:, None] * across
            outer: NDArray[np.float64] = np.einsum("si,sj->sij", axis, normal)
            return outer

        return spins(first) + tilts(d, -c), spins(second) + tilts(-b, a)


def _sums(weights: NDArray[np.float64], near: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.einsum("sn,snk->sk", weights, near)
    return found


def _units(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1)
    found: NDArray[np.float64] = vectors / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    return found


def _of_blocks(
    row: NDArray[np.int64], column: NDArray[np.int64], parts: NDArray[np.float64], shape: tuple[int, int]
) -> csr_array:
    """Return the sparse matrix of blocks (N, 3, 3) at these rows and columns of blocks."""
    rows = (3 * row[:, None, None] + np.arange(3)[:, None] + np.zeros(3, dtype=np.int64)).ravel()
    columns = (3 * column[:, None, None] + np.arange(3) + np.zeros((3, 1), dtype=np.int64)).ravel()
    return csr_array((parts.ravel(), (rows, columns)), shape=(3 * shape[0], 3 * shape[1]))


@dataclass(frozen=True)
class Pull:
    """What a bit costs, and where bits are few.

    Attributes:
        target: (S, 3), the offsets that are suggested.
        steps: (3,), how finely the parts of residuals are told.
        price: lambda, distance in the cube for a bit.
    """

    target: NDArray[np.float64]
    steps: NDArray[np.float64]
    price: float

    def on(self, near: Form, told: Told, points: NDArray[np.float64]) -> Form:
        """Return a form with the price of bits around control points (V, 3): about log2(1 + (2 d / step)^2) / 2."""
        away, frames, derivative = told.deviation(points, self.target)
        parts = np.einsum("skl,sl->sk", frames, away)
        weight = self.price / math.log(2.0) / (parts * parts + (self.steps / 2.0) ** 2)
        blocks = np.einsum("sk,skl,skm->slm", weight, frames, frames)
        rows = np.arange(len(blocks))
        square = _of_blocks(rows, rows, blocks, (len(rows), len(rows)))
        left = derivative.T @ square
        goal = derivative @ points.ravel() - away.ravel()
        return Form((near.matrix + left @ derivative).tocsr(), near.vector + left @ goal)


def pulled(
    original: Original, design: Design, told: Told, points: NDArray[np.float64], pull: Pull, seed: int
) -> NDArray[np.float64]:
    """Return control points (V, 3) near `points`, nearer to the original and to what is suggested."""
    return pull.on(form(original, design, points, _SAMPLES, seed), told, points).minimum()
