"""The fixed parts of the file, header and trailer, byte for byte as in docs/SPEC.md."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import google_crc32c

from meshset.errors import ArchiveError

MAGIC = b"\x89MSET\r\n\x1a"
"""Not ASCII at the start and a line end inside, so that a transfer as text is noticed."""
END_MAGIC = b"\x89MSEND\r\n"
MAJOR, MINOR = 1, 0

_HEADER = struct.Struct("<8sHHI")
_TRAILER_FIELDS = struct.Struct("<QIIIQ")
_TRAILER_END = struct.Struct("<I8s")
HEADER_SIZE = _HEADER.size
TRAILER_SIZE = _TRAILER_FIELDS.size + _TRAILER_END.size
END_MAGIC_OFFSET = TRAILER_SIZE - len(END_MAGIC)

MAX_INDEX_BYTES = 1 << 26
"""Most bytes of the index, compressed or not: room for about half a million meshes."""


@dataclass(frozen=True)
class Trailer:
    """Where the index lies.

    Attributes:
        index_offset: position of the index in the file.
        stored_length: bytes of the index in the file.
        raw_length: bytes of the index once decompressed.
        index_crc32c: CRC-32C of the header followed by the index as stored.
        position: where the trailer itself begins.
    """

    index_offset: int
    stored_length: int
    raw_length: int
    index_crc32c: int
    position: int


def pack_header() -> bytes:
    """Return the header of an archive of this version."""
    return _HEADER.pack(MAGIC, MAJOR, MINOR, 0)


def unpack_header(data: bytes) -> tuple[int, int]:
    """Return major and minor version. Raises ArchiveError for another kind of file or a version too new."""
    if not data.startswith(MAGIC[:5]) or len(data) != HEADER_SIZE:
        raise ArchiveError("truncated or not a meshset archive")
    magic, major, minor, flags = _HEADER.unpack(data)
    if magic != MAGIC:
        raise ArchiveError("damaged at its start, perhaps by a transfer as text")
    if major > MAJOR:
        raise ArchiveError(f"has format version {major}.{minor}, this program reads {MAJOR}.x: upgrade meshset")
    if major < MAJOR:
        raise ArchiveError(f"has format version {major}.{minor}, which never existed")
    if flags:
        raise ArchiveError(f"needs features {flags:#x} that this program does not have: upgrade meshset")
    return major, minor


def pack_trailer(trailer: Trailer) -> bytes:
    """Return the last bytes of a file."""
    fields = _TRAILER_FIELDS.pack(
        trailer.index_offset,
        trailer.stored_length,
        trailer.raw_length,
        trailer.index_crc32c,
        trailer.position,
    )
    return fields + _TRAILER_END.pack(google_crc32c.value(fields), END_MAGIC)


def unpack_trailer(data: bytes, position: int) -> Trailer | None:
    """Return the trailer that stands in `data`, read at `position`, or None where none does."""
    if len(data) != TRAILER_SIZE:
        return None
    fields = data[: _TRAILER_FIELDS.size]
    crc, magic = _TRAILER_END.unpack_from(data, _TRAILER_FIELDS.size)
    if magic != END_MAGIC or crc != google_crc32c.value(fields):
        return None
    trailer = Trailer(*_TRAILER_FIELDS.unpack(fields))
    places_agree = (
        trailer.position == position
        and trailer.index_offset >= HEADER_SIZE
        and trailer.index_offset + trailer.stored_length == position
    )
    return trailer if places_agree else None


def index_checksum(header: bytes, stored: bytes) -> int:
    """Return the CRC-32C of header and index together, so that a damaged version number is noticed too."""
    return int(google_crc32c.extend(google_crc32c.value(header), stored))
