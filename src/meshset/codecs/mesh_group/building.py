"""A group as bytes: what its members share, then each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from meshset.codecs.control_mesh.bitstream import Header
from meshset.codecs.mesh_group.encoding import CodedMember, Coding, Task, same_as
from meshset.codecs.mesh_group.fit import RATIO, Shape, Team
from meshset.codecs.mesh_group.group import Group, encode_group
from meshset.codecs.mesh_group.joint import Joint
from meshset.progress import advance
from meshset.workers import each_in_processes


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
    group = _shared(team.shape, step)
    coded: dict[int, CodedMember] = {}
    start = step
    coding = Coding(team, encode_group(group, surface), tuple(bounds))
    for member in fitted.inner:
        advance()
        one = coding.coded(Task(fitted.fits[member], start, inner=True))
        group = replace(group, inner=(*group.inner, one.payload))
        coded[member] = one
        start = one.step
        before, coding = coding, replace(coding, chunk=encode_group(group, surface))
        coding.decoder.adopt(before.decoder)
    rest = [k for k in range(len(team.meshes)) if k not in coded]
    tasks = [Task(fitted.fits[k], start, inner=False) for k in rest]
    for member, one in zip(rest, each_in_processes(coding.coded, tasks), strict=True):
        coded[member] = one
        advance()
    for place, member in enumerate(fitted.inner):
        payload = same_as(place, len(group.inner), team.matches[member].reversed)
        coded[member] = replace(coded[member], payload=payload)
    return Built(coding.chunk, [coded[k] for k in range(len(team.meshes))], fitted.inner)


def _shared(shape: Shape, step: int) -> Group:
    """Return what members share, before any of them is coded."""
    surface, origin = shape.surface, shape.origin
    copies = any(one != vertex for vertex, one in enumerate(origin))
    header = Header(shape.kind.levels, bool(shape.sharp.any()), copies, step, RATIO, len(origin))
    return Group(header, surface.region, surface.steps, origin, shape.kept, shape.faces, shape.sharp)
