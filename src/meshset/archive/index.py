"""The index: what the archive holds, where it lies, and the settings it was made with."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from meshset.archive.boxes import pack_boxes, unpack_boxes
from meshset.archive.columns import Cursor, pack_strings, pack_table, pack_u32, unzigzag, zigzag
from meshset.archive.entries import (
    MAX_SHARED,
    MAX_U32,
    MEBIBYTE,
    MeshEntry,
    SharedEntry,
    check_mesh,
    check_shared,
)
from meshset.archive.layout import HEADER_SIZE, MAX_INDEX_BYTES
from meshset.errors import ArchiveError

MAX_SETTINGS_BYTES = 1 << 20
MAX_SETTINGS_DEPTH = 32
_NO_SHARED = MAX_U32
_SHARED_CODES = "HQQI"
_MESH_CODES = "HIQQIIQIQQffII"


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
    parts = _body(index)
    raw_length = sum(map(len, parts))
    # One Huffman code for all columns suits none of them, but a small index does not earn many codes back.
    stored = min((_deflate(parts, split) for split in (False, True)), key=len)
    if max(raw_length, len(stored)) > MAX_INDEX_BYTES:
        raise ArchiveError(f"index would be larger than {MAX_INDEX_BYTES} bytes: make several archives")
    return stored, raw_length


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
    cursor = Cursor(_inflate(stored, raw_length))
    settings = _parse_settings(cursor.take(cursor.u32()))
    shared_count, mesh_count, note_count = cursor.u32(), cursor.u32(), cursor.u32()
    if shared_count > MAX_SHARED or mesh_count > end - HEADER_SIZE:
        raise ArchiveError("index is damaged: it promises more chunks than the file can hold")
    if note_count > mesh_count:
        raise ArchiveError("index is damaged: it promises more notes than meshes")
    names = cursor.strings(mesh_count)
    notes = [(), *(tuple(text.split("\n")) for text in cursor.strings(note_count))]
    shared, position = _unpack_shared(cursor, shared_count)
    meshes = _unpack_meshes(cursor, names, notes, shared_count, position)
    if cursor.remaining and not newer_minor:
        raise ArchiveError("index is damaged: bytes are left over at its end")
    _check_places([*shared, *meshes], end)
    return Index(settings, shared, meshes)


def _body(index: Index) -> list[bytes]:
    texts = list(dict.fromkeys("\n".join(mesh.notes) for mesh in index.meshes if mesh.notes))
    settings = _settings_text(index.settings)
    counts = b"".join(map(pack_u32, (len(index.shared), len(index.meshes), len(texts))))
    shared_rows, position = _shared_rows(index.shared)
    return [
        pack_u32(len(settings)) + settings + counts,
        pack_strings([mesh.name for mesh in index.meshes]),
        pack_strings(texts),
        *pack_table(_SHARED_CODES, shared_rows),
        *pack_table(_MESH_CODES, _mesh_rows(index.meshes, texts, position)),
        *pack_boxes([(mesh.lower, mesh.upper) for mesh in index.meshes]),
    ]


def _settings_text(settings: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(settings, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ArchiveError(f"settings cannot be stored as JSON: {error}") from error
    if len(text) > MAX_SETTINGS_BYTES:
        raise ArchiveError(f"settings are larger than {MAX_SETTINGS_BYTES} bytes")
    return text


def _parse_settings(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_SETTINGS_BYTES:
        raise ArchiveError(f"index is damaged: settings are larger than {MAX_SETTINGS_BYTES} bytes")
    try:
        settings = json.loads(data.decode())
        # Writing it again refuses what Python reads beyond JSON: NaN, infinities and lone surrogates.
        json.dumps(settings, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise ArchiveError("index is damaged: settings are not valid JSON") from None
    if not isinstance(settings, dict):
        raise ArchiveError("index is damaged: settings are not a JSON object")
    if _depth(data) > MAX_SETTINGS_DEPTH:
        raise ArchiveError(f"index is damaged: settings are nested more than {MAX_SETTINGS_DEPTH} deep")
    return settings


def _depth(settings: bytes) -> int:
    """Return an upper bound of how deeply JSON text is nested: brackets in strings count too."""
    depth = deepest = 0
    for byte in settings:
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    return deepest


def _shared_rows(shared: Sequence[SharedEntry]) -> tuple[list[tuple[int, ...]], int]:
    """Return the rows and the position behind the last shared part."""
    rows: list[tuple[int, ...]] = []
    position = HEADER_SIZE
    for part in shared:
        rows.append((part.codec_id, zigzag(part.offset - position), part.length, part.crc32c))
        position = part.offset + part.length
    return rows, position


def _unpack_shared(cursor: Cursor, count: int) -> tuple[tuple[SharedEntry, ...], int]:
    """Return the shared parts and the position behind the last of them."""
    parts, position = [], HEADER_SIZE
    for codec_id, gap, length, crc32c in cursor.table(_SHARED_CODES, count):
        part = SharedEntry(codec_id, position + unzigzag(gap), length, crc32c)
        check_shared(part)
        position = part.offset + part.length
        parts.append(part)
    return tuple(parts), position


def _mesh_rows(meshes: Sequence[MeshEntry], texts: Sequence[str], position: int) -> list[tuple[float, ...]]:
    note_numbers = {text: number for number, text in enumerate(texts, start=1)} | {"": 0}
    rows: list[tuple[float, ...]] = []
    for mesh in meshes:
        rows.append(
            (
                mesh.codec_id,
                _NO_SHARED if mesh.shared is None else mesh.shared,
                zigzag(mesh.offset - position),
                mesh.length,
                mesh.crc32c,
                mesh.vertices,
                # A closed triangle mesh has about two faces a vertex: the difference is next to nothing.
                zigzag(mesh.faces - 2 * mesh.vertices),
                mesh.source_vertices,
                zigzag(mesh.source_faces - 2 * mesh.source_vertices),
                mesh.source_bytes,
                math.nan if mesh.mean_distance is None else mesh.mean_distance,
                math.nan if mesh.max_distance is None else mesh.max_distance,
                mesh.peak_memory // MEBIBYTE,
                note_numbers["\n".join(mesh.notes)],
            )
        )
        position = mesh.offset + mesh.length
    return rows


def _unpack_meshes(
    cursor: Cursor, names: Sequence[str], notes: Sequence[tuple[str, ...]], shared_count: int, position: int
) -> tuple[MeshEntry, ...]:
    if len(set(names)) != len(names):
        raise ArchiveError("index is damaged: two meshes have the same name")
    rows = cursor.table(_MESH_CODES, len(names))
    boxes = unpack_boxes(cursor, len(names))
    meshes = []
    for name, row, (lower, upper) in zip(names, rows, boxes, strict=True):
        codec_id, shared, gap, length, crc32c, vertices, faces, *source, mean, maximum, memory, note = row
        if note >= len(notes):
            raise ArchiveError("index is damaged: a mesh has a note that does not exist")
        mesh = MeshEntry(
            name=name,
            codec_id=codec_id,
            shared=None if shared == _NO_SHARED else shared,
            offset=position + unzigzag(gap),
            length=length,
            crc32c=crc32c,
            lower=lower,
            upper=upper,
            vertices=vertices,
            faces=unzigzag(faces) + 2 * vertices,
            source_vertices=source[0],
            source_faces=unzigzag(source[1]) + 2 * source[0],
            source_bytes=source[2],
            mean_distance=None if math.isnan(mean) else mean,
            max_distance=None if math.isnan(maximum) else maximum,
            peak_memory=memory * MEBIBYTE,
            notes=notes[note],
        )
        check_mesh(mesh, shared_count)
        position = mesh.offset + mesh.length
        meshes.append(mesh)
    return tuple(meshes)


def _check_places(entries: Sequence[SharedEntry | MeshEntry], end: int) -> None:
    places = sorted((entry.offset, entry.offset + entry.length) for entry in entries)
    if places and (places[0][0] < HEADER_SIZE or max(stop for _, stop in places) > end):
        raise ArchiveError("index is damaged: a chunk lies outside the file")
    if any(stop > start for (_, stop), (start, _) in pairwise(places)):
        raise ArchiveError("index is damaged: two chunks overlap")


def _deflate(parts: Sequence[bytes], split: bool) -> bytes:
    """Return `parts` as one raw deflate stream, with new Huffman codes for each part if `split`."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    pieces = []
    for part in parts:
        pieces.append(packer.compress(part))
        if split:
            pieces.append(packer.flush(zlib.Z_BLOCK))
    return b"".join([*pieces, packer.flush()])


def _inflate(stored: bytes, raw_length: int) -> bytes:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # One byte more than promised: enough to see that a stream goes on, too little to do harm.
        raw = unpacker.decompress(stored, raw_length + 1)
    except zlib.error:
        raise ArchiveError("index is damaged: it cannot be decompressed") from None
    if len(raw) != raw_length or not unpacker.eof or unpacker.unused_data:
        raise ArchiveError("index is damaged: it has not the length that the trailer states")
    return raw
