"""From coded meshes to an archive: each one is decoded from its final bytes and measured before it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from meshset.archive import MeshEntry
from meshset.archive.chunks import ChunkWriter
from meshset.codecs.protocol import CodedMesh, MeshDecoder, Refusal
from meshset.errors import MeshsetError
from meshset.pipeline.steps.failures import Failure, FailureLog
from meshset.pipeline.steps.measure import Measured, measure
from meshset.pipeline.steps.prepare import CheckedSource
from meshset.progress import advance


@dataclass(frozen=True)
class Place:
    """What the payloads of some meshes have in common.

    Attributes:
        codec_id: number of the codec that made them.
        decoder: reads them.
        alone: whether they need no shared part, though those of their set may.
    """

    codec_id: int
    decoder: MeshDecoder
    alone: bool = False


@dataclass(frozen=True)
class MeasuredMesh:
    """A mesh that decodes, with its source and what was measured."""

    source: CheckedSource
    place: Place
    coded: CodedMesh
    measured: Measured

    @property
    def error(self) -> float:
        """Mean symmetric surface distance as a share of the bounding-box diagonal."""
        return self.measured.mean_distance / self.source.placement.diagonal

    def noting(self, *notes: str) -> MeasuredMesh:
        """Return the same with more notes of the mesh."""
        return replace(self, coded=replace(self.coded, notes=(*self.coded.notes, *notes)))


Outcome = MeasuredMesh | Refusal
"""A mesh that can be stored, or why there is none."""


def measured_meshes(
    place: Place, checked: Iterable[CheckedSource], coded: Iterable[CodedMesh | Refusal]
) -> Iterator[Outcome]:
    """Decode and measure what became of each source, one by one; a mesh that does not decode is refused."""
    for source, one in zip(checked, coded, strict=True):
        yield one if isinstance(one, Refusal) else measured_mesh(place, source, one)
        advance()


def measured_mesh(place: Place, source: CheckedSource, coded: CodedMesh) -> Outcome:
    """Decode and measure one mesh."""
    try:
        return MeasuredMesh(source, place, coded, measure(place.decoder, coded.payload, source.read()))
    except MeshsetError as error:
        # After hours of training one mesh that cannot be measured must not cost the others.
        return refused(source, error)


def refused(source: CheckedSource, error: MeshsetError) -> Refusal:
    """Return a refusal for an error, which may begin with the name of the mesh's file."""
    path = source.source.path
    return Refusal(Failure.of(str(path), error, path).reason)


def kept_meshes(checked: Sequence[CheckedSource], outcomes: Iterable[Outcome], log: FailureLog) -> list[MeasuredMesh]:
    """Return the meshes that can be stored; `log` gets the others."""
    kept = []
    for source, outcome in zip(checked, outcomes, strict=True):
        if isinstance(outcome, Refusal):
            log.add(Failure(str(source.source.path), outcome.reason))
        else:
            kept.append(outcome)
    return kept


def add_measured(writer: ChunkWriter, mesh: MeasuredMesh, shared: int | None) -> MeshEntry:
    """Store one mesh with everything that is known about it.

    Args:
        writer: where to.
        mesh: what to store.
        shared: number in the archive of the shared part that the meshes of its set need, or None.
    """
    source, measured = mesh.source, mesh.measured
    return writer.add_mesh(
        source.source.name,
        mesh.coded.payload,
        codec_id=mesh.place.codec_id,
        shared=None if mesh.place.alone else shared,
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
