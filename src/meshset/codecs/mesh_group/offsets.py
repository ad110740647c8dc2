"""Control points of a member, near its surface and near what the group suggests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_diag, csr_array, kron

from meshset.codecs.control_mesh.fitting import Design, Form, Original, form
from meshset.codecs.control_mesh.residuals import GRID
from meshset.codecs.mesh_group.hoods import NARROW, NEAREST, Hood, hoods

_SAMPLES = 3_000


@dataclass(frozen=True)
class Told:
    """All hoods of a group as arrays, S of them with N vertices each.

    An offset is where a vertex is in the frame of its hood, from the middle of that.

    Attributes:
        vertex: (S,) of each hood the vertex that is told, in order.
        near: (S, N), those it is told from.
        weights, along, across: (S, N) of these, in the cube; 0 where there are fewer.
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
            along[row, : len(one.along)] = np.multiply(one.along, GRID)
            across[row, : len(one.across)] = np.multiply(one.across, GRID)
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
        spanning = [_sums(one, points[self.near]) for one in (self.along, self.across)]
        first, second = map(_units, spanning)
        spanning += [first + second, first - second]
        narrow = np.min([np.linalg.norm(one, axis=1) for one in spanning], axis=0) <= NARROW
        plus, minus = map(_units, spanning[2:])
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

    @cached_property
    def differences(self) -> csr_array:
        """Return the matrix (3 S, 3 V) from control points, flattened, to how far vertices are from middles."""
        rows = np.arange(len(self.vertex))
        row = np.concatenate([rows, np.repeat(rows, NEAREST)])
        column = np.concatenate([self.vertex, self.near.ravel()])
        parts = np.concatenate([np.ones(len(rows)), -self.weights.ravel()])
        return csr_array(kron(csr_array((parts, (row, column)), shape=(len(rows), len(rows))), np.eye(3)))


def _sums(weights: NDArray[np.float64], near: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.einsum("sn,snk->sk", weights, near)
    return found


def _units(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1)
    found: NDArray[np.float64] = vectors / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    return found


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
        """Return a form with the price of bits around control points (V, 3): about log2(1 + (2 d / step)^2) / 2.

        Frames stay as they are: that they turn with the points hardly matters, for each is that of several.
        """
        frames, differences = told.frames(points), told.differences
        suggested = np.einsum("skl,sk->sl", frames, self.target)
        parts = told.offsets(points) - self.target
        weight = self.price / math.log(2.0) / (parts * parts + (self.steps / 2.0) ** 2)
        blocks = np.einsum("sk,skl,skm->slm", weight, frames, frames)
        left = differences.T @ csr_array(block_diag(blocks))
        return Form((near.matrix + left @ differences).tocsr(), near.vector + left @ suggested.ravel())


def pulled(
    original: Original, design: Design, told: Told, points: NDArray[np.float64], pull: Pull, seed: int
) -> NDArray[np.float64]:
    """Return control points (V, 3) near `points`, nearer to the original and to what is suggested."""
    return pull.on(form(original, design, points, _SAMPLES, seed), told, points).minimum()
