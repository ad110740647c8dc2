"""The index: what the archive holds, where it lies, and the settings it was made with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

from meshset.archive.boxes import pack_boxes, unpack_boxes
from meshset.archive.columns import Cursor, Piece, cost, pack_column, varint
from meshset.archive.deflate import DICTIONARY, deflate, inflate
from meshset.archive.distances import pack_distance, unpack_distance
from meshset.archive.entries import (
    MAX_CHUNK_BYTES,
    MAX_MESHES,
    MAX_SHARED,
    MAX_U16,
    MAX_U32,
    MAX_U64,
    MEBIBYTE,
    RUNGS,
    MeshEntry,
    SharedEntry,
    are_notes,
    bits_of_float32,
    check_shared,
    check_unpacked,
    float32_of_bits,
)
from meshset.archive.layout import HEADER_SIZE, MAX_INDEX_BYTES
from meshset.archive.names import validate_name
from meshset.archive.settings import MAX_SETTINGS_BYTES, pack_settings, unpack_settings
from meshset.archive.texts import pack_texts, unpack_texts
from meshset.errors import ArchiveError

_Meaning = TypeVar("_Meaning")


@dataclass(frozen=True)
class Index:
    """Everything that an archive says about itself.

    Attributes:
        settings: what it was made with; JSON values only.
        shared: the shared parts by number.
        meshes: the meshes in stored order.
    """

    settings: dict[str, Any]
    shared: tuple[SharedEntry, ...]
    meshes: tuple[MeshEntry, ...]


def pack_index(index: Index) -> tuple[bytes, int]:
    """Return the index as stored and its length once decompressed. Raises ArchiveError if it is too large."""
    if len(index.meshes) > MAX_MESHES:
        raise ArchiveError(f"cannot hold more than {MAX_MESHES} meshes: make several archives")
    pieces = [piece for _, piece in index_pieces(index)]
    raw_length = sum(len(piece.data) for piece in pieces)
    stored = deflate(pieces, DICTIONARY)
    if max(raw_length, len(stored)) > MAX_INDEX_BYTES:
        raise ArchiveError(f"index would be larger than {MAX_INDEX_BYTES} bytes: make several archives")
    return stored, raw_length


def index_pieces(index: Index) -> list[tuple[str, Piece]]:
    """Return the index as it is before compression, each piece with what it is about."""
    texts = list(dict.fromkeys("\n".join(mesh.notes) for mesh in index.meshes if mesh.notes))
    settings = pack_settings(index.settings)
    counts = b"".join(map(varint, (len(index.shared), len(index.meshes), len(texts))))
    return [
        ("settings", Piece(varint(len(settings)) + settings + counts, False)),
        *(("names", piece) for piece in pack_texts([mesh.name for mesh in index.meshes])),
        *(("notes", piece) for piece in pack_texts(texts)),
        *(("shared parts", pack_column(column)) for column in _shared_columns(index.shared)),
        *_mesh_pieces(index, texts),
        *(("boxes", piece) for piece in pack_boxes([(mesh.lower, mesh.upper) for mesh in index.meshes])),
    ]


def unpack_index(stored: bytes, raw_length: int, end: int, newer_minor: bool) -> Index:
    """Return what an index says.

    Args:
        stored: the index as it lies in the file, its checksum already verified.
        raw_length: bytes it must have once decompressed, at most MAX_INDEX_BYTES.
        end: position behind the last byte that a chunk may use.
        newer_minor: whether fields that this program does not know may follow those that it knows.

    Raises:
        ArchiveError: wherever docs/SPEC.md says that a reader must refuse.
    """
    cursor = Cursor(inflate(stored, raw_length, DICTIONARY))
    settings_length = cursor.varint()
    if settings_length > MAX_SETTINGS_BYTES:
        raise ArchiveError(f"index is damaged: settings are larger than {MAX_SETTINGS_BYTES} bytes")
    settings = unpack_settings(cursor.take(settings_length))
    shared_count, mesh_count, note_count = cursor.varint(), cursor.varint(), cursor.varint()
    if shared_count > MAX_SHARED or mesh_count > min(MAX_MESHES, end - HEADER_SIZE):
        raise ArchiveError("index is damaged: it promises more chunks than the file can hold")
    if note_count > mesh_count:
        raise ArchiveError("index is damaged: it promises more notes than meshes")
    names = unpack_texts(cursor, mesh_count)
    notes = [(), *(tuple(text.split("\n")) for text in unpack_texts(cursor, note_count))]
    shared, position = _unpack_shared(cursor, shared_count)
    meshes = _unpack_meshes(cursor, names, notes, shared_count, position)
    if cursor.remaining and not newer_minor:
        raise ArchiveError("index is damaged: bytes are left over at its end")
    check_places([*shared, *meshes], end)
    return Index(settings, shared, meshes)


def check_places(entries: Sequence[SharedEntry | MeshEntry], end: int) -> None:
    """Raise ArchiveError unless all chunks lie between the header and `end`, apart from each other."""
    places = sorted((entry.offset, entry.offset + entry.length) for entry in entries)
    if places and (places[0][0] < HEADER_SIZE or max(stop for _, stop in places) > end):
        raise ArchiveError("index is damaged: a chunk lies outside the file")
    if any(stop > start for (_, stop), (start, _) in pairwise(places)):
        raise ArchiveError("index is damaged: two chunks overlap")


@lru_cache(maxsize=1024)
def expected_bytes(vertices: int, faces: int) -> int:
    """Return about how many bytes a mesh takes as OBJ text; docs/SPEC.md says why."""
    digits, power = 0, 1
    while power <= vertices:
        digits += vertices - power + 1
        power *= 10
    each = 256 * digits // vertices if vertices else 0
    return 73 * vertices // 2 + 5 * faces + 3 * faces * each // 256


def _shared_columns(shared: Sequence[SharedEntry]) -> list[list[int]]:
    gaps, position = [], HEADER_SIZE
    for part in shared:
        gaps.append(part.offset - position)
        position = part.offset + part.length
    return [
        [part.codec_id for part in shared],
        gaps,
        [part.length for part in shared],
        [part.crc32c for part in shared],
    ]


def _unpack_shared(cursor: Cursor, count: int) -> tuple[tuple[SharedEntry, ...], int]:
    """Return the shared parts and the position behind the last of them."""
    parts, position = [], HEADER_SIZE
    codec_ids, gaps = cursor.column(count, MAX_U16), cursor.column(count, MAX_U64, -MAX_U64)
    lengths, checksums = cursor.column(count), cursor.column(count, MAX_U32)
    for codec_id, gap, length, crc32c in zip(codec_ids, gaps, lengths, checksums, strict=True):
        part = SharedEntry(codec_id, position + gap, length, crc32c)
        check_shared(part)
        position = part.offset + part.length
        parts.append(part)
    return tuple(parts), position


_RANGES: dict[str, tuple[int, int]] = {
    "codec ids": (0, MAX_U16),
    "shared numbers": (0, MAX_SHARED),
    "gaps": (-MAX_U64, MAX_U64),
    "peak memory": (0, MAX_U32),
    "note numbers": (0, MAX_MESHES),
    "rungs": (0, len(RUNGS)),
    "bounds": (0, MAX_U32),
    "generations": (0, MAX_U16),
    "exactness": (0, 1),
    "open edges": (0, MAX_U32),
    "vertices": (0, MAX_U32),
    "faces": (-2 * MAX_U32, MAX_U32),
    "relation": (0, 1),
    "source vertices": (-MAX_U32, MAX_U32),
    "source faces": (-2 * MAX_U32, 2 * MAX_U32),
    "source bytes": (-MAX_U64, MAX_U64),
    "lengths": (0, MAX_CHUNK_BYTES),
    "checksums": (0, MAX_U32),
    "mean distances": (0, MAX_U16),
    "max distances": (0, MAX_U16),
}
"""The columns of the meshes in their order, with the smallest and the largest number that each may hold."""


def _mesh_pieces(index: Index, texts: Sequence[str]) -> list[tuple[str, Piece]]:
    meshes = index.meshes
    note_numbers = {text: number for number, text in enumerate(texts, start=1)} | {"": 0}
    # What a codec keeps or nearly keeps is told as a difference, what it makes anew is not.
    stated, relative = _source_counts(meshes, False), _source_counts(meshes, True)
    is_relative = _size(relative) < _size(stated)
    columns = {
        "codec ids": [mesh.codec_id for mesh in meshes],
        "shared numbers": [0 if mesh.shared is None else mesh.shared + 1 for mesh in meshes],
        "gaps": _gaps(index),
        "peak memory": [mesh.peak_memory // MEBIBYTE for mesh in meshes],
        "note numbers": [note_numbers["\n".join(mesh.notes)] for mesh in meshes],
        "rungs": [0 if mesh.rung is None else RUNGS.index(mesh.rung) + 1 for mesh in meshes],
        "bounds": [0 if mesh.bound is None else bits_of_float32(mesh.bound) for mesh in meshes],
        "generations": [mesh.generation for mesh in meshes],
        "exactness": [int(mesh.less_exact) for mesh in meshes],
        "open edges": [mesh.open_edges for mesh in meshes],
        "vertices": [mesh.vertices for mesh in meshes],
        # A closed triangle mesh has about two faces a vertex: the difference is next to nothing.
        "faces": [mesh.faces - 2 * mesh.vertices for mesh in meshes],
        "relation": [int(is_relative)],
        **(relative if is_relative else stated),
        "source bytes": [
            mesh.source_bytes - expected_bytes(mesh.source_vertices, mesh.source_faces) for mesh in meshes
        ],
        "lengths": [mesh.length for mesh in meshes],
        "checksums": [mesh.crc32c for mesh in meshes],
        "mean distances": [pack_distance(mesh.mean_distance) for mesh in meshes],
        "max distances": [pack_distance(mesh.max_distance) for mesh in meshes],
    }
    return [(about, pack_column(columns[about])) for about in _RANGES]


def _source_counts(meshes: Sequence[MeshEntry], relative: bool) -> dict[str, list[int]]:
    return {
        "source vertices": [mesh.source_vertices - relative * mesh.vertices for mesh in meshes],
        "source faces": [mesh.source_faces - (mesh.faces if relative else 2 * mesh.source_vertices) for mesh in meshes],
    }


def _size(columns: dict[str, list[int]]) -> int:
    return sum(cost(pack_column(column).data) for column in columns.values())


def _gaps(index: Index) -> list[int]:
    """Return how far behind the chunk before each mesh begins; the first follows the shared parts."""
    gaps, position = [], HEADER_SIZE
    for part in index.shared[-1:]:
        position = part.offset + part.length
    for mesh in index.meshes:
        gaps.append(mesh.offset - position)
        position = mesh.offset + mesh.length
    return gaps


def _unpack_meshes(
    cursor: Cursor, names: Sequence[str], notes: Sequence[tuple[str, ...]], shared_count: int, position: int
) -> tuple[MeshEntry, ...]:
    count = len(names)
    _check_texts(names, notes)
    columns = {
        about: cursor.column(1 if about == "relation" else count, largest, smallest)
        for about, (smallest, largest) in _RANGES.items()
    }
    if max(columns["note numbers"], default=0) >= len(notes):
        raise ArchiveError("index is damaged: a mesh has a note that does not exist")
    if max(columns["shared numbers"], default=0) > shared_count:
        raise ArchiveError("index is damaged: a mesh needs a shared part that does not exist")
    counts = _unpack_counts(columns)
    boxes = unpack_boxes(cursor, count)
    # Whole columns at once and fields by position: with a name for each, listing takes half as long again.
    meshes = tuple(
        map(
            MeshEntry,
            names,
            columns["codec ids"],
            _looked_up(columns["shared numbers"], lambda number: number - 1 if number else None),
            _offsets(columns["gaps"], columns["lengths"], position),
            columns["lengths"],
            columns["checksums"],
            [lower for lower, _ in boxes],
            [upper for _, upper in boxes],
            *counts,
            _looked_up(columns["mean distances"], unpack_distance),
            _looked_up(columns["max distances"], unpack_distance),
            [memory * MEBIBYTE for memory in columns["peak memory"]],
            [notes[number] for number in columns["note numbers"]],
            _looked_up(columns["rungs"], lambda number: RUNGS[number - 1] if number else None),
            _looked_up(columns["bounds"], lambda bits: float32_of_bits(bits) if bits else None),
            columns["generations"],
            map(bool, columns["exactness"]),
            columns["open edges"],
        )
    )
    for mesh in meshes:
        check_unpacked(mesh)
    return meshes


def _check_texts(names: Sequence[str], notes: Sequence[tuple[str, ...]]) -> None:
    if len(set(names)) != len(names):
        raise ArchiveError("index is damaged: two meshes have the same name")
    for name in names:
        validate_name(name)
    if not all(map(are_notes, notes)):
        raise ArchiveError("index is damaged: a mesh has a note that is not one line of text")


def _unpack_counts(columns: dict[str, list[int]]) -> tuple[list[int], ...]:
    """Return decoded vertices and faces, source vertices and faces, and source bytes."""
    (is_relative,) = columns["relation"]
    vertices = columns["vertices"]
    faces = [number + 2 * v for number, v in zip(columns["faces"], vertices, strict=True)]
    source_vertices, source_faces = columns["source vertices"], columns["source faces"]
    if is_relative:
        source_vertices = list(map(int.__add__, source_vertices, vertices))
        source_faces = list(map(int.__add__, source_faces, faces))
    else:
        source_faces = [number + 2 * v for number, v in zip(source_faces, source_vertices, strict=True)]
    for numbers in (faces, source_vertices, source_faces):
        _check_range(numbers, MAX_U32)
    expected = map(expected_bytes, source_vertices, source_faces)
    source_bytes = list(map(int.__add__, columns["source bytes"], expected))
    _check_range(source_bytes, MAX_U64)
    return vertices, faces, source_vertices, source_faces, source_bytes


def _check_range(numbers: Sequence[int], largest: int) -> None:
    if numbers and not (min(numbers) >= 0 and max(numbers) <= largest):
        raise ArchiveError("index is damaged: it holds a number out of range")


def _offsets(gaps: Sequence[int], lengths: Sequence[int], position: int) -> list[int]:
    offsets = []
    for gap, length in zip(gaps, lengths, strict=True):
        offsets.append(position + gap)
        position += gap + length
    return offsets


def _looked_up(numbers: Sequence[int], meaning: Callable[[int], _Meaning]) -> Iterator[_Meaning]:
    """Return what each number means, worked out once for equal ones."""
    known = {number: meaning(number) for number in set(numbers)}
    return map(known.__getitem__, numbers)
