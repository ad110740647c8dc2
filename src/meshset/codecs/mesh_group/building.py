"""A group as bytes: what its members share, then each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh.bitstream import Header, welded
from meshset.codecs.control_mesh.residuals import Weights, Whole
from meshset.codecs.mesh_group.contexts import SCALE_BITS
from meshset.codecs.mesh_group.encoding import CodedMember, Coding, Task, same_as
from meshset.codecs.mesh_group.fit import RATIO, Shape, Team
from meshset.codecs.mesh_group.group import Group, encode_group
from meshset.codecs.mesh_group.joint import Joint
from meshset.workers import each_in_processes

_SCALES_FROM = 16
"""From so many members on the scale of each vertex is told."""

_GUESS: Weights = (
    (24, 4, 4, -8, 12, 16, 0, 0, 12),
    (4, 24, 8, -8, 12, 16, 8, 0, 8),
    (4, 8, 24, -8, 12, 16, 4, 8, 8),
)
"""Weights of features: those of `members.Deviations`."""


@dataclass(frozen=True)
class Built:
    """A group, coded.

    Attributes:
        chunk: what is shared.
        members: of each what became of it.
        inner: which of them others refer to, in order.
    """

    chunk: bytes
    members: list[CodedMember]
    inner: list[int]


def built(team: Team, bounds: Sequence[float], fitted: Joint, step: int) -> Built:
    """Code members that are fitted together, each as coarsely as its bound allows."""
    surface = team.shape.surface
    group = _shared(team.shape, fitted, step, team.steps)
    coded: dict[int, CodedMember] = {}
    start = step
    for member in fitted.inner:
        coding = Coding(team, encode_group(group, surface), tuple(bounds))
        one = coding.coded(Task(fitted.fits[member], fitted.references[member], start, inner=True))
        group = replace(group, inner=(*group.inner, one.payload))
        coded[member] = one
        start = one.step
    coding = Coding(team, encode_group(group, surface), tuple(bounds))
    rest = [k for k in range(len(team.meshes)) if k not in coded]
    tasks = [Task(fitted.fits[k], fitted.references[k], start, inner=False) for k in rest]
    coded |= zip(rest, each_in_processes(coding.coded, tasks), strict=True)
    for place, member in enumerate(fitted.inner):
        payload = same_as(place, len(group.inner), team.matches[member].reversed)
        coded[member] = replace(coded[member], payload=payload)
    return Built(coding.chunk, [coded[k] for k in range(len(team.meshes))], fitted.inner)


def _shared(shape: Shape, fitted: Joint, step: int, steps: NDArray[np.float64]) -> Group:
    """Return what members share, before any of them is coded."""
    surface = shape.surface
    first: dict[int, int] = {}
    for one in surface.steps:
        first.setdefault(int(surface.source[one.vertex]), one.vertex)
    origin = [first.get(one, vertex) for vertex, one in enumerate(surface.source.tolist())]
    kept, faces = welded(surface.region, origin)
    sharp = surface.as_decoded(shape.faces, shape.sharp)
    copies = any(one != vertex for vertex, one in enumerate(origin))
    header = Header(shape.kind.levels, bool(sharp.any()), copies, step, RATIO, len(origin))
    group = Group(header, surface.region, surface.steps, origin, kept, faces, sharp, _GUESS)
    if fitted.usual is not None:
        group = replace(group, usual=_by_vertex(group, np.round(fitted.usual / steps)))
    if len(fitted.fits) >= _SCALES_FROM:
        group = replace(group, scales=_scales(group, fitted.deviations))
    return group


def _by_vertex(group: Group, whole: NDArray[np.float64]) -> list[list[Whole]]:
    """Return whole numbers (G, 3) of gates by the vertices of the region that these tell."""
    found: list[list[Whole]] = [[] for _ in group.origin]
    rows = iter(whole.astype(int).tolist())
    for step in group.told:
        for _ in step.parallelograms:
            a, b, c = next(rows)
            found[step.vertex].append((a, b, c))
    return found


def _scales(group: Group, deviations: NDArray[np.float64]) -> list[Whole]:
    """Return how large residuals usually are of each vertex, in half powers of two."""
    sizes = np.log2(1.0 + np.abs(np.round(deviations))).mean(axis=0)
    halves = np.minimum(np.round(2.0 * sizes), (1 << SCALE_BITS) - 1).astype(int).tolist()
    found: list[Whole] = [(0, 0, 0)] * len(group.origin)
    for step, (a, b, c) in zip(group.told, halves, strict=True):
        found[step.vertex] = a, b, c
    return found
