"""Positions as whole steps from where they are expected, in the frame of a face that is placed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from meshset.codecs.control_mesh import contexts as at
from meshset.codecs.control_mesh.prediction import Step
from meshset.coding.adaptive import Coder, Contexts
from meshset.coding.numbers import code_number
from meshset.errors import ArchiveError

Point = tuple[float, float, float]
Whole = tuple[int, int, int]
Weights = tuple[tuple[int, ...], ...]

GRID = 1 << 20
"""Positions are whole numbers of 1 / GRID of the cube's half side."""

FARTHEST = 4 * GRID
"""No coordinate is larger."""

_LONGEST = 24
"""Bits of the largest residual, plus one."""


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


@dataclass(frozen=True)
class Expected:
    """Where a vertex is expected.

    Attributes:
        centre: mean of its parallelograms.
        frame: unit vectors: normal of the first one's face, along its gate, across it.
        degree: number of parallelograms less one, at most 2.
        neighbours: the vertices of that face.
        features: what the size of the residual is expected from, before its own parts are known.
    """

    centre: Point
    frame: tuple[Point, Point, Point]
    degree: int
    neighbours: tuple[int, int, int]
    features: tuple[float, ...]


class Residuals:
    """Codes residuals one after the other; what is placed is known to both sides.

    Attributes:
        points: of each vertex, on the grid.
    """

    def __init__(
        self, coder: Coder, contexts: Contexts, weights: Weights, steps: Steps, valence: Sequence[int]
    ) -> None:
        self.points: list[Point] = [(0.0, 0.0, 0.0)] * len(valence)
        self._residuals: list[Whole | None] = [None] * len(valence)
        self._coder, self._contexts, self._weights = coder, contexts, weights
        self._steps, self._valence = steps, valence
        self._last = (0.0, 0.0, 0.0)

    def expected(self, step: Step) -> Expected:
        """Return where the vertex of a step with parallelograms is expected."""
        points = self.points
        count = float(len(step.parallelograms))
        sums = [0.0, 0.0, 0.0]
        for x, y, z in step.parallelograms:
            a, b, c = points[x], points[y], points[z]
            for k in range(3):
                sums[k] += a[k] + b[k] - c[k]
        centre = sums[0] / count, sums[1] / count, sums[2] / count
        neighbours = step.parallelograms[0]
        a, b, c = (points[one] for one in neighbours)
        frame, length, height = _frame(a, b, c)
        spread = 0.0
        if count > 1:
            for x, y, z in step.parallelograms:
                a, b, c = points[x], points[y], points[z]
                for k in range(3):
                    spread += abs(a[k] + b[k] - c[k] - centre[k])
            spread = spread / count
        features = self._features(neighbours, length, height, spread, len(step.parallelograms), step.vertex)
        degree = min(len(step.parallelograms), at.DEGREES) - 1
        return Expected(centre, frame, degree, neighbours, features)

    def _features(
        self, neighbours: Whole, length: float, height: float, spread: float, count: int, vertex: int
    ) -> tuple[float, ...]:
        before = [found for one in neighbours if (found := self._residuals[one]) is not None]
        share = float(len(before))
        sizes = [log(1.0 + sum(abs(one[k]) for one in before) / share) if before else 0.0 for k in range(3)]
        unit = self._steps.normal
        return (
            log(1.0 + length / unit),
            log(1.0 + height / unit),
            *sizes,
            1.0 if before else 0.0,
            log(1.0 + spread / unit),
            1.0 if count > 1 else 0.0,
            1.0 if count > 2 else 0.0,
            float(abs(self._valence[vertex] - 6)),
        )

    def code(self, step: Step, expected: Expected, residual: Whole) -> None:
        """Code a residual and place the vertex by it."""
        found = code_residual(self._coder, self._contexts, self._weights, expected, self._sign(expected), residual)
        self._residuals[step.vertex] = found
        self.points[step.vertex] = self.placed(expected, found)

    def bits(self, expected: Expected, residual: Whole) -> float:
        """Return what a residual would cost."""
        counter = Estimate()
        code_residual(counter, self._contexts, self._weights, expected, self._sign(expected), residual)
        return counter.bits

    def placed(self, expected: Expected, residual: Whole) -> Point:
        """Return where a residual puts a vertex, on the grid."""
        n, e, t = expected.frame
        a, b, c = residual[0] * self._steps.normal, residual[1] * self._steps.plane, residual[2] * self._steps.plane
        x, y, z = (_rounded(expected.centre[k] + (a * n[k] + b * e[k] + c * t[k])) for k in range(3))
        return x, y, z

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
            found.append(_rounded(start[k] + (-size if negative else size) * self._steps.normal))
        x, y, z = found
        self.points[step.vertex] = x, y, z
        if step.near < 0:
            self._last = x, y, z

    def _sign(self, expected: Expected) -> int:
        """Return the context of the sign of the part along the normal: how many neighbours were above and below."""
        total = 0
        for one in expected.neighbours:
            found = self._residuals[one]
            if found is not None:
                total += (found[0] > 0) - (found[0] < 0)
        return total + 3


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
    features = [*expected.features, 0.0, 0.0, 1.0]
    found = [0, 0, 0]
    for k in range(3):
        total = 0.0
        for weight, feature in zip(weights[k], features, strict=True):
            total += weight * feature
        kind = min(max(math.floor(total / 32.0) + 4, 0), at.CLASSES - 1)
        table = (k * at.DEGREES + expected.degree) * at.CLASSES + kind
        size = _code_size(coder, contexts, table, k, abs(residual[k]))
        if size:
            context = at.SIGN + k * at.SIGNS + (sign if k == 0 else expected.degree)
            size = -size if coder.bit(contexts, context, int(residual[k] < 0)) else size
        found[k] = size
        if k < 2:
            features[10 + k] = log(1.0 + abs(size))
    return found[0], found[1], found[2]


def _code_size(coder: Coder, contexts: Contexts, table: int, part: int, value: int) -> int:
    """Code the size of a part: how many bits size + 1 has, then these, the first two under contexts."""
    start, size = at.LENGTH + table * at.PREFIX, (value + 1).bit_length()
    length = 1
    while coder.bit(contexts, start + min(length, at.PREFIX) - 1, int(size > length)):
        length += 1
        if length > _LONGEST:
            raise ArchiveError("a residual in a chunk is too large")
    number, rest = 1, at.REST + (part * at.PREFIX + min(length, at.PREFIX) - 1) * at.MANTISSA
    for shift in range(length - 2, -1, -1):
        told = (value + 1) >> shift & 1
        number = 2 * number + (coder.bit(contexts, rest + number, told) if number < 4 else coder.even(2, told))
    return number - 1


def _frame(a: Point, b: Point, c: Point) -> tuple[tuple[Point, Point, Point], float, float]:
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


def _rounded(value: float) -> float:
    """Return the whole number nearest to a coordinate, kept within bounds."""
    return min(max(math.floor(value + 0.5), -FARTHEST), FARTHEST) + 0.0
