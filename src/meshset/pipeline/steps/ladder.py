"""A bound on the error of every mesh: those that miss it climb from rung to rung until one meets it.

The rungs are the set's own codec ("set"); more work on the mesh's payload, the shared part unchanged ("refined"); and
an ordinary codec for the mesh by itself ("alone"): Draco, after simplification where that saves bytes, at the setting
of fewest bytes that meets the bound, or ply-zstd, which loses nothing but what float32 cannot hold. Every mesh is
decoded from the bytes that will be stored, and measured. One that lost a part is not within the bound, however small
that part.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeGuard

from meshset.codecs.peers.draco import DracoCodec
from meshset.codecs.peers.ply import PlyZstdCodec
from meshset.codecs.peers.simplification import simplify
from meshset.codecs.protocol import CodedMesh, RefiningCodec, Refusal, SetCodec, Settings
from meshset.errors import MeshFileError, MeshsetError
from meshset.evaluation import lost_parts, surface_distance
from meshset.geometry import Mesh
from meshset.pipeline.steps.draft import Draft, Outcome, Reader, draft, drafts, refused
from meshset.pipeline.steps.measure import SAMPLES
from meshset.pipeline.steps.prepare import NormalisedMeshes, PreparedMesh
from meshset.pipeline.steps.remarks import rung_label
from meshset.pipeline.steps.requirements import require_modules
from meshset.progress import Silent, advance, listening, stage, tell

MARGIN = 0.98
"""Share of the bound that a measured error may reach: other samples of the same surfaces give another mean, by up to
one or two percent."""

PLACED = 0.99
"""What a search leaves of that for the mesh being placed by a rounded box."""

REFINABLE = 2.0
"""Meshes beyond so many times the bound are not worked on further: it would take minutes and not suffice."""

BITS = range(5, 21)
"""Quantisations of Draco that are tried."""

KEPT = (1.0, 0.5, 0.25, 0.1, 0.05)
"""Shares of the faces that are tried."""


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
        done[i] = _alone(prepared[i], outcomes[i], bound)
        advance()
    return [done[i] for i in range(len(prepared))]


def tell_rungs(kept: Iterable[Draft], bound: float) -> None:
    """Tell how many meshes are on which rung, such as "max error 0.2%: 20 set, 3 refined, 1 draco"."""
    counts = Counter(rung_label(one.entry) for one in kept)
    order = ["set", "refined", DracoCodec.name, PlyZstdCodec.name]
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


def _alone(mesh: PreparedMesh, before: Outcome, bound: float) -> Outcome:
    """Code a mesh with the ordinary codec of fewest bytes that meets the bound, else without loss."""
    reasons = (f"not coded with its set: {before.reason}",) if isinstance(before, Refusal) else ()
    try:
        original = mesh.load()
        coded = _smallest_draco(original, PLACED * MARGIN * bound * mesh.placement.diagonal)
        outcome = None if coded is None else _draft_alone(DracoCodec(), mesh, coded)
        if outcome is None or not _within(outcome, bound):
            outcome = _draft_alone(PlyZstdCodec(), mesh, _coded(PlyZstdCodec(), original))
    except MeshsetError as error:
        return refused(mesh, error)
    if isinstance(outcome, Refusal):
        return outcome
    return outcome.stating(rung="alone", bound=bound, notes=(*outcome.entry.notes, *reasons))


def _draft_alone(codec: SetCodec, mesh: PreparedMesh, coded: CodedMesh | Refusal) -> Outcome:
    return coded if isinstance(coded, Refusal) else draft(Reader.of(codec, None), mesh, coded)


def _smallest_draco(mesh: Mesh, distance: float) -> CodedMesh | None:
    """Return the fewest bytes that Draco needs for a mean distance, in the cube, and all parts; None if it cannot."""
    best: CodedMesh | None = None
    faces = len(mesh.faces) + 1
    for kept in KEPT:
        simple, notes = simplify(mesh, kept)
        if len(simple.faces) == faces:
            break  # a mesh of so few faces that none can go
        faces = len(simple.faces)
        coded = _coarsest_draco(mesh, simple, distance)
        if coded is None:
            break  # nor will fewer faces do
        if best is None or len(coded.payload) < len(best.payload):
            share = (f"simplified to {kept:.0%} of its faces",) if kept < 1 else ()
            best = CodedMesh(coded.payload, (*notes, *share, *coded.notes))
    return best


def _coarsest_draco(mesh: Mesh, simple: Mesh, distance: float) -> CodedMesh | None:
    """Return `simple` at the coarsest quantisation within a mean distance of `mesh` and with all its parts, or None."""
    decoder = DracoCodec().open(b"")

    def keeps(bits: int) -> bool:
        coded = _coded(DracoCodec(bits), simple)
        if isinstance(coded, Refusal):
            return False
        try:
            decoded = decoder.decode(coded.payload)
            return surface_distance(mesh, decoded, SAMPLES)[0] <= distance and not lost_parts(mesh, decoded).lost
        except MeshFileError:  # so coarse that no area is left
            return False

    place = bisect_left(BITS, True, key=keeps)
    if place == len(BITS):
        return None
    coded = _coded(DracoCodec(BITS[place]), simple)
    return None if isinstance(coded, Refusal) else coded


def _coded(codec: SetCodec, mesh: Mesh) -> CodedMesh | Refusal:
    with listening(Silent()):
        return codec.compress([mesh], Settings()).meshes[0]
