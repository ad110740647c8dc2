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
from typing import TypeGuard

from meshset.codecs.peers.ply import PlyZstdCodec
from meshset.codecs.protocol import CodedMesh, RefiningCodec, Refusal, SetCodec, Settings
from meshset.errors import MeshsetError
from meshset.pipeline.steps.candidates import CANDIDATES, Candidate, Wanted, coded_alone
from meshset.pipeline.steps.draft import Draft, Outcome, Reader, draft, drafts, refused
from meshset.pipeline.steps.prepare import NormalisedMeshes, PreparedMesh
from meshset.pipeline.steps.remarks import rung_label
from meshset.pipeline.steps.requirements import require_modules
from meshset.progress import advance, stage, tell

MARGIN = 0.98
"""Share of the bound that a measured error may reach: other samples of the same surfaces give another mean, by up to
one or two percent."""

PLACED = 0.99
"""What a search leaves of that for the mesh being placed by a rounded box."""

REFINABLE = 2.0
"""Meshes beyond so many times the bound are not worked on further: it would take minutes and not suffice."""


def check_bound(bound: float) -> None:
    """Raise MeshsetError for a bound that is not a positive number, MissingExtraError unless a mesh can climb."""
    if not (math.isfinite(bound) and bound > 0):
        raise MeshsetError(f"the bound on the error must be above 0, not {bound}")
    require_modules("a bound on the error", "compress", ("fast_simplification",))


def climb(
    prepared: Sequence[PreparedMesh],
    outcomes: Sequence[Outcome],
    bound: float,
    system: SetCodec,
    shared: bytes,
    settings: Settings,
) -> list[Outcome]:
    """Bring all meshes of a set within a bound, also those that its codec has refused.

    Args:
        prepared: the meshes.
        outcomes: what the codec of the set made of each.
        bound: largest mean symmetric surface distance, as a share of the bounding-box diagonal, above 0.
        system: the codec of the set.
        shared: its shared part.
        settings: device and seed.

    Returns:
        One outcome for each mesh, its rung and bound stated. Refused are only those that the ordinary codecs refuse,
        too.
    """
    done: dict[int, Outcome] = {
        i: outcome.stating(rung="set", bound=bound) for i, outcome in enumerate(outcomes) if _within(outcome, bound)
    }
    near = {i: outcome for i, outcome in enumerate(outcomes) if i not in done and _within(outcome, REFINABLE * bound)}
    if near and isinstance(system, RefiningCodec):
        meshes = [prepared[i] for i in near]
        refined = _refined(meshes, list(near.values()), system, shared, settings)
        for i, outcome in zip(near, refined, strict=True):
            if _within(outcome, bound):
                done[i] = outcome.stating(rung="refined", bound=bound)
    left = [i for i in range(len(prepared)) if i not in done]
    if left:
        stage("coding by themselves", len(left))
    for i in left:
        done[i] = alone(prepared[i], outcomes[i], bound, settings)
        advance()
    return [done[i] for i in range(len(prepared))]


def tell_rungs(kept: Iterable[Draft], bound: float) -> None:
    """Tell how many meshes are on which rung, such as "max error 0.2%: 20 set, 3 refined, 1 draco"."""
    counts = Counter(rung_label(one.entry) for one in kept)
    order = ["set", "refined", *(one.codec.name for one in CANDIDATES), PlyZstdCodec.name]
    stood = ", ".join(f"{counts[name]} {name}" for name in order if counts[name])
    tell(f"max error {100 * bound:g}%: {stood}")


def _within(outcome: Outcome, bound: float) -> TypeGuard[Draft]:
    """Say whether a mesh keeps a bound and all of its parts: small ones hardly show in a mean distance."""
    return isinstance(outcome, Draft) and outcome.error <= MARGIN * bound and not outcome.parts.lost


def _refined(
    meshes: Sequence[PreparedMesh], before: Sequence[Draft], system: RefiningCodec, shared: bytes, settings: Settings
) -> list[Outcome]:
    payloads = [one.payload for one in before]
    coded = system.refine(NormalisedMeshes(meshes), payloads, shared, settings)
    stage("decode and measure", len(meshes))
    return list(drafts(Reader.of(system, shared), meshes, coded))


def alone(
    mesh: PreparedMesh, before: Outcome, bound: float, settings: Settings, candidates: Sequence[Candidate] = CANDIDATES
) -> Outcome:
    """Code a mesh by itself, by the candidate of fewest bytes that meets the bound, else without loss.

    `before` is what there is of it already: to be beaten where it keeps the bound, the reason to tell where it is a
    refusal.
    """
    best = before if _within(before, bound) else None
    try:
        original = mesh.load()
        distance = PLACED * MARGIN * bound * mesh.placement.diagonal
        for candidate in candidates:
            limit = math.inf if best is None else len(best.payload)
            coded = candidate.smallest(Wanted(original, distance, limit, settings))
            outcome = None if coded is None else _draft_alone(candidate.codec, mesh, coded)
            if outcome is not None and _within(outcome, bound):
                best = outcome
        if best is None:
            last = _draft_alone(PlyZstdCodec(), mesh, coded_alone(PlyZstdCodec(), original))
            if isinstance(last, Refusal):
                return last
            best = last
    except MeshsetError as error:
        return refused(mesh, error)
    reasons = (f"not coded with its set: {before.reason}",) if isinstance(before, Refusal) and before.reason else ()
    return best.stating(rung="alone", bound=bound, notes=(*best.entry.notes, *reasons))


def _draft_alone(codec: SetCodec, mesh: PreparedMesh, coded: CodedMesh | Refusal) -> Outcome:
    return coded if isinstance(coded, Refusal) else draft(Reader.of(codec, None), mesh, coded)
