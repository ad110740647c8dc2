"""What an archive says of itself, read from its index alone; without numpy, so that it is there at once."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshset.archive import MeshEntry
from meshset.codecs import codec_label
from meshset.pipeline.steps.remarks import remarks, rung_label
from meshset.remote import ArchiveLike, open_reader
from meshset.text import numbered, printable, share, size, table
from meshset.vocabulary import FEWEST_FRAMES, MESH_GROUP


class Listing(tuple[MeshEntry, ...]):
    """The meshes of an archive in stored order.

    As text a table, in which frames of a sequence that are coded together are one line, and a line for each mesh with
    something to tell.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return self.table()

    __repr__ = __str__

    def table(self, columns: int | None = None) -> str:
        """Return the table, with names shortened so that a row fits into `columns` if that is given."""
        header = ["name", "codec", "bytes", "faces", "mean error", "max error"]
        rows = [_row(meshes) for meshes in _folded(self)]
        told = [printable(f"{mesh.name}: {'; '.join(lines)}") for mesh in self if (lines := remarks(mesh))]
        aligned = table(header, rows, [False, False, True, True, True, True], columns)
        return "\n".join([aligned, "", *told] if told else [aligned])


def _folded(meshes: Iterable[MeshEntry]) -> list[list[MeshEntry]]:
    """Return each mesh by itself, but frames of a sequence that share a part of the archive together."""
    found: dict[tuple[object, ...], list[MeshEntry]] = {}
    for mesh in meshes:
        stem, number = numbered(mesh.name)
        alike = number >= 0 and mesh.shared is not None and codec_label(mesh.codec_id) == MESH_GROUP
        found.setdefault((stem, mesh.shared) if alike else (mesh.name,), []).append(mesh)
    parts = [[one] if len(one) >= FEWEST_FRAMES else [[mesh] for mesh in one] for one in found.values()]
    return [meshes for part in parts for meshes in part]


def _row(meshes: Sequence[MeshEntry]) -> list[str]:
    """Return what the table says of a mesh, or of several: all bytes, most faces, mean and largest of errors."""
    numbers = [numbered(mesh.name)[1] for mesh in meshes]
    stem = numbered(meshes[0].name)[0]
    digits = meshes[0].name.removeprefix(stem)
    name = meshes[0].name
    if len(meshes) > 1:
        first, last = (f"{number:0{len(digits)}d}" for number in (min(numbers), max(numbers)))
        name = f"{stem}[{first}-{last}] x{len(meshes)}"
    return [
        name,
        codec_label(meshes[0].codec_id),
        str(sum(mesh.length for mesh in meshes)),
        str(max(mesh.faces for mesh in meshes)),
        share(_mean(mesh.mean_error_of_diagonal for mesh in meshes)),
        share(_largest(mesh.max_error_of_diagonal for mesh in meshes)),
    ]


