"""One mesh of a group: where its vertices are, as deviations from what other members of the group suggest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meshset.codecs.control_mesh import contexts as control
from meshset.codecs.control_mesh.bitstream import STEP_CODES, Chooser, code_vertex
from meshset.codecs.control_mesh.residuals import Expected, Parallelograms, Point, Residuals, Steps, Whole, log
from meshset.codecs.mesh_group import contexts as at
from meshset.codecs.mesh_group.group import Group
from meshset.codecs.mesh_group.hoods import Hood
from meshset.coding.adaptive import Coder, Contexts
from meshset.coding.numbers import MANTISSA, PREFIX, code_magnitude, code_number
from meshset.errors import ArchiveError

UNIT = 64
"""Weights of references are whole numbers of so many parts."""

MOST_REFERENCES = 8


def offsets_of(found: Sequence[Hood], points: Sequence[Point]) -> list[Point]:
    """Return where each vertex is in the frame of its hood, from the middle of that, in the order of hoods."""
    offsets = []
    for hood in found:
        (nx, ny, nz), (ex, ey, ez), (tx, ty, tz) = hood.frame(points)
        (x, y, z), (a, b, c) = points[hood.vertex], hood.middle(points)
        x, y, z = x - a, y - b, z - c
        offsets.append((x * nx + y * ny + z * nz, x * ex + y * ey + z * ez, x * tx + y * ty + z * tz))
    return offsets


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
        offsets: weighted sums of theirs, in the order of hoods.
        spread: how far those of references are from that, on average.
    """

    offsets: Sequence[Point]
    spread: Sequence[Point]

    @classmethod
    def of(cls, references: Sequence[tuple[Sequence[Point], int]]) -> Suggestion:
        """Add up the offsets of references, at least one, with their weights, in their order."""
        offsets = [_weighted(parts) for parts in _by_vertex(references)]
        spread = [_away(one, parts) for one, parts in zip(offsets, _by_vertex(references), strict=True)]
        return cls(offsets, spread)


def _by_vertex(references: Sequence[tuple[Sequence[Point], int]]) -> Iterator[list[tuple[Point, int]]]:
    weights = [weight for _, weight in references]
    for parts in zip(*(offsets for offsets, _ in references), strict=True):
        yield list(zip(parts, weights, strict=True))


def _weighted(parts: Sequence[tuple[Point, int]]) -> Point:
    x, y, z = 0.0, 0.0, 0.0
    for (a, b, c), weight in parts:
        x, y, z = x + a * weight, y + b * weight, z + c * weight
    return x / UNIT, y / UNIT, z / UNIT


def _away(middle: Point, parts: Sequence[tuple[Point, int]]) -> Point:
    x, y, z = 0.0, 0.0, 0.0
    for (a, b, c), _ in parts:
        x, y, z = x + abs(a - middle[0]), y + abs(b - middle[1]), z + abs(c - middle[2])
    return x / len(parts), y / len(parts), z / len(parts)


class Deviations(Residuals):
    """Residuals of a member: what remains after a suggestion."""

    def expected(self, hood: Hood, offset: Point, spread: Point) -> Expected:
        """Return where the vertex of a hood is expected whose offset is suggested."""
        frame, (x, y, z), (a, b, c) = hood.frame(self.points), hood.middle(self.points), offset
        (nx, ny, nz), (ex, ey, ez), (tx, ty, tz) = frame
        centre = (
            x + (a * nx + b * ex + c * tx),
            y + (a * ny + b * ey + c * ty),
            z + (a * nz + b * ez + c * tz),
        )
        normal, plane = self._steps.normal, self._steps.plane
        features = (
            *self._nearby(hood.near),
            log(1.0 + hood.distance / normal),
            log(1.0 + spread[0] / normal),
            log(1.0 + spread[1] / plane),
            log(1.0 + spread[2] / plane),
        )
        return Expected(centre, frame, hood.near, features)

    def _told(self, coder: Coder, expected: Expected, residual: Whole) -> Whole:
        a, b, c, before, far, *spread = expected.features
        found, known = [0, 0, 0], [0.0, 0.0]
        for k in range(3):
            wa, wb, wc, wd, we, wf, first, second, constant = at.WEIGHTS[k]
            total = wa * a + wb * b + wc * c + wd * before + we * far + wf * spread[k]
            kind = math.floor((total + first * known[0] + second * known[1] + constant) / at.WEIGHT_UNIT)
            table = k * at.CLASSES + min(max(kind, 0), at.CLASSES - 1)
            lengths, rests = at.LENGTH + table * PREFIX, at.REST + k * PREFIX * MANTISSA
            size = code_magnitude(coder, self._contexts, lengths, rests, abs(residual[k]))
            if size:
                if k < 2:
                    known[k] = log(1.0 + size)
                context = at.SIGN + (self._sign(expected.neighbours) + 3 if k == 0 else 6 + k)
                size = -size if coder.bit(self._contexts, context, int(residual[k] < 0)) else size
            found[k] = size
        return found[0], found[1], found[2]


def code_alone(coder: Coder, group: Group, step: int, chooser: Chooser) -> list[Point]:
    """Code a member by itself like any control mesh, and return its vertices; `chooser` speaks of the region's."""
    tables, steps = control.shipped(), Steps.of(step, group.header.ratio)
    found = Parallelograms(coder, tables.contexts(), tables.weights, steps, group.region.valence)
    for one in group.steps:
        if group.origin[one.vertex] == one.vertex:
            code_vertex(found, one, chooser)
    return [found.points[vertex] for vertex in group.kept.tolist()]


def code_deviations(
    coder: Coder, contexts: Contexts, steps: Steps, around: Sequence[Hood], suggested: Suggestion, chooser: Chooser
) -> list[Point]:
    """Code how a member deviates from what is suggested, and return its vertices."""
    found = Deviations(coder, contexts, steps, len(around))
    for hood, offset, spread in zip(around, suggested.offsets, suggested.spread, strict=True):
        expected = found.expected(hood, offset, spread)
        found.code(hood.vertex, expected, chooser.residual(hood.vertex, expected, found))
        chooser.placed(hood.vertex, found.points[hood.vertex])
    return found.points
