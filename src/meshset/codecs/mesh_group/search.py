"""The control mesh of a group, how finely it is told, and the group in the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meshset.codecs.common.some import SomeMeshes
from meshset.codecs.control_mesh.bitstream import step_code
from meshset.codecs.control_mesh.coarse import Coarse
from meshset.codecs.control_mesh.fit import Kind
from meshset.codecs.control_mesh.fitting import Original
from meshset.codecs.control_mesh.residuals import GRID, Steps
from meshset.codecs.control_mesh.search import FAST, search
from meshset.codecs.mesh_group.building import Built, built
from meshset.codecs.mesh_group.copies import copies
from meshset.codecs.mesh_group.decoding import GroupDecoder
from meshset.codecs.mesh_group.encoding import CodedMember, same_as
from meshset.codecs.mesh_group.fit import RATIO, Shape, Team
from meshset.codecs.mesh_group.joint import fit_together
from meshset.errors import MeshsetError
from meshset.geometry import Mesh
from meshset.geometry.correspondence import Match
from meshset.progress import advance, stage
from meshset.text import counted
from meshset.vocabulary import Preset
from meshset.workers import each_in_processes

_STEP = 8.0
"""Steps along the normal, in bounds, that are tried first."""

_SAMPLE, _FEW = 6, 10
"""Members by which the number of faces is chosen, in groups of more than so many."""

_FACES, _FINER = 1.1, 1.25
"""Faces of a group's control mesh, beside those of a mesh by itself, that are tried first; the step to the next."""

_MORE = 2
"""How often a group is tried with more faces because members are not within their bounds."""

_LITTLE = 0.05
"""Share of all bytes for which a group is not tried with more faces."""

_MISSED = 1.5
"""What a member counts for that is not within its bound, beside the first mesh by itself."""


@dataclass(frozen=True)
class CodedGroup:
    """A group as bytes.

    Attributes:
        chunk: what is shared.
        members: of each mesh what became of it.
        notes: what was approximated in all of them.
    """

    chunk: bytes
    members: list[CodedMember]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Trial:
    """A group that was coded, and how finely its members had to be told."""

    shape: Shape
    result: Built
    step: int


