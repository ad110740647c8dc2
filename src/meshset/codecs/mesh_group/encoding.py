"""Members of a group as bytes: each in a closed loop, as coarsely as its bound allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.crossing import Crossing
from meshset.codecs.control_mesh.bitstream import step_code
from meshset.codecs.control_mesh.fitting import Design, Form, Original, form
from meshset.codecs.control_mesh.residuals import GRID, Steps
from meshset.codecs.control_mesh.rounding import Rounding
from meshset.codecs.mesh_group.contexts import member_contexts
from meshset.codecs.mesh_group.decoding import CODED, MOVED, SAME, GroupDecoder, code_kind
from meshset.codecs.mesh_group.fit import MemberFit, Team
from meshset.codecs.mesh_group.members import Plan, Suggestion, code_member, code_plan
from meshset.codecs.mesh_group.motion import Motion, code_motion
from meshset.codecs.mesh_group.offsets import Pull, pulled
from meshset.coding.adaptive import Writer

_SAMPLES, _SEED = 6_000, 8
_AGAIN = 2
"""Fits to what references suggest as they are decoded."""

_HELD = 3.0
"""How much more bits of later vertices count while those before are chosen: what is placed turns their frames."""

_SPENT, _NEARLY = 0.97, 0.95
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
        references: places among what is known, and weights.
        start: the step that is tried first.
        inner: whether others shall refer to it.
    """

    fit: MemberFit
    references: tuple[tuple[int, int], ...]
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

    def coded(self, task: Task) -> CodedMember:
        """Return a member told as coarsely as is found within its bound, or nearest to it where none is."""
        bound, original = self.bounds[task.fit.member], self.team.original(task.fit.member)
        suggested = _decoder(self.chunk).suggestion(Plan(task.start, task.references))
        whole = self._whole(task.fit, original, suggested)
        crossing, tried, step = Crossing(_FALL), dict[int, CodedMember](), task.start
        while step not in tried and len(tried) < _TRIES:
            payload, points = self._written(task, step, suggested, whole)
            error = original.distance(self._design.surface(points))
            tried[step] = CodedMember(payload, step, error, len(payload))
            if _NEARLY * bound <= error <= bound:
                break
            crossing.add(-step * math.log(2) / 16.0, math.log(max(error, 1e-12) / (_SPENT * bound)))
            step = step_code(-crossing.next() * 16.0 / math.log(2))
        within = [one for one in tried.values() if one.error <= bound]
        if not within:
            return min(tried.values(), key=lambda one: one.error)
        return min(within, key=lambda one: one.size)

    def _whole(self, fit: MemberFit, original: Original, suggested: Suggestion) -> Form:
        """Return distance and bits as a form, around a fit to what is suggested by references as they are decoded."""
        shape, points = self.team.shape, fit.points
        told = _decoder(self.chunk).group.told
        target = np.array([one for step in told for one in suggested.offsets[step.vertex]]).reshape(-1, 3) / GRID
        pull = Pull(target, self.team.steps, _HELD * fit.price)
        for seed in range(_AGAIN):
            points = pulled(original, shape.design, shape.gates, points, pull, 60 + 2 * seed)
        return pull.on(form(original, shape.design, points, _SAMPLES, _SEED), shape.gates, points)

    def _written(self, task: Task, step: int, suggested: Suggestion, whole: Form) -> tuple[bytes, NDArray[np.float64]]:
        """Return a member as bytes, and its points (V, 3) as they are decoded."""
        group, surface = _decoder(self.chunk).group, self.team.shape.surface
        chooser = Rounding(whole, surface.order, surface.source, Steps.of(step, group.header.ratio), task.fit.price)
        writer, contexts = Writer(), member_contexts()
        if not task.inner:
            code_kind(writer, CODED, self.team.matches[task.fit.member].reversed)
        plan = Plan(step, task.references)
        code_plan(writer, contexts, group, len(group.inner), plan)
        points = code_member(writer, contexts, group, plan, suggested, chooser)
        return writer.to_bytes(), np.array(points)[group.kept] / GRID

    @cached_property
    def _design(self) -> Design:
        group = _decoder(self.chunk).group
        return Design.of(group.faces, len(group.kept), group.sharp, group.header.levels)


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