@dataclass(frozen=True, repr=False)
class ArchiveSummary:
    """Totals of an archive; all sizes in bytes.

    Attributes:
        meshes: number of meshes.
        archive_bytes: the whole file.
        source_bytes: the meshes that were compressed, as OBJ text.
        ratio: `source_bytes` over `archive_bytes`.
        shared_bytes: parts stored once, such as decoders.
        payload_bytes: what belongs to single meshes.
        index_bytes: header, index and trailer, both copies where there are two.
        index_copies: how often the index is stored: 1, or 2 in large sets.
        unused_bytes: bytes before the index that no mesh needs, left by meshes that were removed or replaced.
        torn_bytes: bytes behind the last valid index; more than 0 in a damaged file.
        mean_error: mean of the meshes' mean errors in the cube [-1, 1]^3, None if none was measured.
        max_error: largest of the meshes' maximum errors, likewise.
        mean_error_of_diagonal: mean of the mean errors, each as a share of the diagonal of its mesh; None likewise.
        max_error_of_diagonal: largest of the maximum errors, likewise.
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
    index_copies: int
    unused_bytes: int
    torn_bytes: int
    mean_error: float | None
    max_error: float | None
    mean_error_of_diagonal: float | None
    max_error_of_diagonal: float | None
    peak_memory: int
    format_version: str
    settings: dict[str, Any]

    def __str__(self) -> str:
        rows = [
            ("meshes", str(self.meshes)),
            ("archive", size(self.archive_bytes)),
            ("as OBJ text", size(self.source_bytes)),
            ("ratio", f"{self.ratio:.1f}"),
            ("shared parts", size(self.shared_bytes)),
            ("meshes alone", size(self.payload_bytes)),
            ("index", size(self.index_bytes) + (", stored twice" if self.index_copies == 2 else "")),
            ("mean error", f"{share(self.mean_error_of_diagonal)} of the diagonal"),
            ("max error", f"{share(self.max_error_of_diagonal)} of the diagonal"),
            ("memory to decode", size(self.peak_memory)),
            ("format", self.format_version),
        ]
        if self.unused_bytes:
            rows.append(("unused", f"{size(self.unused_bytes)}: meshset remove --compact reclaims it"))
        if self.torn_bytes:
            rows.append(("torn bytes", f"{self.torn_bytes}: an append was interrupted, or the end is damaged"))
        rows += [(f"settings: {path}", value) for path, value in _flat(self.settings)]
        return table(("what", "value"), rows, [False, False]).partition("\n")[2]

    __repr__ = __str__


def list_meshes(archive: ArchiveLike) -> Listing:
    """Return what the index says of each mesh, in stored order.

    Args:
        archive: path or URL of the archive, or a binary file that can seek.

    Raises:
        ArchiveError: it cannot be read.

    >>> [(entry.name, entry.faces) for entry in list_meshes("models.mset")]
    [('animals/cat', 320), ('bunny', 320), ('part', 12)]
    """
    with open_reader(archive) as reader:
        return Listing(reader.entries.values())


def summarise(archive: ArchiveLike) -> ArchiveSummary:
    """Return the totals of an archive, from its index alone.

    Args:
        archive: path or URL of the archive, or a binary file that can seek.

    Raises:
        ArchiveError: it cannot be read.

    >>> summarise("models.mset").meshes
    3
    """
    with open_reader(archive) as reader:
        entries = list(reader.entries.values())
        source_bytes = sum(entry.source_bytes for entry in entries)
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
            index_copies=reader.index_copies,
            unused_bytes=reader.size - reader.torn_bytes - shared_bytes - payload_bytes - reader.index_size,
            torn_bytes=reader.torn_bytes,
            mean_error=_mean(entry.mean_distance for entry in entries),
            max_error=_largest(entry.max_distance for entry in entries),
            mean_error_of_diagonal=_mean(entry.mean_error_of_diagonal for entry in entries),
            max_error_of_diagonal=_largest(entry.max_error_of_diagonal for entry in entries),
            peak_memory=max((entry.peak_memory for entry in entries), default=0),
            format_version="{}.{}".format(*reader.version),
            settings=reader.settings,
        )


def row(entry: MeshEntry) -> dict[str, Any]:
    """Return what `list --json` says of one mesh, as JSON values.

    Errors are in the cube [-1, 1]^3 unless they are of the diagonal. `rung` is "set", "refined", or for a mesh that is
    coded by itself the name of its codec; None without a bound.
    """
    return {
        "name": entry.name,
        "codec": codec_label(entry.codec_id),
        "bytes": entry.length,
        "vertices": entry.vertices,
        "faces": entry.faces,
        "source_vertices": entry.source_vertices,
        "source_faces": entry.source_faces,
        "source_bytes": entry.source_bytes,
        "mean_error": entry.mean_distance,
        "max_error": entry.max_distance,
        "mean_error_of_diagonal": entry.mean_error_of_diagonal,
        "max_error_of_diagonal": entry.max_error_of_diagonal,
        "rung": rung_label(entry),
        "bound": None if entry.bound is None else float(f"{entry.bound:.6g}"),  # as it was asked for, not as float32
        "generation": entry.generation,
        "less_exact": entry.less_exact,
        "open_edges": entry.open_edges,
        "notes": list(remarks(entry)),
    }


def _mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of what was measured, None if nothing was."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as dotted paths with their values as text."""
    rows = []
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, value if isinstance(value, str) else json.dumps(value)))
    return rows
