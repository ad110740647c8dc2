"""A bound on the error of every mesh: those that miss it climb from rung to rung until one meets it.

The rungs are the set's own codec ("set"); more work on the mesh's payload, the shared part unchanged ("refined"); and
a codec for the mesh by itself ("alone"): of the `candidates` that keep the bound the one of fewest bytes, or ply-zstd,
which loses nothing but what float32 cannot hold. Every mesh is decoded from the bytes that will be stored, and
measured. One that lost a part is not within the bound, however small that part.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshset.codecs.peers.ply import PlyZstdCodec
from meshset.codecs.protocol import CodedMesh, RefiningCodec, Refusal, SetCodec, Settings
from meshset.errors import MeshsetError
from meshset.pipeline.steps.bound import Bound
from meshset.pipeline.steps.candidates import CANDIDATES, Candidate, Wanted, coded_alone
from meshset.pipeline.steps.draft import Draft, Outcome, Reader, draft, drafts, refused
from meshset.pipeline.steps.prepare import NormalisedMeshes, PreparedMesh
from meshset.pipeline.steps.remarks import rung_label
from meshset.progress import advance, stage, tell
from meshset.vocabulary import MESH_GROUP

_NEARER = (1.0, 0.97, 0.5)
"""Shares of the bound that a search keeps, one after the other, until what comes of it is within the bound: the second
for other samples, the third for parts that a mean hides."""

REFINABLE = 2.0
"""Meshes beyond so many times the bound are not worked on further: it would take minutes and not suffice."""


def climb(
    prepared: Sequence[PreparedMesh],
    outcomes: Sequence[Outcome],
    bound: Bound,
    system: SetCodec,
    shared: bytes,
    settings: Settings,
    own: Sequence[Outcome] = (),
) -> list[Outcome]:
    """Bring all meshes of a set within a bound, also those that its codec has refused.

    Args:
        prepared: the meshes.
        outcomes: what the codec of the set made of each.
        bound: to be kept by all.
        system: the codec of the set.
        shared: its shared part.
        settings: device and seed.
        own: what each mesh takes by itself within the bound, where that is known already.

    Returns:
        One outcome for each mesh, its rung and bound stated. Refused are only those that the ordinary codecs refuse,
        too.
    """
    done: dict[int, Outcome] = {
        i: outcome.stating(rung="set", bound=bound.mean) for i, outcome in enumerate(outcomes) if bound.kept_by(outcome)
    }
    near = {i: outcome for i, outcome in enumerate(outcomes) if i not in done and bound.kept_by(outcome, REFINABLE)}
    if near and isinstance(system, RefiningCodec):
        meshes = [prepared[i] for i in near]
        refined = _refined(meshes, list(near.values()), system, shared, settings)
        for i, outcome in zip(near, refined, strict=True):
            if bound.kept_by(outcome):
                done[i] = outcome.stating(rung="refined", bound=bound.mean)
    left = [i for i in range(len(prepared)) if i not in done]
    if own:
        return [done.get(i, one) for i, one in enumerate(own)]
    if left:
        stage("coding by themselves", len(left))
    for i in left:
        missed = outcomes[i]
        done[i] = alone(prepared[i], bound, settings, missed.reason if isinstance(missed, Refusal) else "").outcome
        advance()
    return [done[i] for i in range(len(prepared))]


def tell_rungs(kept: Iterable[Draft], bound: Bound) -> None:
    """Tell how many meshes are on which rung, such as "max error 0.2%: 20 set, 3 refined, 1 draco"."""
    counts = Counter(rung_label(one.entry) for one in kept)
    order = ["set", "refined", MESH_GROUP, *(one.codec.name for one in CANDIDATES), PlyZstdCodec.name]
    stood = ", ".join(f"{counts[name]} {name}" for name in order if counts[name])
    largest = f", max distance {100 * bound.largest:g}%" if bound.largest < math.inf else ""
    tell(f"max error {100 * bound.mean:g}%{largest}: {stood}")


def _refined(
    meshes: Sequence[PreparedMesh], before: Sequence[Draft], system: RefiningCodec, shared: bytes, settings: Settings
) -> list[Outcome]:
    payloads = [one.payload for one in before]
    coded = system.refine(NormalisedMeshes(meshes), payloads, shared, settings)
    stage("decode and measure", len(meshes))
    return list(drafts(Reader.of(system, shared), meshes, coded))


@dataclass(frozen=True)
class Alone:
    """A mesh coded by itself.

    Attributes:
        outcome: what to store.
        takes: bytes of each candidate that can keep the bound.
    """

    outcome: Outcome
    takes: dict[str, int]


def alone(mesh: PreparedMesh, bound: Bound, settings: Settings, refusal: str = "") -> Alone:
    """Code a mesh by itself, by the candidate of fewest bytes that keeps the bound, else without loss.

    `refusal` is why the codec of the set refused it, to be told.
    """
    best: Draft | None = None
    takes: dict[str, int] = {}
    try:
        original = mesh.load()
        wanted = Wanted.of(original, bound.in_cube(mesh.placement.diagonal), settings)
        for candidate in CANDIDATES:
            outcome = _smallest(candidate, wanted, mesh, bound)
            if outcome is not None:
                takes[candidate.codec.name] = len(outcome.payload)
                best = outcome if best is None or len(outcome.payload) < len(best.payload) else best
        if best is None:
            last = _draft_alone(PlyZstdCodec(), mesh, coded_alone(PlyZstdCodec(), original))
            if isinstance(last, Refusal):
                return Alone(last, takes)
            best = last
    except MeshsetError as error:
        return Alone(refused(mesh, error), takes)
    reasons = (f"not coded with its set: {refusal}",) if refusal else ()
    return Alone(best.stating(rung="alone", bound=bound.mean, notes=(*best.entry.notes, *reasons)), takes)


def _smallest(candidate: Candidate, wanted: Wanted, mesh: PreparedMesh, bound: Bound) -> Draft | None:
    """Return what a candidate makes of a mesh within the bound, as it is measured: a search sees fewer samples."""
    for share in _NEARER:
        coded = candidate.smallest(wanted.nearer(share))
        if coded is None:
            return None
        outcome = _draft_alone(candidate.codec, mesh, coded)
        if bound.kept_by(outcome):
            return outcome
    return None


def _draft_alone(codec: SetCodec, mesh: PreparedMesh, coded: CodedMesh | Refusal) -> Outcome:
    return coded if isinstance(coded, Refusal) else draft(Reader.of(codec, None), mesh, coded)
