"""A writer of version 1.0 of the format, which meshset no longer has: what stands between old archives and oblivion."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Sequence

import google_crc32c

from meshset.archive import MeshEntry
from meshset.archive.boxes import as_decimals
from meshset.archive.columns import zigzag
from meshset.archive.entries import to_float32
from meshset.archive.index import Index
from meshset.archive.layout import MAGIC, index_checksum

HEADER = struct.pack("<8sHHI", MAGIC, 1, 0, 0)
END_MAGIC = b"\x89MSEND\r\n"
TRAILER_SIZE = 40
NONE = 2**32 - 1


def pack_u32(value: int) -> bytes:
    return struct.pack("<I", value)


def pack_strings(strings: Sequence[str]) -> bytes:
    blob = b"".join(text.encode() + b"\0" for text in strings)
    return pack_u32(len(blob)) + blob


def pack_table(codes: str, rows: Sequence[Sequence[float]]) -> list[bytes]:
    columns = []
    for place, code in enumerate(codes):
        numbers = struct.pack(f"<{len(rows)}{code}", *(row[place] for row in rows))
        width = struct.calcsize(f"<{code}")
        columns.append(b"".join(numbers[rank::width] for rank in range(width)))
    return columns


def pack_boxes(boxes: Sequence[tuple[Sequence[float], Sequence[float]]]) -> list[bytes]:
    codes = ("ffffff", "dddddd", "BQQQQQQ")
    tables: list[list[Sequence[float]]] = [[], [], []]
    forms = []
    for lower, upper in boxes:
        values = (*lower, *upper)
        form, row = 1, values
        if all(to_float32(value) == value for value in values):
            form = 0
        elif decimals := as_decimals(values):
            form, row = 2, (decimals[0], *map(zigzag, decimals[1:]))
        forms.append(form)
        tables[form].append(row)
    return [bytes(forms), *(column for form in range(3) for column in pack_table(codes[form], tables[form]))]


def body(index: Index) -> bytes:
    """Return an index as it is before compression."""
    texts = list(dict.fromkeys("\n".join(mesh.notes) for mesh in index.meshes if mesh.notes))
    settings = json.dumps(index.settings, ensure_ascii=False, separators=(",", ":")).encode()
    shared, meshes, position = [], [], 16
    for part in index.shared:
        shared.append((part.codec_id, zigzag(part.offset - position), part.length, part.crc32c))
        position = part.offset + part.length
    for mesh in index.meshes:
        meshes.append(_row(mesh, position, texts))
        position = mesh.offset + mesh.length
    return b"".join(
        [
            *(pack_u32(len(settings)), settings),
            *map(pack_u32, (len(shared), len(meshes), len(texts))),
            pack_strings([mesh.name for mesh in index.meshes]),
            pack_strings(texts),
            *pack_table("HQQI", shared),
            *pack_table("HIQQIIQIQQffII", meshes),
            *pack_boxes([(mesh.lower, mesh.upper) for mesh in index.meshes]),
        ]
    )


def _row(mesh: MeshEntry, position: int, texts: Sequence[str]) -> tuple[float, ...]:
    return (
        mesh.codec_id,
        NONE if mesh.shared is None else mesh.shared,
        zigzag(mesh.offset - position),
        mesh.length,
        mesh.crc32c,
        mesh.vertices,
        zigzag(mesh.faces - 2 * mesh.vertices),
        mesh.source_vertices,
        zigzag(mesh.source_faces - 2 * mesh.source_vertices),
        mesh.source_bytes,
        math.nan if mesh.mean_distance is None else mesh.mean_distance,
        math.nan if mesh.max_distance is None else mesh.max_distance,
        mesh.peak_memory >> 20,
        texts.index("\n".join(mesh.notes)) + 1 if mesh.notes else 0,
    )


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def pack_trailer(offset: int, stored_length: int, raw_length: int, checksum: int, position: int) -> bytes:
    fields = struct.pack("<QIIIQ", offset, stored_length, raw_length, checksum, position)
    return fields + pack_u32(google_crc32c.value(fields)) + END_MAGIC


def seal(before: bytes, stored: bytes, raw_length: int, header: bytes = HEADER) -> bytes:
    """Return `before`, an index and a trailer that vouches for it."""
    checksum = index_checksum(header, stored)
    trailer = pack_trailer(len(before), len(stored), raw_length, checksum, len(before) + len(stored))
    return before + stored + trailer


def archive(before: bytes, index: Index, header: bytes = HEADER) -> bytes:
    """Return `before`, which ends with the last chunk, and behind it what makes it an archive of version 1.0."""
    whole = body(index)
    return seal(before, deflated(whole), len(whole), header)
