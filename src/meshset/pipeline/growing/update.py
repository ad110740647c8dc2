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
from meshset.pipeline.growing.frozen import Base
from meshset.pipeline.steps.measure import measure
from meshset.pipeline.steps.prepare import LazyMeshes
from meshset.pipeline.steps.rungs import rung_of
from meshset.pipeline.steps.store import MeasuredMesh, Outcome, Place, measured_meshes
from meshset.pipeline.summary import error_of_diagonal
from meshset.progress import advance, stage

TOLERANCE = 1.0
"""How far a mesh of the set may move from its stored form, as a share of its own error."""

GAIN = 0.8
"""Share of their former mean error that the meshes that join must fall below, where there is no bound."""

SECOND = "coded again from its stored form when the decoder was updated; its errors are those stored plus the change"


@dataclass(frozen=True)
class Update:
    """A new shared part with everything that it decodes.

    Attributes:
        shared: its bytes.
        changed: the meshes of the set with their new payloads.
        joined: outcomes of the meshes that join.
    """

    shared: bytes
    changed: tuple[tuple[MeshEntry, bytes], ...]
    joined: tuple[Outcome, ...]

    def store(self, editor: ArchiveEditor, codec_id: int) -> int:
        """Put the shared part and the meshes of the set in the place of the old ones, and return its number."""
        number = editor.add_shared(codec_id, self.shared)
        for entry, payload in self.changed:
            editor.remove(entry.name)
            editor.copy_mesh(entry, payload, number)
        return number


def update(base: Base, joining: Sequence[MeasuredMesh], reader: ArchiveReader, settings: Settings) -> Update | str:
    """Train a shared part further with meshes that join its set, or say in a few words why it stays as it is.

    Args:
        base: what there is.
        joining: the meshes, as the frozen decoder has coded them.
        reader: where the set is.
        settings: device and seed.
    """
    if not isinstance(base.system, RetrainingCodec):
        return f"codec {base.system.name} has no decoder that learns"
    stored = [reader.read_payload(entry.name) for entry in base.entries]
    sources = [mesh.source for mesh in joining]
    started = [mesh.coded.payload for mesh in joining]
    coded = base.system.retrain(stored, LazyMeshes(sources), started, base.shared, settings)
    place = Place(base.system.id, base.system.open(coded.shared))
    stage("compare with the stored set", len(stored))
    changed = []
    for entry, before, after in zip(base.entries, stored, coded.meshes, strict=False):
        try:
            changed.append(_changed(entry, base.decoder, before, place.decoder, after))
        except MeshsetError as error:
            return str(error)
        advance()
    stage("decode and measure", len(sources))
    joined = tuple(measured_meshes(place, sources, coded.meshes[len(stored) :]))
    return Update(coded.shared, tuple(changed), joined)


def objection(base: Base, before: Sequence[Outcome], found: Update, bounded: bool) -> str:
    """Return why an update does not pay, "" if it does.

    No mesh may be lost by it.
    Under a bound, which decides about errors, it must save bytes; else the meshes that join must come clearly nearer.

    Args:
        base: what there was.
        before: what would be stored of the meshes that join without the update.
        found: the update, with what would be stored of them with it.
        bounded: whether there is a bound on the error.
    """
    for former, now in zip(before, found.joined, strict=True):
        if isinstance(former, MeasuredMesh) and isinstance(now, Refusal):
            return f"{former.source.source.name} could not be stored with it: {now.reason}"
    if bounded:
        old = len(base.shared) + sum(entry.length for entry in base.entries) + _bytes(before)
        new = len(found.shared) + sum(len(payload) for _, payload in found.changed) + _bytes(found.joined)
        return "" if new < old else f"the set would take {new} bytes with it, {old} without"
    old_error, new_error = _mean_error(before), _mean_error(found.joined)
    if new_error <= GAIN * old_error:
        return ""
    return f"the new meshes would have a mean error of {new_error:.3%} of the diagonal with it, {old_error:.3%} without"


def _changed(
    entry: MeshEntry, decoder: MeshDecoder, payload: bytes, updated: MeshDecoder, coded: CodedMesh | Refusal
) -> tuple[MeshEntry, bytes]:
    """Return what a mesh of the set would be stored as. Raises MeshsetError where the update would harm it."""
    error = error_of_diagonal(entry)
    if isinstance(coded, Refusal) or error is None or not entry.mean_distance or entry.max_distance is None:
        raise ArchiveError(f"the error of {entry.name} is not known, or 0")
    moved = measure(updated, coded.payload, decoder.decode(payload))
    if moved.mean_distance > TOLERANCE * entry.mean_distance:
        moves = f"{entry.name} would move by {moved.mean_distance:.2e} in the cube [-1, 1]^3"
        raise ArchiveError(f"{moves}, and its own error is {entry.mean_distance:.2e}")
    notes = entry.notes if SECOND in entry.notes else (*entry.notes, SECOND)
    changed = replace(
        entry,
        vertices=moved.vertices,
        faces=moved.faces,
        mean_distance=entry.mean_distance + moved.mean_distance,
        max_distance=entry.max_distance + moved.max_distance,
        peak_memory=moved.peak_memory,
        notes=notes,
    )
    rung, error = rung_of(entry.notes), error_of_diagonal(changed)
    if rung and (error is None or error > rung.bound):
        raise ArchiveError(f"{entry.name} would no longer be within its bound of {100 * rung.bound:g}%")
    return changed, coded.payload


def _bytes(outcomes: Sequence[Outcome]) -> int:
    return sum(len(outcome.coded.payload) for outcome in outcomes if isinstance(outcome, MeasuredMesh))


def _mean_error(outcomes: Sequence[Outcome]) -> float:
    errors = [outcome.error for outcome in outcomes if isinstance(outcome, MeasuredMesh)]
    return sum(errors) / len(errors)
