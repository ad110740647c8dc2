"""From coded meshes to what an archive will say of them: each is decoded from its final bytes and measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meshset.archive import MeshEntry
from meshset.archive.chunks import ChunkWriter
from meshset.codecs.protocol import CodedMesh, MeshDecoder, Refusal, SetCodec
from meshset.errors import MeshsetError
from meshset.evaluation import Parts
from meshset.pipeline.steps.failures import Failure, FailureLog
from meshset.pipeline.steps.measure import measure
from meshset.pipeline.steps.prepare import PreparedMesh
from meshset.progress import advance, tell
from meshset.text import printable


@dataclass(frozen=True)
class Draft:
    """A mesh that can be stored: its entry, whose place in the file is still open, and its payload.

    Attributes:
        entry: everything that is known of the mesh; `shared` is 0 where it needs the shared part of its set, from 1 on
            where it needs that of a group.
        payload: its bytes.
        parts: how many parts the original has, and how many of them did not come back.
    """

    entry: MeshEntry
    payload: bytes
    parts: Parts

    @property
    def error(self) -> float:
        """Mean symmetric surface distance as a share of the bounding-box diagonal."""
        return self.entry.mean_error_of_diagonal or 0.0

    @property
    def largest_error(self) -> float:
        """Largest distance between the surfaces that was seen, likewise."""
        return self.entry.max_error_of_diagonal or 0.0

    def stating(self, **state: Any) -> Draft:
        """Return the same with other values of some fields of the entry."""
        return replace(self, entry=replace(self.entry, **state))


Outcome = Draft | Refusal
"""A mesh that can be stored, or why it cannot."""


@dataclass(frozen=True)
class Reader:
    """What decodes the payloads of some meshes.

    Attributes:
        codec_id: number of the codec that made them.
        decoder: reads them.
        shared: 0 where they need the shared part of their set, else None.
    """

    codec_id: int
    decoder: MeshDecoder
    shared: int | None

    @classmethod
    def of(cls, system: SetCodec, shared: bytes | None) -> Reader:
        """Return the reader of a codec's payloads; `shared` is None for meshes that are coded by themselves."""
        return cls(system.id, system.open(shared or b""), None if shared is None else 0)


def drafts(reader: Reader, prepared: Iterable[PreparedMesh], coded: Iterable[CodedMesh | Refusal]) -> Iterator[Outcome]:
    """Decode and measure what became of each mesh, one by one; a mesh that does not decode is refused."""
    for mesh, one in zip(prepared, coded, strict=True):
        yield one if isinstance(one, Refusal) else draft(reader, mesh, one)
        advance()


def draft(reader: Reader, mesh: PreparedMesh, coded: CodedMesh) -> Outcome:
    """Decode and measure one mesh, and return what to store."""
    try:
        measured = measure(reader.decoder, coded.payload, mesh.load(), mesh.placement)
    except MeshsetError as error:
        # After hours of training one mesh that cannot be measured must not cost the others.
        return refused(mesh, error)
    lower, upper = measured.box
    notes = (*mesh.notes, *coded.notes, *loss_notes(measured.parts))
    entry = MeshEntry(
        name=mesh.name,
        codec_id=reader.codec_id,
        shared=reader.shared,
        offset=0,
        length=len(coded.payload),
        crc32c=0,
        lower=lower,
        upper=upper,
        vertices=measured.vertices,
        faces=measured.faces,
        source_vertices=mesh.vertices,
        source_faces=mesh.faces,
        source_bytes=mesh.obj_bytes,
        mean_distance=measured.mean_distance,
        max_distance=measured.max_distance,
        peak_memory=measured.peak_memory,
        notes=tuple(map(_one_line, notes)),
        open_edges=measured.open_edges,
    )
    return Draft(entry, coded.payload, measured.parts)


def loss_notes(parts: Parts) -> tuple[str, ...]:
    """Return the note of a mesh that lost parts, such as "77 of 85 parts are lost: no surface came back near them"."""
    if not parts.lost:
        return ()
    are, them = ("is", "it") if parts.lost == 1 else ("are", "them")
    of = f"{parts.lost} of {parts.count} parts" if parts.count > 1 else "its only part"
    return (f"{of} {are} lost: no surface came back near {them}",)


def tell_losses(kept: Iterable[Draft]) -> None:
    """Tell the user of each mesh that lost parts."""
    for one in kept:
        for note in loss_notes(one.parts):
            tell(printable(f"{one.entry.name}: {note}; --max-error keeps them all"))


def refused(mesh: PreparedMesh, error: MeshsetError) -> Refusal:
    """Return a refusal for an error, which may begin with the name of the mesh's file."""
    return Refusal(Failure.of(str(mesh.path), error, mesh.path).reason)


def kept_drafts(prepared: Sequence[PreparedMesh], outcomes: Iterable[Outcome], log: FailureLog) -> list[Draft]:
    """Return the meshes that can be stored; `log` gets the others."""
    kept = []
    for mesh, outcome in zip(prepared, outcomes, strict=True):
        if isinstance(outcome, Refusal):
            log.add(Failure(str(mesh.path), outcome.reason))
        else:
            kept.append(outcome)
    return kept


def store(writer: ChunkWriter, kept: Iterable[Draft], numbers: Mapping[int, int | None]) -> list[MeshEntry]:
    """Store meshes and return their entries.

    Args:
        writer: where to.
        kept: what to store.
        numbers: for what entries have as `shared` the number of that shared part in the archive; None for none.
    """
    return [
        writer.copy_mesh(one.entry, one.payload, None if one.entry.shared is None else numbers[one.entry.shared])
        for one in kept
    ]


def store_shared(
    writer: ChunkWriter, shared: Mapping[int, tuple[int, bytes]], kept: Iterable[Draft]
) -> dict[int, int | None]:
    """Store the shared parts that any mesh needs, each with its codec, and return their numbers."""
    needed = {one.entry.shared for one in kept}
    return {k: writer.add_shared(*part) if part[1] else None for k, part in shared.items() if k in needed}


def _one_line(note: str) -> str:
    """Return a note as the archive accepts it; notes may quote what stands in a file."""
    return "".join(character if character.isprintable() else " " for character in note)
