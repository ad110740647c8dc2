"""Members of a group as bytes: each in a closed loop, as coarsely as its bound allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.crossing import Crossing
from meshset.codecs.control_mesh.bitstream import step_code
from meshset.codecs.control_mesh.fitting import Form, Original, form
from meshset.codecs.control_mesh.residuals import GRID, Steps
from meshset.codecs.control_mesh.rounding import Rounding
from meshset.codecs.mesh_group.contexts import member_contexts
from meshset.codecs.mesh_group.decoding import CODED, MOVED, SAME, GroupDecoder, code_kind
from meshset.codecs.mesh_group.fit import MemberFit, Team
from meshset.codecs.mesh_group.members import Plan, Suggestion, code_alone, code_deviations, code_plan
from meshset.codecs.mesh_group.motion import Motion, code_motion
from meshset.codecs.mesh_group.offsets import Pull, Told, pulled
from meshset.codecs.mesh_group.references import weighted
from meshset.coding.adaptive import Writer

_SAMPLES, _SEED = 6_000, 8
_AGAIN = 4
"""Fits to what references suggest as they are decoded."""

_ROUNDED = 0.5
"""Share of the price of bits at which residuals are chosen: the form that they are chosen by has much of it already."""

_SPENT, _NEARLY = 0.985, 0.97
"""A search aims at the first share of the bound, and is content with the second."""

_FALL, _TRIES = 0.35, 6
"""The error falls with the step to this power; steps that are tried for a member."""


@dataclass(frozen=True)
class CodedMember:
    """A member as bytes.

    Attributes:
        payload: its bytes.
        step: how finely it is told.
        error: mean distance to the original.
        size: bytes that tell it, here or in the group.
    """

    payload: bytes
    step: int
    error: float
    size: int


@dataclass(frozen=True)
class Task:
    """A member to be coded.

    Attributes:
        fit: of its points.
        start: the step that is tried first.
        inner: whether others shall refer to it.
    """

    fit: MemberFit
    start: int
    inner: bool


@dataclass(frozen=True)
class Coding:
    """What is needed to code a member.

    Attributes:
        team: all members.
        chunk: the group as far as it is coded.
        bounds: on the distance of each member, in the cube.
    """

    team: Team
    chunk: bytes
    bounds: tuple[float, ...]

    @property
    def decoder(self) -> GroupDecoder:
        """Return what decodes the group so far, one for all tasks of a process."""
        return _decoder(self.chunk)

    def coded(self, task: Task) -> CodedMember:
        """Return a member told as coarsely as is found within its bound, or nearest to it where none is."""
        bound, original = self.bounds[task.fit.member], self.team.original(task.fit.member)
        references = self._references(task.fit)
        suggested = self.decoder.suggestion(Plan(task.start, references)) if references else None
        whole = self._whole(task.fit, original, suggested)
        crossing, tried, step = Crossing(_FALL), dict[int, CodedMember](), task.start
        while step not in tried and len(tried) < _TRIES:
            payload, points = self._written(task, Plan(step, references), suggested, whole)
            error = original.distance(self.team.shape.design.surface(points))
            tried[step] = CodedMember(payload, step, error, len(payload))
            if _NEARLY * bound <= error <= bound:
                break
            crossing.add(-step * math.log(2) / 16.0, math.log(max(error, 1e-12) / (_SPENT * bound)))
            step = step_code(-crossing.next() * 16.0 / math.log(2))
        within = [one for one in tried.values() if one.error <= bound]
        if not within:
            return min(tried.values(), key=lambda one: one.error)
        return min(within, key=lambda one: one.size)

    def _references(self, fit: MemberFit) -> tuple[tuple[int, int], ...]:
        """Return references among inner members, as these are decoded, and their weights."""
        known = [np.array(self.decoder.offsets(place)) / GRID for place in range(len(self.decoder.group.inner))]
        goal = Told.of(self.decoder.hoods).offsets(fit.points) if known else fit.points
        return weighted(goal, known, self.team.steps, exact=True)

    def _whole(self, fit: MemberFit, original: Original, suggested: Suggestion | None) -> Form:
        """Return distance and bits as a form, around a fit to what is suggested by references as they are decoded."""
        design, points = self.team.shape.design, fit.points
        if suggested is None:
            return form(original, design, points, _SAMPLES, _SEED)
        told = Told.of(self.decoder.hoods)
        pull = Pull(np.array(suggested.offsets) / GRID, self.team.steps, fit.price)
        for seed in range(_AGAIN):
            points = pulled(original, design, told, points, pull, 60 + 2 * seed)
        return pull.on(form(original, design, points, _SAMPLES, _SEED), told, points)

    def _written(
        self, task: Task, plan: Plan, suggested: Suggestion | None, whole: Form
    ) -> tuple[bytes, NDArray[np.float64]]:
        """Return a member as bytes, and its points (V, 3) as they are decoded."""
        decoder, shape = self.decoder, self.team.shape
        steps = Steps.of(plan.step, decoder.group.header.ratio)
        writer, contexts = Writer(), member_contexts()
        if not task.inner:
            code_kind(writer, CODED, self.team.matches[task.fit.member].reversed)
        code_plan(writer, contexts, decoder.group, len(decoder.group.inner), plan)
        if suggested is None:
            place = shape.place
            order = place[[one.vertex for one in shape.surface.steps if shape.origin[one.vertex] == one.vertex]]
            points = code_alone(writer, decoder.group, plan.step, Rounding(whole, order, place, steps, task.fit.price))
        else:
            order = np.array([hood.vertex for hood in decoder.hoods])
            chooser = Rounding(whole, order, np.arange(len(order)), steps, _ROUNDED * task.fit.price)
            points = code_deviations(writer, contexts, steps, decoder.hoods, suggested, chooser)
        return writer.to_bytes(), np.array(points) / GRID


@lru_cache(2)
def _decoder(chunk: bytes) -> GroupDecoder:
    return GroupDecoder(chunk)


def same_as(place: int, inner: int, is_reversed: bool, motion: Motion | None = None) -> bytes:
    """Return the payload of a mesh that is an inner member, one of so many, perhaps moved."""
    writer = Writer()
    code_kind(writer, SAME if motion is None else MOVED, is_reversed)
    writer.even(inner, place)
    if motion is not None:
        code_motion(writer, motion)
    return writer.to_bytes()
