"""Which residuals to write: each vertex in view of what those still to come can make up for.

The nearest-plane algorithm (Babai 1986) on the quadratic form of `fitting`: eliminating all later vertices leaves, for
each, the best position given those before it, and what it costs to miss it. Among the residuals near that position the
one is taken with the least distance + lambda x bits.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh.fitting import Form
from meshset.codecs.control_mesh.prediction import Step
from meshset.codecs.control_mesh.residuals import GRID, Expected, Point, Residuals, Steps, Whole


class Rounding:
    """Chooses residuals for `bitstream.encode`.

    Args:
        form: about half the mean distance of control points.
        order: vertices of the mesh as they are placed, (V,).
        source: of each vertex of the region, that of the mesh.
        steps: how finely positions are told.
        price: lambda, distance in the cube for a bit.
    """

    def __init__(
        self, form: Form, order: NDArray[np.int64], source: NDArray[np.int64], steps: Steps, price: float
    ) -> None:
        from scipy.linalg import cholesky, solve_triangular

        rows = (3 * order[:, None] + np.arange(3)).ravel()
        backwards = rows[::-1]
        lower = cholesky(form.matrix[np.ix_(backwards, backwards)], lower=True)
        self._upper = lower[::-1, ::-1]
        self._rest = solve_triangular(self._upper, form.vector[rows], lower=False)
        self._rank = np.empty(int(order.max()) + 1, dtype=np.int64)
        self._rank[order] = np.arange(len(order))
        self._source = source
        self._scale = np.array([steps.normal, steps.plane, steps.plane])
        self._price = price

    def residual(self, step: Step, expected: Expected, residuals: Residuals) -> Whole:
        """Return the residual of least distance + lambda x bits."""
        goal, block = self._goal(step)
        frame = np.array(expected.frame)
        exact = frame @ (goal * GRID - expected.centre) / self._scale
        # Missing the goal by d costs |block^T d|^2 / 2; d = (q - exact) * scale along the frame.
        metric = (block.T @ frame.T) * (self._scale / GRID)
        choices = [_near(value) for value in exact.tolist()]
        best, least = (0, 0, 0), math.inf
        for tried in product(*choices):
            missed = metric @ (np.array(tried) - exact)
            cost = 0.5 * float(missed @ missed)
            if cost < least:
                cost += self._price * residuals.bits(expected, tried)
                if cost < least:
                    best, least = tried, cost
        return best

    def point(self, step: Step) -> Point:
        """Return the best position, on the grid."""
        x, y, z = (round(float(value) * GRID) + 0.0 for value in self._goal(step)[0])
        return x, y, z

    def placed(self, step: Step, point: Point) -> None:
        """Let the vertices to come make up for where this one is."""
        at = 3 * int(self._rank[self._source[step.vertex]])
        self._rest[at + 3 :] -= (np.array(point) / GRID) @ self._upper[at : at + 3, at + 3 :]

    def _goal(self, step: Step) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        at = 3 * int(self._rank[self._source[step.vertex]])
        block = self._upper[at : at + 3, at : at + 3]
        return np.linalg.solve(block.T, self._rest[at : at + 3]), block


def _near(value: float) -> tuple[int, ...]:
    """Return the whole numbers next to a value, nearest first, and the one after that towards 0."""
    low = math.floor(value)
    pair = (low, low + 1) if value - low < 0.5 else (low + 1, low)
    further = low - 1 if value > 0 else low + 2
    return (*pair, further) if abs(value) > 1 else pair
