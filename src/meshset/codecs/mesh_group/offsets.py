"""Control points of a member, near its surface and near what the group suggests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from meshset.codecs.control_mesh.bitstream import Surface
from meshset.codecs.control_mesh.fitting import Design, Form, Original, form

_SAMPLES = 3_000

_THIN = 0.2
"""Faces that are less high, as a share of their gate's length, turn no faster than one of that height."""


@dataclass(frozen=True)
class Gates:
    """The faces from which vertices are told, each with its frame: normal, along the gate, across it.

    An offset is where a vertex is in the frame of one of its gates, from the parallelogram there.

    Attributes:
        step: (G,) of the steps that have parallelograms, that of each gate; in order.
        first: (S,) the first gate of each step.
        corners: (G, 3), control points of the face behind each gate, the gate first.
        vertex: (G,) the control point that is told.
        matrix: (S, V) sparse, from control points to how far they are from the mean of their parallelograms.
        share: (G,) of each gate in what is suggested of a vertex.
    """

    step: NDArray[np.int64]
    first: NDArray[np.int64]
    corners: NDArray[np.int64]
    vertex: NDArray[np.int64]
    matrix: csr_array
    share: NDArray[np.float64]

    @classmethod
    def of(cls, surface: Surface, points: int) -> Gates:
        """Return those of a surface with so many control points."""
        source = surface.source
        steps = [step for step in surface.steps if step.parallelograms and surface.origin[step.vertex] == step.vertex]
        counts = np.array([len(step.parallelograms) for step in steps], dtype=np.int64)
        corners = source[np.array([triple for step in steps for triple in step.parallelograms]).reshape(-1, 3)]
        told = source[np.array([step.vertex for step in steps], dtype=np.int64)]
        at = np.repeat(np.arange(len(steps)), counts)
        share = (1.0 / counts)[at]
        row = np.concatenate([np.arange(len(steps)), at, at, at])
        column = np.concatenate([told, *corners.T])
        parts = np.concatenate([np.ones(len(steps)), -share, -share, share])
        matrix = csr_array((parts, (row, column)), shape=(len(steps), points))
        return cls(at, np.cumsum(counts) - counts, corners, told[at], matrix, share)

    def frames(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the frame of each gate, (G, 3, 3)."""
        a, b, c = (points[self.corners[:, k]] for k in range(3))
        normal, along = np.cross(b - a, c - a), b - a
        area, length = np.linalg.norm(normal, axis=1), np.linalg.norm(along, axis=1)
        flat = (area == 0.0) | (length == 0.0)
        normal, along = normal / np.where(flat, 1.0, area)[:, None], along / np.where(flat, 1.0, length)[:, None]
        frames = np.stack([normal, along, np.cross(normal, along)], axis=1)
        frames[flat] = np.eye(3)
        return frames

    def offsets(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the offsets (G, 3) of control points (V, 3)."""
        a, b, c = (points[self.corners[:, k]] for k in range(3))
        found: NDArray[np.float64] = np.einsum("gkl,gl->gk", self.frames(points), points[self.vertex] - (a + b - c))
        return found

    def deviation(
        self, points: NDArray[np.float64], offsets: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], csr_array]:
        """Return how far control points (V, 3) are from where offsets (G, 3) suggest.

        Returns:
            (S, 3) in the cube; the frame of the first gate of each step, (S, 3, 3); and the derivative of the first,
            flattened, by the points, flattened: (3 S, 3 V). Gates turn with their faces.
        """
        frames = self.frames(points)
        away = np.einsum("gkl,gk->gl", frames, offsets)
        found = self.matrix @ points - np.add.reduceat(self.share[:, None] * away, self.first, axis=0)
        turns = _turns(frames, *(points[self.corners[:, k]] for k in range(3)))
        x, y, z = (self.share[:, None] * away).T
        none = np.zeros_like(x)
        crossed = np.array([[none, -z, y], [z, none, -x], [-y, x, none]]).transpose(2, 0, 1)
        blocks = np.einsum("gij,cgjk->cgik", crossed, turns).reshape(-1, 3, 3)
        still = self.matrix.tocoo()
        row = np.concatenate([still.row, np.tile(self.step, 3)])
        column = np.concatenate([still.col, *self.corners.T])
        parts = np.concatenate([still.data[:, None, None] * np.eye(3), blocks])
        return found, frames[self.first], _of_blocks(row, column, parts, (len(self.first), len(points)))


def _turns(
    frames: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return by what vector (3, G, 3, 3) each frame turns as the corners a, b and c of its face move."""
    normal, along, across = frames.transpose(1, 0, 2)
    length = np.maximum(np.linalg.norm(b - a, axis=1), 1e-12)
    place, height = ((c - a) * along).sum(axis=1), ((c - a) * across).sum(axis=1)
    height = np.where(np.abs(height) < _THIN * length, np.copysign(_THIN * length, height), height)
    tilt, swing = normal / length[:, None], across / length[:, None]  # of the gate, by the difference of its ends
    roll_b = -place[:, None] * tilt / height[:, None]
    roll_c = normal / height[:, None]
    roll_a = -roll_b - roll_c

    def turn(swing: NDArray[np.float64], tilt: NDArray[np.float64], roll: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = ((normal, swing), (-across, tilt), (along, roll))
        turned: NDArray[np.float64] = np.sum([np.einsum("gi,gj->gij", axis, by) for axis, by in parts], axis=0)
        return turned

    none = np.zeros_like(tilt)
    return np.stack([turn(-swing, -tilt, roll_a), turn(swing, tilt, roll_b), turn(none, none, roll_c)])


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
        target: (G, 3), the offsets that are suggested.
        steps: (3,), how finely the parts of residuals are told.
        price: lambda, distance in the cube for a bit.
    """

    target: NDArray[np.float64]
    steps: NDArray[np.float64]
    price: float

    def on(self, near: Form, gates: Gates, points: NDArray[np.float64]) -> Form:
        """Return a form with the price of bits around control points (V, 3): about log2(1 + (2 d / step)^2) / 2."""
        away, frames, derivative = gates.deviation(points, self.target)
        parts = np.einsum("skl,sl->sk", frames, away)
        weight = self.price / math.log(2.0) / (parts * parts + (self.steps / 2.0) ** 2)
        blocks = np.einsum("sk,skl,skm->slm", weight, frames, frames)
        rows = np.arange(len(blocks))
        square = _of_blocks(rows, rows, blocks, (len(rows), len(rows)))
        left = derivative.T @ square
        goal = derivative @ points.ravel() - away.ravel()
        return Form((near.matrix + left @ derivative).tocsr(), near.vector + left @ goal)


def pulled(
    original: Original, design: Design, gates: Gates, points: NDArray[np.float64], pull: Pull, seed: int
) -> NDArray[np.float64]:
    """Return control points (V, 3) near `points`, nearer to the original and to what is suggested."""
    return pull.on(form(original, design, points, _SAMPLES, seed), gates, points).minimum()
