"""From coded meshes to an archive: each one is decoded from its final bytes and measured before it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meshset.archive import MeshEntry
from meshset.archive.chunks import ChunkWriter
from meshset.codecs.base import CodedMesh, MeshDecoder, Refusal
from meshset.errors import MeshsetError
from meshset.pipeline.failures import Failure, FailureLog
from meshset.pipeline.measure import Measured, measure
from meshset.pipeline.sources import CheckedSource
from meshset.progress import Progress


@dataclass(frozen=True)
class Place:
    """What the payloads of some meshes have in common.

    Attributes:
        codec_id: number of the codec that made them.
        shared: number in the archive of the shared part that they need, or None.
        decoder: reads them.
    """

    codec_id: int
    shared: int | None
    decoder: MeshDecoder


@dataclass(frozen=True)
class MeasuredMesh:
    """A mesh that decodes, with its source and what was measured."""

    source: CheckedSource
    coded: CodedMesh
    measured: Measured


def coded_meshes(
    checked: Sequence[CheckedSource], coded: Sequence[CodedMesh | Refusal], log: FailureLog
) -> list[tuple[CheckedSource, CodedMesh]]:
    """Return the meshes that were coded, with their sources; `log` gets those that the codec refused."""
    kept = []
    for source, item in zip(checked, coded, strict=True):
        if isinstance(item, Refusal):
            log.add(Failure(str(source.source.path), item.reason))
        else:
            kept.append((source, item))
    return kept


def measured_meshes(
    decoder: MeshDecoder, kept: Sequence[tuple[CheckedSource, CodedMesh]], log: FailureLog, progress: Progress
) -> Iterator[MeasuredMesh]:
    """Yield the meshes that decode, one by one; `log` gets the others."""
    progress.start("decode and measure", len(kept))
    for source, coded in kept:
        path = source.source.path
        try:
            measured = measure(decoder, coded.payload, source.read())
        except MeshsetError as error:
            # After hours of training one mesh that cannot be measured must not cost the others.
            log.add(Failure.of(str(path), error, path))
        else:
            yield MeasuredMesh(source, coded, measured)
        progress.advance()


def add_measured(writer: ChunkWriter, place: Place, mesh: MeasuredMesh) -> MeshEntry:
    """Store one mesh with everything that is known about it."""
    source, measured = mesh.source, mesh.measured
    return writer.add_mesh(
        source.source.name,
        mesh.coded.payload,
        codec_id=place.codec_id,
        shared=place.shared,
        lower=source.placement.lower,
        upper=source.placement.upper,
        vertices=measured.vertices,
        faces=measured.faces,
        source_vertices=source.vertices,
        source_faces=source.faces,
        source_bytes=source.obj_bytes,
        mean_distance=measured.mean_distance,
        max_distance=measured.max_distance,
        peak_memory=measured.peak_memory,
        notes=[_one_line(note) for note in (*source.notes, *mesh.coded.notes, *_open_note(measured))],
    )


def _open_note(measured: Measured) -> tuple[str, ...]:
    edges = measured.boundary_edges
    return (f"comes back open, with {edges} boundary edges",) if edges else ()


def _one_line(note: str) -> str:
    """Return a note as the archive accepts it; notes may quote what stands in a file."""
    return "".join(character if character.isprintable() else " " for character in note)
