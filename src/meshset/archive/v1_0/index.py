"""The index of version 1.0, as in the appendix of docs/SPEC.md: columns of fixed widths, two distances as float32."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

from meshset.archive.boxes import DECIMAL, FLOAT32, FLOAT64, MAX_PLACES, MAX_WHOLE, TOO_MANY_DIGITS, Box
from meshset.archive.columns import Cursor, unzigzag
from meshset.archive.deflate import inflate
from meshset.archive.entries import (
    MAX_SHARED,
    MAX_U32,
    MEBIBYTE,
    MeshEntry,
    SharedEntry,
    check_mesh,
    check_shared,
)
from meshset.archive.index import Index, check_places
from meshset.archive.layout import HEADER_SIZE
from meshset.archive.settings import unpack_settings
from meshset.archive.v1_0.notes import State, state_of
from meshset.errors import ArchiveError

_NO_SHARED = MAX_U32
_SHARED_CODES = "HQQI"
_MESH_CODES = "HIQQIIQIQQffII"
_BOX_CODES = {FLOAT32: "ffffff", FLOAT64: "dddddd", DECIMAL: "BQQQQQQ"}


def unpack_index(stored: bytes, raw_length: int, end: int, newer_minor: bool) -> Index:
    """Return what an index of version 1.0 says; arguments and errors are those of `meshset.archive.index`."""
    cursor = _FixedCursor(inflate(stored, raw_length))
    settings = unpack_settings(cursor.take(cursor.u32()))
    shared_count, mesh_count, note_count = cursor.u32(), cursor.u32(), cursor.u32()
    if shared_count > MAX_SHARED or mesh_count > end - HEADER_SIZE:
        raise ArchiveError("index is damaged: it promises more chunks than the file can hold")
    if note_count > mesh_count:
        raise ArchiveError("index is damaged: it promises more notes than meshes")
    names = cursor.measured_strings(mesh_count)
    states = [State(()), *(state_of(text.split("\n")) for text in cursor.measured_strings(note_count))]
    shared, position = _unpack_shared(cursor, shared_count)
    meshes = _unpack_meshes(cursor, names, states, shared_count, position)
    if cursor.remaining and not newer_minor:
        raise ArchiveError("index is damaged: bytes are left over at its end")
    check_places([*shared, *meshes], end)
    return Index(settings, shared, meshes)


class _FixedCursor(Cursor):
    """Reads numbers of fixed widths, and strings whose bytes are counted."""

    def u32(self) -> int:
        """Return one 32-bit unsigned integer."""
        return int.from_bytes(self.take(4), "little")

    def measured_strings(self, count: int) -> list[str]:
        """Return `count` strings."""
        blob = self.take(self.u32())
        if blob.count(0) != count or (blob and blob[-1] != 0):
            raise ArchiveError("index is damaged: it holds a wrong number of strings")
        try:
            return blob.decode().split("\0")[:-1]
        except UnicodeDecodeError:
            raise ArchiveError("index is damaged: it holds text that is not UTF-8") from None

    def table(self, codes: str, count: int) -> list[tuple[Any, ...]]:
        """Return `count` rows of a table with one `struct` code per column."""
        if count * struct.calcsize(f"<{codes}") > self.remaining:
            raise ArchiveError("index is damaged: it promises more records than it holds")
        return list(zip(*(self._planes(code, count) for code in codes), strict=True))

    def _planes(self, code: str, count: int) -> tuple[Any, ...]:
        width = struct.calcsize(f"<{code}")
        planes = self.take(width * count)
        numbers = bytearray(len(planes))
        for rank in range(width):
            numbers[rank::width] = planes[rank * count : (rank + 1) * count]
        return struct.unpack(f"<{count}{code}", numbers)


def _unpack_shared(cursor: _FixedCursor, count: int) -> tuple[tuple[SharedEntry, ...], int]:
    """Return the shared parts and the position behind the last of them."""
    parts, position = [], HEADER_SIZE
    for codec_id, gap, length, crc32c in cursor.table(_SHARED_CODES, count):
        part = SharedEntry(codec_id, position + unzigzag(gap), length, crc32c)
        check_shared(part)
        position = part.offset + part.length
        parts.append(part)
    return tuple(parts), position


def _unpack_meshes(
    cursor: _FixedCursor, names: Sequence[str], states: Sequence[State], shared_count: int, position: int
) -> tuple[MeshEntry, ...]:
    if len(set(names)) != len(names):
        raise ArchiveError("index is damaged: two meshes have the same name")
    rows = cursor.table(_MESH_CODES, len(names))
    boxes = _unpack_boxes(cursor, len(names))
    meshes = []
    for name, row, (lower, upper) in zip(names, rows, boxes, strict=True):
        codec_id, shared, gap, length, crc32c, vertices, faces, *source, mean, maximum, memory, note = row
        if note >= len(states):
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
            **states[note]._asdict(),
        )
        check_mesh(mesh, shared_count)
        position = mesh.offset + mesh.length
        meshes.append(mesh)
    return tuple(meshes)


def _unpack_boxes(cursor: _FixedCursor, count: int) -> list[Box]:
    forms = cursor.take(count)
    if any(form not in _BOX_CODES for form in forms):
        raise ArchiveError("index is damaged: it holds a bounding box of an unknown form")
    tables = {form: iter(cursor.table(_BOX_CODES[form], forms.count(form))) for form in _BOX_CODES}
    boxes = []
    for form in forms:
        row = next(tables[form])
        x0, y0, z0, x1, y1, z1 = _from_decimals(row) if form == DECIMAL else row
        boxes.append(((x0, y0, z0), (x1, y1, z1)))
    return boxes


def _from_decimals(row: Sequence[int]) -> list[float]:
    places, wholes = row[0], [unzigzag(number) for number in row[1:]]
    if places > MAX_PLACES or any(abs(whole) > MAX_WHOLE for whole in wholes):
        raise ArchiveError(TOO_MANY_DIGITS)
    return [whole / 10**places for whole in wholes]
