"""A decoder trained further when meshes join its set: kept only if that pays and harms no mesh of the set.

An archive holds no originals, so the meshes of the set are trained on what they decode to: they become a second
generation. Each is compared with its stored form before anything is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from meshset.archive import ArchiveEditor, ArchiveReader, MeshEntry
from meshset.codecs.protocol import CodedMesh, MeshDecoder, Refusal, RetrainingCodec, Settings
from meshset.errors import ArchiveError, MeshsetError
from meshset.evaluation import lost_parts, surface_distance
from meshset.geometry.diagnosis import boundary_edge_count
from meshset.pipeline.growing.frozen import FrozenSet
from meshset.pipeline.steps.draft import Draft, Outcome, Reader, drafts, store
from meshset.pipeline.steps.measure import SAMPLES, decode
from meshset.pipeline.steps.prepare import NormalisedMeshes, PreparedMesh
from meshset.progress import advance, stage
from meshset.text import counted

TOLERANCE = 1.0
"""How far a mesh of the set may move from its stored form, as a share of its own error."""

GAIN = 0.8
"""Share of their former mean error that the meshes that join must fall below, where there is no bound."""


@dataclass(frozen=True)
class Update:
    """A new shared part with everything that it decodes.

    Attributes:
        shared: its bytes.
        changed: the meshes of the set with their new payloads.
        joined: outcomes of the meshes that join.
    """

    shared: bytes
    changed: tuple[Draft, ...]
    joined: tuple[Outcome, ...]

    def store(self, editor: ArchiveEditor, codec_id: int) -> int:
        """Put the shared part and the meshes of the set in the place of the old ones, and return its number."""
        number = editor.add_shared(codec_id, self.shared)
        for one in self.changed:
            editor.remove(one.entry.name)
        store(editor, self.changed, {0: number})
        return number


def update(
    frozen: FrozenSet, joining: Sequence[tuple[PreparedMesh, Draft]], reader: ArchiveReader, settings: Settings
) -> Update | str:
    """Train a shared part further with meshes that join its set, or say in a few words why it stays as it is.

    Args:
        frozen: what there is.
        joining: the meshes, and what the frozen decoder has made of them.
        reader: where the set is.
        settings: device and seed.
    """
    if not isinstance(frozen.system, RetrainingCodec):
        return f"codec {frozen.system.name} has no decoder that learns"
    stored = [reader.read_payload(entry.name) for entry in frozen.entries]
    prepared, started = [mesh for mesh, _ in joining], [one.payload for _, one in joining]
    coded = frozen.system.retrain(stored, NormalisedMeshes(prepared), started, frozen.shared, settings)
    updated = Reader.of(frozen.system, coded.shared)
    stage("compare with the stored set", len(stored))
    changed = []
    for entry, before, after in zip(frozen.entries, stored, coded.meshes, strict=False):
        try:
            changed.append(_changed(entry, frozen.decoder, before, updated.decoder, after))
        except MeshsetError as error:
            return str(error)
        advance()
    stage("decode and measure", len(prepared))
    joined = tuple(drafts(updated, prepared, coded.meshes[len(stored) :]))
    return Update(coded.shared, tuple(changed), joined)


def objection(frozen: FrozenSet, before: Sequence[Outcome], found: Update, bounded: bool) -> str:
    """Return why an update does not pay, "" if it does.

    No mesh may be lost by it.
    Under a bound, which decides about errors, it must save bytes; else the meshes that join must come clearly nearer.

    Args:
        frozen: what there was.
        before: what would be stored of the meshes that join without the update.
        found: the update, with what would be stored of them with it.
        bounded: whether there is a bound on the error.
    """
    for former, now in zip(before, found.joined, strict=True):
        if isinstance(former, Draft) and isinstance(now, Refusal):
            return f"{former.entry.name} could not be stored with it: {now.reason}"
    if bounded:
        old = len(frozen.shared) + sum(entry.length for entry in frozen.entries) + _bytes(before)
        new = len(found.shared) + _bytes(found.changed) + _bytes(found.joined)
        return "" if new < old else f"the set would take {new} bytes with it, {old} without"
    old_error, new_error = _mean_error(before), _mean_error(found.joined)
    if new_error <= GAIN * old_error:
        return ""
    return f"the new meshes would have a mean error of {new_error:.3%} of the diagonal with it, {old_error:.3%} without"


def _changed(
    entry: MeshEntry, decoder: MeshDecoder, payload: bytes, updated: MeshDecoder, coded: CodedMesh | Refusal
) -> Draft:
    """Return what a mesh of the set would be stored as. Raises MeshsetError where the update would harm it."""
    if isinstance(coded, Refusal) or not entry.mean_distance or entry.max_distance is None:
        raise ArchiveError(f"the error of {entry.name} is not known, or 0")
    again = decode(updated, coded.payload)
    stored = decoder.decode(payload)
    moved, furthest = surface_distance(stored, again.mesh, SAMPLES)
    parts = lost_parts(stored, again.mesh)
    if parts.lost:
        raise ArchiveError(f"{entry.name} would lose {counted(parts.lost, 'part', 'parts')}")
    if moved > TOLERANCE * entry.mean_distance:
        moves = f"{entry.name} would move by {moved:.2e} in the cube [-1, 1]^3"
        raise ArchiveError(f"{moves}, and its own error is {entry.mean_distance:.2e}")
    changed = replace(
        entry,
        vertices=len(again.mesh.vertices),
        faces=len(again.mesh.faces),
        mean_distance=entry.mean_distance + moved,
        max_distance=entry.max_distance + furthest,
        peak_memory=again.peak_memory,
        open_edges=boundary_edge_count(again.mesh),
        generation=entry.generation + 1,
    )
    if not changed.within_bound:
        raise ArchiveError(f"{entry.name} would no longer be within its bound of {100 * (entry.bound or 0):g}%")
    return Draft(changed, coded.payload, parts)


def _bytes(outcomes: Sequence[Outcome]) -> int:
    return sum(len(one.payload) for one in outcomes if isinstance(one, Draft))


def _mean_error(outcomes: Sequence[Outcome]) -> float:
    errors = [one.error for one in outcomes if isinstance(one, Draft)]
    return sum(errors) / len(errors)
