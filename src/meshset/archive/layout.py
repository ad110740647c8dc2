"""The fixed parts of the file, header and trailer, byte for byte as in docs/SPEC.md."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import google_crc32c

from meshset.errors import ArchiveError

MAGIC = b"\x89MSET\r\n\x1a"
"""Not ASCII at the start and a line end inside, so that a transfer as text is noticed."""
END_MAGIC = b"\x89MSEN2\r\n"
MAJOR, MINOR = 1, 1
COMPACT_INDEX = 1
"""The feature flag of version 1.1: index and trailer are laid out as here, not as in version 1.0."""

_HEADER = struct.Struct("<8sHHI")
_TRAILER_FIELDS = struct.Struct("<QIIIB")
_TRAILER_END = struct.Struct("<I8s")
HEADER_SIZE = _HEADER.size
TRAILER_SIZE = _TRAILER_FIELDS.size + _TRAILER_END.size

MAX_INDEX_BYTES = 1 << 26
"""Most bytes of the index, compressed or not."""

COPIED_FROM = 4096
"""Fewest bytes of a stored index that is worth a copy: damage of a kilobyte leaves most of a larger one whole."""
COPY_PERCENT = 3
"""Largest share of the file that a copy of the index may take."""

ONLY, FIRST, SECOND = 0, 1, 2


@dataclass(frozen=True)
class Header:
    """What a valid header says.

    Attributes:
        version: major and minor version.
        compact: whether index and trailer are those of version 1.1.
    """

    version: tuple[int, int]
    compact: bool


@dataclass(frozen=True)
class Trailer:
    """Where the index lies, which ends where its trailer begins.

    Attributes:
        position: where the trailer itself begins.
        stored_length: bytes of the index in the file.
        raw_length: bytes of the index once decompressed.
        index_crc32c: CRC-32C of the header followed by the index as stored.
        copy: whether this is the only trailer of its set, or which of the two.
        size: bytes of the trailer.
    """

    position: int
    stored_length: int
    raw_length: int
    index_crc32c: int
    copy: int = ONLY
    size: int = TRAILER_SIZE

    @property
    def index_offset(self) -> int:
        """Position of the index that belongs to this trailer."""
        return self.position - self.stored_length

    @property
    def copy_offset(self) -> int:
        """Position of the other copy of the index, where there are two."""
        distance = self.stored_length + self.size
        return self.index_offset + (distance if self.copy == FIRST else -distance)

    @property
    def tail(self) -> int:
        """Position of all indices and trailers of the set: no chunk lies behind it."""
        return self.copy_offset if self.copy == SECOND else self.index_offset

    @property
    def end(self) -> int:
        """Position behind the last trailer of the set."""
        end = self.position + self.size
        return end + self.stored_length + self.size if self.copy == FIRST else end


def pack_header() -> bytes:
    """Return the header of an archive of this version."""
    return _HEADER.pack(MAGIC, MAJOR, MINOR, COMPACT_INDEX)


def unpack_header(data: bytes) -> Header:
    """Return what the header says. Raises ArchiveError for another kind of file or a version too new."""
    if not data.startswith(MAGIC[:5]) or len(data) != HEADER_SIZE:
        raise ArchiveError("truncated or not a meshset archive")
    magic, major, minor, flags = _HEADER.unpack(data)
    if magic != MAGIC:
        raise ArchiveError("damaged at its start, perhaps by a transfer as text")
    if major > MAJOR:
        raise ArchiveError(f"has format version {major}.{minor}, this program reads {MAJOR}.x: upgrade meshset")
    if major < MAJOR:
        raise ArchiveError(f"has format version {major}.{minor}, which never existed")
    if flags & ~COMPACT_INDEX:
        raise ArchiveError(f"needs features {flags:#x} that this program does not have: upgrade meshset")
    return Header((major, minor), bool(flags & COMPACT_INDEX))


def pack_trailer(trailer: Trailer) -> bytes:
    """Return the bytes of a trailer."""
    fields = _TRAILER_FIELDS.pack(
        trailer.position, trailer.stored_length, trailer.raw_length, trailer.index_crc32c, trailer.copy
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
    is_here = trailer.position == position and trailer.tail >= HEADER_SIZE and trailer.copy in (ONLY, FIRST, SECOND)
    return trailer if is_here else None


def pack_tail(start: int, stored: bytes, raw_length: int) -> tuple[bytes, bytes]:
    """Return all that follows the chunks of an archive: the index, and what makes it valid.

    Args:
        start: position behind the last chunk.
        stored: the index as `pack_index` made it.
        raw_length: its length once decompressed.

    Returns:
        The index, and its trailer; with the latter a copy of both where the set is large enough not to feel it.
    """
    checksum = index_checksum(pack_header(), stored)

    def trailer(position: int, copy: int) -> bytes:
        return pack_trailer(Trailer(position, len(stored), raw_length, checksum, copy))

    position = start + len(stored)
    size = len(stored) + TRAILER_SIZE
    if len(stored) < COPIED_FROM or 100 * size > COPY_PERCENT * (start + size):
        return stored, trailer(position, ONLY)
    return stored, trailer(position, FIRST) + stored + trailer(position + size, SECOND)


def index_checksum(header: bytes, stored: bytes) -> int:
    """Return the CRC-32C of header and index together, so that a damaged version number is noticed too."""
    return int(google_crc32c.extend(google_crc32c.value(header), stored))
