"""Meshes of one connectivity, which are coded together where that takes fewer bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from meshset.codecs.mesh_group.codec import MeshGroupCodec
from meshset.codecs.protocol import Settings
from meshset.geometry.correspondence import connectivity_of
from meshset.pipeline.steps.bound import Bound
from meshset.pipeline.steps.draft import Draft, Outcome, Reader, drafts
from meshset.pipeline.steps.prepare import NormalisedMeshes, PreparedMesh
from meshset.progress import advance, stage, tell
from meshset.text import counted, numbered
from meshset.vocabulary import FEWEST_FRAMES
from meshset.workers import each_in_processes

MOST = 256
"""Meshes of a group; more are several groups."""

_ENTRY_OF_SHARED = 24
"""Bytes of the index that a shared part takes, about."""


@dataclass(frozen=True)
class Grouped:
    """What became of meshes that are coded in groups where that pays.

    Attributes:
        outcomes: of each mesh; `shared` of an entry counts the groups from 1 on.
        shared: the shared part of each group.
    """

    outcomes: list[Outcome]
    shared: tuple[bytes, ...]


def grouped(prepared: Sequence[PreparedMesh], own: Sequence[Outcome], bound: Bound, settings: Settings) -> Grouped:
    """Code meshes of one connectivity in groups where that takes fewer bytes than each by itself.

    Args:
        prepared: the meshes.
        own: what each takes by itself within the bound.
        bound: to be kept by all.
        settings: of the set.
    """
    outcomes, shared = list(own), list[bytes]()
    for members in _families(prepared, own):
        found = _smaller([prepared[k] for k in members], [own[k] for k in members], bound, settings)
        if found is None:
            continue
        chunk, better = found
        shared.append(chunk)
        for k, outcome in better.items():
            outcomes[members[k]] = outcome.stating(shared=len(shared))
    if shared:
        together = sum(isinstance(one, Draft) and one.entry.shared is not None for one in outcomes)
        tell(f"{counted(together, 'mesh', 'meshes')} share connectivity: {counted(len(shared), 'group', 'groups')}")
    return Grouped(outcomes, tuple(shared))


def _families(prepared: Sequence[PreparedMesh], own: Sequence[Outcome]) -> list[list[int]]:
    """Return the meshes of one connectivity, each time at least two and at most `MOST`; frames of sequences apart."""
    alike: dict[tuple[bytes, str], list[int]] = defaultdict(list)
    usable = [k for k, one in enumerate(own) if isinstance(one, Draft)]
    stage("looking for meshes of one connectivity", len(usable))
    found = []
    for connectivity in each_in_processes(_connectivity, [prepared[k] for k in usable]):
        found.append(connectivity)
        advance()
    by_connectivity: dict[bytes, list[int]] = defaultdict(list)
    for k, connectivity in zip(usable, found, strict=True):
        by_connectivity[connectivity].append(k)
    for connectivity, members in by_connectivity.items():
        named = defaultdict(list)
        for k in members:
            named[numbered(prepared[k].name)[0]].append(k)
        for stem, frames in named.items():
            alike[connectivity, stem if len(frames) >= FEWEST_FRAMES else ""] += frames
    ordered = [sorted(one, key=lambda k: (numbered(prepared[k].name), k)) for one in alike.values()]
    parts = [one[start : start + MOST] for one in ordered for start in range(0, len(one), MOST)]
    return [one for one in parts if len(one) > 1]


def _connectivity(mesh: PreparedMesh) -> bytes:
    return connectivity_of(mesh.load().faces)


def _smaller(
    prepared: Sequence[PreparedMesh], own: Sequence[Outcome], bound: Bound, settings: Settings
) -> tuple[bytes, dict[int, Draft]] | None:
    """Return a group's shared part and those of its members that are smaller so, None where it does not pay."""
    stems = {numbered(mesh.name)[0] for mesh in prepared}
    sequence = len(prepared) >= FEWEST_FRAMES and len(stems) == 1 and numbered(prepared[0].name)[1] >= 0
    inside = bound.in_cube(1.0)
    codec = MeshGroupCodec(inside.mean, inside.largest, sequence)
    coded = codec.compress(NormalisedMeshes(prepared), settings)
    if not coded.shared:
        return None
    stage("decode and measure", len(prepared))
    found = drafts(Reader.of(codec, coded.shared), prepared, coded.meshes)
    better: dict[int, Draft] = {}
    saved = 0
    for k, (one, other) in enumerate(zip(found, own, strict=True)):
        if bound.kept_by(one) and isinstance(other, Draft) and len(one.payload) < len(other.payload):
            better[k] = one.stating(rung="alone", bound=bound.mean)
            saved += len(other.payload) - len(one.payload)
    return (coded.shared, better) if saved > len(coded.shared) + _ENTRY_OF_SHARED else None