class _Search:
    """Codes members that are no copies."""

    def __init__(
        self,
        meshes: Sequence[Mesh],
        matches: Sequence[Match],
        bounds: Sequence[float],
        largest_counts: float,
        sequence: bool,
    ) -> None:
        self._meshes, self._matches, self._bounds = meshes, list(matches), list(bounds)
        self._largest_counts, self._sequence = largest_counts, sequence
        self._coarse = Coarse(meshes[0])
        self._alone_bytes = 0

    def run(self, preset: Preset, needed: Sequence[int]) -> _Trial:
        """Return the group with as many faces as take the fewest bytes; `needed` members are inner ones."""
        alone = search(Original(self._meshes[0], self._largest_counts), self._bounds[0], FAST, self._coarse)
        if alone is None:
            raise MeshsetError("the first mesh of a group has no control mesh within its bound")
        self._alone_bytes = len(alone.payload)
        kind, faces = alone.fit.kind, round(_FACES * len(alone.fit.faces))
        step = step_code(16.0 * math.log2(_STEP * float(np.median(self._bounds)) * GRID))
        everyone = list(range(len(self._meshes)))
        sample = everyone[:: -(-len(everyone) // _SAMPLE)]
        if preset != "fast":
            self._take_reference(sample, kind, faces, step)
        if preset != "fast" and len(everyone) > _FEW:
            faces, step = self._narrowed(sample, kind, faces, step)
        best = self._tried(everyone, kind, faces, step, needed, brief=preset == "fast")
        for _ in range(_MORE):
            missed = sum(one.error > bound for one, bound in zip(best.result.members, self._bounds, strict=True))
            if missed * _MISSED * self._alone_bytes <= _LITTLE * self._cost(best, everyone):
                break
            faces = round(_FINER * _FINER * faces)
            finer = self._tried(everyone, kind, faces, best.step, needed, brief=preset == "fast")
            if self._cost(finer, everyone) >= self._cost(best, everyone):
                break
            best = finer
        return best

    def _narrowed(self, sample: list[int], kind: Kind, faces: int, step: int) -> tuple[int, int]:
        """Return the number of faces by which a sample takes the fewest bytes, and about the step of its members."""
        tried = {faces: self._tried(sample, kind, faces, step, (), brief=True)}
        for factor in (_FINER, 1.0 / _FINER):
            at = faces
            while True:
                further = round(at * factor)
                tried[further] = self._tried(sample, kind, further, tried[at].step, (), brief=True)
                if self._cost(tried[further], sample) >= self._cost(tried[at], sample):
                    break
                at = further
            if at != faces:
                break
        best = min(tried, key=lambda one: self._cost(tried[one], sample))
        return best, tried[best].step

    def _cost(self, trial: _Trial, sample: list[int]) -> float:
        """Return about what the meshes of a sample take; those that are not within their bound are coded elsewhere."""
        missed = _MISSED * self._alone_bytes
        sizes = [
            one.size if one.error <= self._bounds[k] else missed
            for k, one in zip(sample, trial.result.members, strict=True)
        ]
        inner = sum(trial.result.members[place].size for place in trial.result.inner)
        return float(sum(sizes)) + (len(trial.result.chunk) - inner) * len(sample) / len(self._meshes)

    def _take_reference(self, sample: list[int], kind: Kind, faces: int, step: int) -> None:
        """Take that mesh of a sample as the one that is simplified whose control mesh is nearest to all of these."""
        stage(f"choosing among {counted(len(sample), 'control mesh', 'control meshes')}", len(sample))
        matches, nearest, best = self._matches, math.inf, (self._matches, self._coarse)
        for candidate in sample:
            if candidate:
                self._matches = [one.onto(matches[candidate]) for one in matches]
                self._coarse = Coarse(self._meshes[candidate])
            team = self._team(sample, kind, faces, step)
            errors = [fit.error for fit in each_in_processes(team.alone, range(len(sample)))]
            away = sum(error / self._bounds[k] for k, error in zip(sample, errors, strict=True))
            if away < nearest:
                nearest, best = away, (self._matches, self._coarse)
            advance()
        self._matches, self._coarse = best

    def _team(self, members: list[int], kind: Kind, faces: int, step: int) -> Team:
        shape = Shape.of(self._coarse.mesh, self._coarse.of(faces), kind)
        steps = Steps.of(step, RATIO)
        return Team(
            SomeMeshes(self._meshes, members),
            [self._matches[k] for k in members],
            shape,
            np.array([steps.normal, steps.plane, steps.plane]) / GRID,
            self._largest_counts,
        )

    def _tried(
        self, members: list[int], kind: Kind, faces: int, step: int, needed: Sequence[int], brief: bool
    ) -> _Trial:
        team = self._team(members, kind, faces, step)
        bounds = [self._bounds[k] for k in members]
        fitted = fit_together(team, bounds, self._sequence, needed, brief)
        result = built(team, bounds, fitted, step)
        return _Trial(team.shape, result, round(float(np.median([one.step for one in result.members]))))


def coded_group(
    meshes: Sequence[Mesh],
    matches: Sequence[Match],
    bounds: Sequence[float],
    largest_counts: float,
    preset: Preset,
    sequence: bool,
) -> CodedGroup:
    """Code meshes of one connectivity.

    Args:
        meshes: normalised; loaded when they are indexed.
        matches: how each lies on the first.
        bounds: on the distance of each, in the cube.
        largest_counts: as in `Original`.
        preset: how hard to search.
        sequence: whether they are frames in order.

    Raises:
        MeshsetError: they cannot be coded as a group.
    """
    twins = {} if sequence else copies(meshes, matches, bounds)
    own = [k for k in range(len(meshes)) if k not in twins]
    needed = sorted({own.index(one.source) for one in twins.values()})
    some, placed = SomeMeshes(meshes, own), [matches[k] for k in own]
    trial = _Search(some, placed, [bounds[k] for k in own], largest_counts, sequence).run(preset, needed)
    members: dict[int, CodedMember] = dict(zip(own, trial.result.members, strict=True))
    decoder = GroupDecoder(trial.result.chunk)
    for k, copy in twins.items():
        place = trial.result.inner.index(own.index(copy.source))
        payload = same_as(place, len(decoder.group.inner), matches[k].reversed, copy.motion)
        error = Original(meshes[k], largest_counts).distance(decoder.decode(payload))
        members[k] = CodedMember(payload, trial.step, error, len(payload))
    return CodedGroup(trial.result.chunk, [members[k] for k in range(len(meshes))], trial.shape.notes)
