"""From the shared part of a group and a payload to a surface."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from meshset.codecs.control_mesh.bitstream import ControlMesh, Reading
from meshset.codecs.control_mesh.residuals import Point, Steps
from meshset.codecs.control_mesh.surface import subdivided
from meshset.codecs.mesh_group.contexts import member_contexts
from meshset.codecs.mesh_group.group import decode_group
from meshset.codecs.mesh_group.hoods import Hood, hoods
from meshset.codecs.mesh_group.members import Plan, Suggestion, code_alone, code_deviations, code_plan, offsets_of
from meshset.codecs.mesh_group.motion import Motion, code_motion
from meshset.coding.adaptive import Coder, Reader
from meshset.errors import ArchiveError
from meshset.geometry import Mesh

CODED, SAME, MOVED = range(3)
"""Kinds of payload: a member by itself, an inner member, or one that is turned, mirrored, scaled and moved."""


class GroupDecoder:
    """Decodes the members of a group; inner ones are decoded when they are needed, and kept."""

    def __init__(self, chunk: bytes) -> None:
        self.group = decode_group(chunk)
        self._inner: dict[int, list[Point]] = {}
        self._offsets: dict[int, list[Point]] = {}

    def adopt(self, other: GroupDecoder) -> None:
        """Take over what a decoder of the same group, with fewer inner members, has decoded."""
        self._inner.update(other._inner)
        self._offsets.update(other._offsets)
        if other._inner:
            self.hoods = other.hoods

    @cached_property
    def hoods(self) -> tuple[Hood, ...]:
        """Return from where vertices are told, by the first inner member. Raises ArchiveError where that is damaged."""
        return hoods(self.inner(0), self.group.faces)

    def decode(self, payload: bytes) -> Mesh:
        """Return the normalised mesh, vertices (V, 3) float32. Raises ArchiveError for bytes that are none."""
        return subdivided(self.control(payload))

    def decode_at(self, payload: bytes, level: int) -> Mesh:
        """Return the mesh after so many levels of subdivision; a flat one as it is.

        Raises:
            ArchiveError: the bytes are no member, or make too many faces at this level.
            ValueError: the level is not 0 to 3.
        """
        return subdivided(self.control(payload), level)

    def control(self, payload: bytes) -> ControlMesh:
        """Return the control mesh of a payload. Raises ArchiveError for bytes that are none."""
        reader, group = Reader(payload), self.group
        kind, is_reversed = code_kind(reader, CODED, is_reversed=False)
        if kind == CODED:
            points = self._points(reader, len(group.inner))
        else:
            if not group.inner:
                raise ArchiveError("a member refers to an inner one of a group that has none")
            points = self.inner(reader.even(len(group.inner), 0))
            points = code_motion(reader, Motion.NONE).applied(points) if kind == MOVED else points
        faces = group.faces[:, ::-1] if is_reversed else group.faces
        return ControlMesh(np.array(points, dtype=np.int64), faces, group.sharp, group.header.levels)

    def inner(self, place: int) -> list[Point]:
        """Return the vertices of an inner member. Raises ArchiveError where it is damaged."""
        if place not in self._inner:
            self._inner[place] = self._points(Reader(self.group.inner[place]), place)
        return self._inner[place]

    def suggestion(self, plan: Plan) -> Suggestion:
        """Return what the references of a plan, at least one, say. Raises ArchiveError where one is damaged."""
        return Suggestion.of([(self.offsets(place), weight) for place, weight in plan.references])

    def offsets(self, place: int) -> list[Point]:
        """Return the offsets of an inner member. Raises ArchiveError where that is damaged."""
        if place not in self._offsets:
            self._offsets[place] = offsets_of(self.hoods, self.inner(place))
        return self._offsets[place]

    def _points(self, reader: Reader, known: int) -> list[Point]:
        contexts, group = member_contexts(), self.group
        plan = code_plan(reader, contexts, group, known, Plan(group.header.step))
        if not plan.references:
            return code_alone(reader, group, plan.step, Reading())
        steps = Steps.of(plan.step, group.header.ratio)
        return code_deviations(reader, contexts, steps, self.hoods, self.suggestion(plan), Reading())


def code_kind(coder: Coder, kind: int, is_reversed: bool) -> tuple[int, bool]:
    """Code what kind of payload follows, and whether the faces run the other way round."""
    found = coder.even(3, kind)
    return found, bool(coder.even(2, int(is_reversed)))
