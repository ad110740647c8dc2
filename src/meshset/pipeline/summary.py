"""What an archive says of itself, read from its index alone; without numpy, so that it is there at once."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

from meshset.archive import ArchiveReader, MeshEntry
from meshset.codecs import codec_label
from meshset.pipeline.steps.rungs import rung_of
from meshset.vocabulary import LONGEST_SIDE


@dataclass(frozen=True)
class MeshSummary:
    """One line of a listing.

    Attributes:
        name: name of the mesh.
        codec: name of its codec, or its number where it is unknown.
        bytes: bytes of the mesh's own payload.
        vertices: vertices of the decoded mesh.
        faces: triangles of the decoded mesh.
        source_vertices: vertices of the mesh that was compressed.
        source_faces: triangles of the mesh that was compressed.
        source_bytes: bytes of the mesh that was compressed, as OBJ text.
        mean_error: mean symmetric surface distance in the cube [-1, 1]^3, None if it was not measured.
        max_error: maximum symmetric surface distance, likewise.
        mean_error_of_diagonal: `mean_error` as a share of the bounding-box diagonal.
        rung: how it came to be stored under a bound on its error (docs/SPEC.md), None if there was no bound.
        bound: that bound, as a share of the bounding-box diagonal.
        notes: what was dropped, repaired or approximated.
    """

    name: str
    codec: str
    bytes: int
    vertices: int
    faces: int
    source_vertices: int
    source_faces: int
    source_bytes: int
    mean_error: float | None
    max_error: float | None
    mean_error_of_diagonal: float | None
    rung: str | None
    bound: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ArchiveSummary:
    """Totals of an archive; all sizes in bytes.

    Attributes:
        meshes: number of meshes.
        archive_bytes: the whole file.
        source_bytes: the meshes that were compressed, as OBJ text.
        ratio: `source_bytes` over `archive_bytes`.
        shared_bytes: parts stored once, such as decoders.
        payload_bytes: what belongs to single meshes.
        index_bytes: header, index and trailer.
        unused_bytes: bytes before the index that no mesh needs, left by meshes that were removed or replaced.
        torn_bytes: bytes behind the last valid index; more than 0 in a damaged file.
        mean_error: mean of the meshes' mean errors in the cube [-1, 1]^3, None if none was measured.
        max_error: largest of the meshes' maximum errors, likewise.
        peak_memory: most memory that decoding one mesh takes.
        format_version: major and minor version of the format.
        settings: what the archive was made with.
    """

    meshes: int
    archive_bytes: int
    source_bytes: int
    ratio: float
    shared_bytes: int
    payload_bytes: int
    index_bytes: int
    unused_bytes: int
    torn_bytes: int
    mean_error: float | None
    max_error: float | None
    peak_memory: int
    format_version: str
    settings: dict[str, Any]


def list_meshes(path: str | os.PathLike[str]) -> list[MeshSummary]:
    """Return one summary a mesh, in stored order. Raises ArchiveError if the index cannot be read."""
    with ArchiveReader(path) as reader:
        return [summarise_mesh(entry) for entry in reader.entries.values()]


def summarise(path: str | os.PathLike[str]) -> ArchiveSummary:
    """Return the totals of an archive. Raises ArchiveError if the index cannot be read."""
    with ArchiveReader(path) as reader:
        entries = list(reader.entries.values())
        source_bytes = sum(entry.source_bytes for entry in entries)
        means = [entry.mean_distance for entry in entries if entry.mean_distance is not None]
        largest = [entry.max_distance for entry in entries if entry.max_distance is not None]
        shared_bytes = sum(part.length for part in reader.shared)
        payload_bytes = sum(entry.length for entry in entries)
        return ArchiveSummary(
            meshes=len(entries),
            archive_bytes=reader.size,
            source_bytes=source_bytes,
            ratio=source_bytes / reader.size,
            shared_bytes=shared_bytes,
            payload_bytes=payload_bytes,
            index_bytes=reader.index_size,
            unused_bytes=reader.size - reader.torn_bytes - shared_bytes - payload_bytes - reader.index_size,
            torn_bytes=reader.torn_bytes,
            mean_error=math.fsum(means) / len(means) if means else None,
            max_error=max(largest, default=None),
            peak_memory=max((entry.peak_memory for entry in entries), default=0),
            format_version="{}.{}".format(*reader.version),
            settings=reader.settings,
        )


def summarise_mesh(entry: MeshEntry) -> MeshSummary:
    """Return what a listing shows of one mesh."""
    rung = rung_of(entry.notes)
    return MeshSummary(
        name=entry.name,
        codec=codec_label(entry.codec_id),
        bytes=entry.length,
        vertices=entry.vertices,
        faces=entry.faces,
        source_vertices=entry.source_vertices,
        source_faces=entry.source_faces,
        source_bytes=entry.source_bytes,
        mean_error=entry.mean_distance,
        max_error=entry.max_distance,
        mean_error_of_diagonal=error_of_diagonal(entry),
        rung=rung.name if rung else None,
        bound=rung.bound if rung else None,
        notes=entry.notes,
    )


def error_of_diagonal(entry: MeshEntry) -> float | None:
    """Return the mean distance as a share of the bounding-box diagonal, None if it was not measured."""
    if entry.mean_distance is None:
        return None
    sides = [high - low for low, high in zip(entry.lower, entry.upper, strict=True)]
    longest = max(sides)
    return entry.mean_distance / (LONGEST_SIDE * math.hypot(*(side / longest for side in sides)))
