"""One mesh of a group: where its vertices are, as deviations from what other members of the group suggest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from meshset.codecs.control_mesh import contexts as control
from meshset.codecs.control_mesh.bitstream import STEP_CODES, Chooser, code_vertex
from meshset.codecs.control_mesh.prediction import Step
from meshset.codecs.control_mesh.residuals import Expected, Point, Residuals, Steps, Whole, frame_of, log
from meshset.codecs.mesh_group import contexts as at
from meshset.codecs.mesh_group.group import Group
from meshset.coding.adaptive import Coder, Contexts
from meshset.coding.numbers import MANTISSA, PREFIX, code_magnitude, code_number
from meshset.errors import ArchiveError

UNIT = 64
"""Weights of references are whole numbers of so many parts."""

MOST_REFERENCES = 8
_NOWHERE = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Placed:
    """A mesh of a group.

    Attributes:
        points: of each vertex, on the grid.
        offsets: of each vertex where it is in the frame of each of its gates, from the parallelogram there.
    """

    points: Sequence[Point]
    offsets: Sequence[Sequence[Point]]

    @classmethod
    def of(cls, group: Group, points: Sequence[Point]) -> Placed:
        """Return the mesh of these points."""
        offsets: list[Sequence[Point]] = [()] * len(points)
        for step in group.told:
            x, y, z = points[step.vertex]
            found = []
            for first, second, third in step.parallelograms:
                (ax, ay, az), (bx, by, bz), (cx, cy, cz) = points[first], points[second], points[third]
                (nx, ny, nz), (ex, ey, ez), (tx, ty, tz) = frame_of(points[first], points[second], points[third])[0]
                p, q, r = x - (ax + bx - cx), y - (ay + by - cy), z - (az + bz - cz)
                found.append((p * nx + q * ny + r * nz, p * ex + q * ey + r * ez, p * tx + q * ty + r * tz))
            offsets[step.vertex] = found
        return cls(points, offsets)


@dataclass(frozen=True)
class Plan:
    """How a member is coded.

    Attributes:
        step: as in `Steps.of`.
        references: inner members and the weight of each, in parts of `UNIT`.
    """

    step: int
    references: tuple[tuple[int, int], ...] = ()


def code_plan(coder: Coder, contexts: Contexts, group: Group, known: int, plan: Plan) -> Plan:
    """Code how a member is coded, of which `known` inner members may be references."""
    away = _code_signed(coder, contexts, at.STEP, plan.step - group.header.step)
    step = group.header.step + away
    if not 0 <= step < STEP_CODES:
        raise ArchiveError("a member of a group has an impossible step")
    count = code_number(coder, contexts, at.REFERENCES, len(plan.references))
    if count > min(known, MOST_REFERENCES):
        raise ArchiveError("a member of a group has too many references")
    found = []
    for place in range(count):
        told, weight = plan.references[place] if place < len(plan.references) else (0, 0)
        usual = 0 if place else UNIT
        reference = coder.even(known, told)
        found.append((reference, usual + _code_signed(coder, contexts, at.WEIGHT, weight - usual)))
    return Plan(step, tuple(found))


def _code_signed(coder: Coder, contexts: Contexts, start: int, value: int) -> int:
    size = code_number(coder, contexts, start, abs(value))
    return -size if size and coder.even(2, int(value < 0)) else size


@dataclass(frozen=True)
class Suggestion:
    """What references say of a member.

    Attributes:
        points, offsets: weighted sums of theirs.
        spread: of each vertex, how far the offsets of references at its first gate are from that, on average.
    """

    points: Sequence[Point]
    offsets: Sequence[Sequence[Point]]
    spread: Sequence[Point]

    @classmethod
    def of(cls, group: Group, references: Sequence[tuple[Placed, int]]) -> Suggestion:
        """Add up references with their weights, in their order."""
        count = len(group.region.valence)
        points, spread = [_NOWHERE] * count, [_NOWHERE] * count
        offsets: list[Sequence[Point]] = [()] * count
        for step in group.steps:
            vertex = step.vertex
            points[vertex] = _weighted([(one.points[vertex], weight) for one, weight in references])
            if group.origin[vertex] != vertex:
                continue
            offsets[vertex] = [
                _weighted([(one.offsets[vertex][gate], weight) for one, weight in references])
                for gate in range(len(step.parallelograms))
            ]
            if step.parallelograms and references:
                spread[vertex] = _away(offsets[vertex][0], [one.offsets[vertex][0] for one, _ in references])
        return cls(points, offsets, spread)


def _weighted(parts: Sequence[tuple[Point, int]]) -> Point:
    x, y, z = 0.0, 0.0, 0.0
    for (a, b, c), weight in parts:
        x, y, z = x + a * weight, y + b * weight, z + c * weight
    return x / UNIT, y / UNIT, z / UNIT


def _away(middle: Point, points: Sequence[Point]) -> Point:
    x, y, z = 0.0, 0.0, 0.0
    for a, b, c in points:
        x, y, z = x + abs(a - middle[0]), y + abs(b - middle[1]), z + abs(c - middle[2])
    return x / len(points), y / len(points), z / len(points)


class Deviations(Residuals):
    """Codes a member as what remains after a suggestion."""

    near, jump = at.NEAR, at.JUMP

    def __init__(self, coder: Coder, contexts: Contexts, group: Group, step: int, suggested: Suggestion) -> None:
        steps = Steps.of(step, group.header.ratio)
        super().__init__(coder, contexts, (), steps, group.region.valence)
        self._group, self._suggested = group, suggested
        self._last_suggested = _NOWHERE

    def expected(self, step: Step) -> Expected:
        """Return where the vertex of a step with parallelograms is expected: the mean of what its gates suggest."""
        found, points = super().expected(step), self.points
        frame, p, q, r = found.frame, 0.0, 0.0, 0.0
        for gate, (a, b, c) in enumerate(self._suggested.offsets[step.vertex]):
            if gate:
                first, second, third = step.parallelograms[gate]
                frame = frame_of(points[first], points[second], points[third])[0]
            (nx, ny, nz), (ex, ey, ez), (tx, ty, tz) = frame
            p, q, r = p + (a * nx + b * ex + c * tx), q + (a * ny + b * ey + c * ty), r + (a * nz + b * ez + c * tz)
        (x, y, z), count = found.centre, len(step.parallelograms)
        return found._replace(centre=(x + p / count, y + q / count, z + r / count))

    def code_free(self, step: Step, point: Point) -> None:
        """Code a vertex that has no parallelogram."""
        super().code_free(step, point)
        if step.near < 0:
            self._last_suggested = self._suggested.points[step.vertex]

    def _start(self, step: Step) -> Point:
        (x, y, z), (a, b, c) = super()._start(step), self._suggested.points[step.vertex]
        p, q, r = self._suggested.points[step.near] if step.near >= 0 else self._last_suggested
        return x + (a - p), y + (b - q), z + (c - r)

    def _features(
        self, neighbours: Whole, length: float, height: float, spread: float, count: int, vertex: int
    ) -> tuple[float, ...]:
        (a, b, c), normal, plane = self._suggested.spread[vertex], self._steps.normal, self._steps.plane
        return (
            *self._nearby(neighbours),
            log(1.0 + a / normal),
            log(1.0 + b / plane),
            log(1.0 + c / plane),
        )

    def _told(self, coder: Coder, expected: Expected, residual: Whole) -> Whole:
        a, b, c, before, *spread = expected.features
        found, known = [0, 0, 0], [0.0, 0.0]
        for k in range(3):
            wa, wb, wc, wd, we, first, second, constant = at.WEIGHTS[k]
            total = wa * a + wb * b + wc * c + wd * before + we * spread[k]
            kind = math.floor((total + first * known[0] + second * known[1] + constant) / at.WEIGHT_UNIT)
            table = k * at.CLASSES + min(max(kind, 0), at.CLASSES - 1)
            lengths, rests = at.LENGTH + table * PREFIX, at.REST + k * PREFIX * MANTISSA
            size = code_magnitude(coder, self._contexts, lengths, rests, abs(residual[k]))
            if size:
                if k < 2:
                    known[k] = log(1.0 + size)
                context = at.SIGN + (self._sign(expected) if k == 0 else 6 + k)
                size = -size if coder.bit(self._contexts, context, int(residual[k] < 0)) else size
            found[k] = size
        return found[0], found[1], found[2]


def code_member(
    coder: Coder, contexts: Contexts, group: Group, plan: Plan, suggested: Suggestion, chooser: Chooser
) -> list[Point]:
    """Code where the vertices of a member are, and return it; one without references is coded like any control mesh."""
    found: Residuals
    if plan.references:
        found = Deviations(coder, contexts, group, plan.step, suggested)
    else:
        tables, steps = control.shipped(), Steps.of(plan.step, group.header.ratio)
        found = Residuals(coder, tables.contexts(), tables.weights, steps, group.region.valence)
    for one in group.steps:
        if group.origin[one.vertex] != one.vertex:
            found.points[one.vertex] = found.points[group.origin[one.vertex]]
            continue
        code_vertex(found, one, chooser)
    return found.points
