"""From the shared part of a group and a payload to a surface."""

from __future__ import annotations

import numpy as np

from meshset.codecs.control_mesh.bitstream import ControlMesh, Reading
from meshset.codecs.control_mesh.residuals import Point
from meshset.codecs.control_mesh.surface import subdivided
from meshset.codecs.mesh_group.contexts import member_contexts
from meshset.codecs.mesh_group.group import decode_group
from meshset.codecs.mesh_group.members import Placed, Plan, Suggestion, code_member, code_plan
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
        self._inner: dict[int, Placed] = {}

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
            points = list(self.inner(reader.even(len(group.inner), 0)).points)
            points = code_motion(reader, Motion.NONE).applied(points) if kind == MOVED else points
        faces = group.faces[:, ::-1] if is_reversed else group.faces
        return ControlMesh(np.array(points, dtype=np.int64)[group.kept], faces, group.sharp, group.header.levels)

    def inner(self, place: int) -> Placed:
        """Return an inner member. Raises ArchiveError where it is damaged."""
        if place not in self._inner:
            reader = Reader(self.group.inner[place])
            self._inner[place] = Placed.of(self.group, self._points(reader, place))
        return self._inner[place]

    def suggestion(self, plan: Plan) -> Suggestion:
        """Return what the references of a plan say. Raises ArchiveError where one is damaged."""
        return Suggestion.of(self.group, [(self.inner(place), weight) for place, weight in plan.references])

    def _points(self, reader: Reader, known: int) -> list[Point]:
        contexts = member_contexts()
        plan = code_plan(reader, contexts, self.group, known, Plan(self.group.header.step))
        return code_member(reader, contexts, self.group, plan, self.suggestion(plan), Reading())


def code_kind(coder: Coder, kind: int, is_reversed: bool) -> tuple[int, bool]:
    """Code what kind of payload follows, and whether the faces run the other way round."""
    found = coder.even(3, kind)
    return found, bool(coder.even(2, int(is_reversed)))
