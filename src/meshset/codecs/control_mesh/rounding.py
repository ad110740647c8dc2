"""Which residuals to write: each vertex in view of what those still to come can make up for.

The nearest-plane algorithm (Babai 1986) on the quadratic form of `fitting`: eliminating all later vertices leaves, for
each, the best position given those before it, and what it costs to miss it. Among the residuals near that position the
one is taken with the least distance + lambda x bits.
"""

from __future__ import annotations

import math
from itertools import product
from operator import mul

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh.fitting import Form
from meshset.codecs.control_mesh.residuals import GRID, Expected, Point, Residuals, Steps, Whole


class Rounding:
    """Chooses residuals for `bitstream.encode`.

    Args:
        form: about the mean distance of control points.
        order: vertices of the mesh as they are placed, (V,).
        source: of each vertex of the region, that of the mesh.
        steps: how finely positions are told.
        price: lambda, distance in the cube for a bit.
    """

    def __init__(
        self,
        form: Form,
        order: NDArray[np.int64],
        source: NDArray[np.int64],
        steps: Steps,
        price: float,
    ) -> None:
        self._goals = _Goals(form, order)
        self._source = source
        self._scale = np.array([steps.normal, steps.plane, steps.plane])
        self._price = price

    def residual(self, vertex: int, expected: Expected, residuals: Residuals) -> Whole:
        """Return the residual of least distance + lambda x bits."""
        goal, root = self._goals.goal(int(self._source[vertex]))
        frame = np.array(expected.frame)
        exact = frame @ (goal * GRID - expected.centre) / self._scale
        metric = (root @ frame.T) * (self._scale / GRID)
        choices = list(product(*(_near(value) for value in exact.tolist())))
        missed = (np.array(choices) - exact) @ metric.T
        costs = 0.5 * (missed * missed).sum(axis=1)
        best, least = (0, 0, 0), math.inf
        for place in np.argsort(costs, kind="stable").tolist():
            if costs[place] >= least:
                break
            cost = costs[place] + self._price * residuals.bits(expected, choices[place])
            if cost < least:
                best, least = choices[place], cost
        return best

    def point(self, vertex: int) -> Point:
        """Return the best position, on the grid."""
        goal, _ = self._goals.goal(int(self._source[vertex]))
        x, y, z = (round(value * GRID) + 0.0 for value in goal.tolist())
        return x, y, z

    def placed(self, vertex: int, point: Point) -> None:
        """Let the vertices to come make up for where this one is."""
        self._goals.place(int(self._source[vertex]), np.array(point) / GRID)


class Nearest:
    """Chooses the residual nearest to where a vertex is, whatever it costs.

    Args:
        points: (V, 3), in the cube.
        source: of each vertex of the region, that of the mesh.
        steps: how finely positions are told.
    """

    def __init__(self, points: NDArray[np.float64], source: NDArray[np.int64], steps: Steps) -> None:
        self._points = np.round(points * GRID).tolist()
        self._source = source.tolist()
        self._scale = steps.normal, steps.plane, steps.plane

    def residual(self, vertex: int, expected: Expected, residuals: Residuals) -> Whole:
        """Return the residual that leads nearest to the vertex."""
        point, centre = self._points[self._source[vertex]], expected.centre
        away = [point[k] - centre[k] for k in range(3)]
        a, b, c = (
            math.floor(sum(map(mul, away, axis)) / scale + 0.5)
            for axis, scale in zip(expected.frame, self._scale, strict=True)
        )
        return a, b, c

    def point(self, vertex: int) -> Point:
        """Return where the vertex is."""
        x, y, z = self._points[self._source[vertex]]
        return x, y, z

    def placed(self, vertex: int, point: Point) -> None:
        """Do nothing: others do not depend on it."""


class _Goals:
    """Where vertices should go in view of all those to come, at their best: a factor U U^T of the form."""

    def __init__(self, form: Form, order: NDArray[np.int64]) -> None:
        rows = (3 * order[:, None] + np.arange(3)).ravel()
        upper = form.upper(rows)
        self._rest = upper.T @ form.minimum().ravel()[rows]
        self._starts, self._columns, self._values = upper.indptr, upper.indices, upper.data
        self._roots = np.zeros((len(order), 3, 3))
        at = upper.tocoo()
        near = at.row // 3 == at.col // 3
        self._roots[at.row[near] // 3, at.col[near] % 3, at.row[near] % 3] = at.data[near]
        self._rank = np.empty(int(order.max()) + 1, dtype=np.int64)
        self._rank[order] = np.arange(len(order))

    def goal(self, vertex: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the best position (3,) of a vertex, and R (3, 3): to miss it by d costs |R d|^2 / 2."""
        rank = int(self._rank[vertex])
        root = self._roots[rank]
        return np.linalg.solve(root, self._rest[3 * rank : 3 * rank + 3]), root

    def place(self, vertex: int, point: NDArray[np.float64]) -> None:
        """Take note of where a vertex is."""
        at = 3 * int(self._rank[vertex])
        for row, coordinate in zip(range(at, at + 3), point.tolist(), strict=True):
            entries = slice(self._starts[row], self._starts[row + 1])
            self._rest[self._columns[entries]] -= coordinate * self._values[entries]


def _near(value: float) -> tuple[int, ...]:
    """Return the whole numbers next to a value, nearest first, and the one after that towards 0."""
    low = math.floor(value)
    pair = (low, low + 1) if value - low < 0.5 else (low + 1, low)
    further = low - 1 if value > 0 else low + 2
    return (*pair, further) if abs(value) > 1 else pair
