"""The trailer of version 1.0, as in the appendix of docs/SPEC.md."""

from __future__ import annotations

import struct

import google_crc32c

from meshset.archive.layout import HEADER_SIZE, ONLY, Trailer

END_MAGIC = b"\x89MSEND\r\n"
_FIELDS = struct.Struct("<QIIIQ")
_END = struct.Struct("<I8s")
TRAILER_SIZE = _FIELDS.size + _END.size


def unpack_trailer(data: bytes, position: int) -> Trailer | None:
    """Return the trailer that stands in `data`, read at `position`, or None where none does."""
    if len(data) != TRAILER_SIZE:
        return None
    fields = data[: _FIELDS.size]
    crc, magic = _END.unpack_from(data, _FIELDS.size)
    if magic != END_MAGIC or crc != google_crc32c.value(fields):
        return None
    index_offset, stored_length, raw_length, index_crc32c, stated = _FIELDS.unpack(fields)
    if stated != position or index_offset < HEADER_SIZE or index_offset + stored_length != position:
        return None
    return Trailer(position, stored_length, raw_length, index_crc32c, ONLY, TRAILER_SIZE)
