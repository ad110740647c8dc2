"""Positions as whole steps from where they are expected, in the frame of a face that is placed."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from meshset.codecs.control_mesh import contexts as at
from meshset.codecs.control_mesh.prediction import Step
from meshset.coding.adaptive import Coder, Contexts
from meshset.coding.numbers import MANTISSA, PREFIX, code_magnitude, code_number

Point = tuple[float, float, float]
Whole = tuple[int, int, int]
Weights = tuple[tuple[int, ...], ...]

GRID = 1 << 20
"""Positions are whole numbers of 1 / GRID of the cube's half side."""

FARTHEST = 4 * GRID
"""No coordinate is larger."""


@dataclass(frozen=True)
class Steps:
    """How finely positions are told, in units of the grid: along the normal, and in the plane of the face."""

    normal: float
    plane: float

    @classmethod
    def of(cls, code: int, ratio: int) -> Steps:
        """Return the steps of a code from 0 to 255, where 16 more are twice as coarse, and a ratio from 2 to 17.

        The step along the normal is (16 + code mod 16) 2^floor(code / 16) / 16, that in the plane ratio / 2 as much.
        """
        normal = float((16 + code % 16) << code // 16) / 16.0
        return cls(normal, normal * ratio / 2.0)


class Expected(NamedTuple):
    """Where a vertex is expected.

    Attributes:
        centre: the place.
        frame: unit vectors, the directions of the parts of residuals: a normal first, then two in the plane.
        neighbours: vertices that are placed, nearest first.
        features: what the size of the residual is expected from, before its own parts are known.
        degree: of how many parallelograms it is the mean, less one, at most 2.
    """

    centre: Point
    frame: tuple[Point, Point, Point]
    neighbours: Sequence[int]
    features: tuple[float, ...]
    degree: int = 0


class Residuals(ABC):
    """Codes residuals one after the other; what is placed is known to both sides.

    Attributes:
        points: of each vertex, on the grid.
    """

    def __init__(self, coder: Coder, contexts: Contexts, steps: Steps, vertices: int) -> None:
        self.points: list[Point] = [(0.0, 0.0, 0.0)] * vertices
        self._residuals: list[Whole | None] = [None] * vertices
        self._coder, self._contexts, self._steps = coder, contexts, steps

    def code(self, vertex: int, expected: Expected, residual: Whole) -> None:
        """Code a residual and place the vertex by it."""
        found = self._told(self._coder, expected, residual)
        self._residuals[vertex] = found
        self.points[vertex] = self.placed(expected, found)

    def bits(self, expected: Expected, residual: Whole) -> float:
        """Return what a residual would cost."""
        counter = Estimate()
        self._told(counter, expected, residual)
        return counter.bits

    @abstractmethod
    def _told(self, coder: Coder, expected: Expected, residual: Whole) -> Whole:
        """Code the parts of a residual and return them."""

    def placed(self, expected: Expected, residual: Whole) -> Point:
        """Return where a residual puts a vertex, on the grid."""
        (nx, ny, nz), (ex, ey, ez), (tx, ty, tz) = expected.frame
        x, y, z = expected.centre
        normal, plane = self._steps.normal, self._steps.plane
        a, b, c = residual[0] * normal, residual[1] * plane, residual[2] * plane
        return (
            rounded(x + (a * nx + b * ex + c * tx)),
            rounded(y + (a * ny + b * ey + c * ty)),
            rounded(z + (a * nz + b * ez + c * tz)),
        )

    def _nearby(self, neighbours: Sequence[int]) -> tuple[float, float, float, float]:
        """Return how large the parts of residuals of neighbours are, and whether there are any."""
        before, first, second, third = 0, 0, 0, 0
        for one in neighbours:
            found = self._residuals[one]
            if found is not None:
                before += 1
                first, second, third = first + abs(found[0]), second + abs(found[1]), third + abs(found[2])
        share = before or 1
        return log(1.0 + first / share), log(1.0 + second / share), log(1.0 + third / share), 1.0 if before else 0.0

    def _sign(self, neighbours: Sequence[int]) -> int:
        """Return how many of three neighbours are above where they were expected, less those below."""
        total = 0
        for one in neighbours[:3]:
            found = self._residuals[one]
            if found is not None:
                total += (found[0] > 0) - (found[0] < 0)
        return total


class Parallelograms(Residuals):
    """Residuals of a mesh by itself: a vertex is expected where it makes parallelograms with faces that are placed."""

    def __init__(
        self, coder: Coder, contexts: Contexts, weights: Weights, steps: Steps, valence: Sequence[int]
    ) -> None:
        super().__init__(coder, contexts, steps, len(valence))
        self._weights, self._valence = weights, valence
        self._last = (0.0, 0.0, 0.0)

    def expected(self, step: Step) -> Expected:
        """Return where the vertex of a step with parallelograms is expected: at their mean."""
        points, parallelograms = self.points, step.parallelograms
        count = len(parallelograms)
        neighbours = first, second, third = parallelograms[0]
        frame, length, height = frame_of(points[first], points[second], points[third])
        flat, cx, cy, cz = [], 0.0, 0.0, 0.0
        for first, second, third in parallelograms:
            (ax, ay, az), (bx, by, bz), (dx, dy, dz) = points[first], points[second], points[third]
            x, y, z = ax + bx - dx, ay + by - dy, az + bz - dz
            flat.append((x, y, z))
            cx, cy, cz = cx + x, cy + y, cz + z
        spread = 0.0
        if count > 1:
            cx, cy, cz = cx / count, cy / count, cz / count
            for x, y, z in flat:
                spread = spread + abs(x - cx) + abs(y - cy) + abs(z - cz)
            spread /= count
        unit = self._steps.normal
        features = (
            log(1.0 + length / unit),
            log(1.0 + height / unit),
            *self._nearby(neighbours),
            log(1.0 + spread / unit),
            1.0 if count > 1 else 0.0,
            1.0 if count > 2 else 0.0,
            float(abs(self._valence[step.vertex] - 6)),
        )
        return Expected((cx, cy, cz), frame, neighbours, features, min(count, at.DEGREES) - 1)

    def code_free(self, step: Step, point: Point) -> None:
        """Code a vertex that has no parallelogram, from one of its face or from the last of this kind.

        `point` is where it shall be, on the grid.
        """
        start = self.points[step.near] if step.near >= 0 else self._last
        table = at.NEAR if step.near >= 0 else at.JUMP
        found = []
        for k in range(3):
            told = math.floor((point[k] - start[k]) / self._steps.normal + 0.5)
            size = code_number(self._coder, self._contexts, table, abs(told))
            negative = self._coder.even(2, int(told < 0)) if size else 0
            found.append(rounded(start[k] + (-size if negative else size) * self._steps.normal))
        x, y, z = found
        self.points[step.vertex] = x, y, z
        if step.near < 0:
            self._last = x, y, z

    def _told(self, coder: Coder, expected: Expected, residual: Whole) -> Whole:
        sign = self._sign(expected.neighbours) + 3
        return code_residual(coder, self._contexts, self._weights, expected, sign, residual)


class Estimate:
    """Adds up what decisions would cost; nothing learns from them."""

    def __init__(self) -> None:
        self.bits = 0.0

    def bit(self, contexts: Contexts, context: int, value: int) -> int:
        """Add a decision."""
        self.bits += _COST[(contexts.one[context] if value else 65536 - contexts.one[context]) >> 6]
        return value

    def even(self, size: int, value: int) -> int:
        """Add a number from 0 to size - 1."""
        self.bits += math.log2(size)
        return value


_COST = [-math.log2((k + 0.5) / 1024.0) for k in range(1025)]


def code_residual(
    coder: Coder, contexts: Contexts, weights: Weights, expected: Expected, sign: int, residual: Whole
) -> Whole:
    """Code the three parts of a residual and return them."""
    a, b, c, d, e, f, g, h, i, j = expected.features
    found, known = [0, 0, 0], [0.0, 0.0, 0.0]
    for k in range(3):
        wa, wb, wc, wd, we, wf, wg, wh, wi, wj, first, second, constant = weights[k]
        total = wa * a + wb * b + wc * c + wd * d + we * e + wf * f + wg * g + wh * h + wi * i + wj * j
        total = total + first * known[0] + second * known[1] + constant
        kind = math.floor(total / 32.0) + 4
        table = (k * at.DEGREES + expected.degree) * at.CLASSES + min(max(kind, 0), at.CLASSES - 1)
        lengths, rest = at.LENGTH + table * PREFIX, at.REST + k * PREFIX * MANTISSA
        size = code_magnitude(coder, contexts, lengths, rest, abs(residual[k]))
        if size:
            known[k] = log(1.0 + size)
            context = at.SIGN + k * at.SIGNS + (sign if k == 0 else expected.degree)
            size = -size if coder.bit(contexts, context, int(residual[k] < 0)) else size
        found[k] = size
    return found[0], found[1], found[2]


def frame_of(a: Point, b: Point, c: Point) -> tuple[tuple[Point, Point, Point], float, float]:
    """Return the frame of a face a b c at its edge a b, the length of that, and the height of c above it.

    Whole numbers and float64 additions, products, quotients and roots in this very order: see docs/SPEC.md.
    """
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    length = math.sqrt(ux * ux + uy * uy + uz * uz)
    area = math.sqrt(nx * nx + ny * ny + nz * nz)
    if length == 0.0 or area == 0.0:
        return ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), length, 0.0
    nx, ny, nz = nx / area, ny / area, nz / area
    ux, uy, uz = ux / length, uy / length, uz / length
    across = ny * uz - nz * uy, nz * ux - nx * uz, nx * uy - ny * ux
    return ((nx, ny, nz), (ux, uy, uz), across), length, area / length


def log(value: float) -> float:
    """Return about the power of two that `value`, at least 1, is: exact at powers of two, straight between them."""
    mantissa, exponent = math.frexp(value)
    return exponent - 2.0 + 2.0 * mantissa


def rounded(value: float) -> float:
    """Return the whole number nearest to a coordinate, kept within bounds."""
    whole = float(math.floor(value + 0.5))
    return whole if -FARTHEST <= whole <= FARTHEST else math.copysign(FARTHEST, whole)
