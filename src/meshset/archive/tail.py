"""Finding the index of an archive, whole or healed from its two copies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from meshset.archive.layout import (
    END_MAGIC,
    FIRST,
    HEADER_SIZE,
    MAX_INDEX_BYTES,
    ONLY,
    SECOND,
    TRAILER_SIZE,
    Header,
    Trailer,
    index_checksum,
    pack_header,
    pack_trailer,
    unpack_header,
    unpack_trailer,
)
from meshset.archive.v1_0 import trailer as v1_0
from meshset.errors import ArchiveError

_SEARCH_WINDOW = 1 << 20
MAX_FALSE_MARKS = 1 << 14
"""Most end marks that may belong to no trailer: by chance there is none, and a set whose bytes were shifted has one for
each time that it was changed."""

_END_MAGICS = re.compile(b"|".join(map(re.escape, (END_MAGIC, v1_0.END_MAGIC))))

ReadAt = Callable[[int, int], bytes]
"""Returns the bytes of a file from a position on, as many as are asked for; there must be as many."""


class Found(NamedTuple):
    """The index of an archive.

    Attributes:
        header: what the header says, or said before it was damaged.
        trailer: the last valid trailer.
        stored: the index as it was written.
    """

    header: Header
    trailer: Trailer
    stored: bytes


def find_index(read_at: ReadAt, size: int) -> Found:
    """Return the index of a file of `size` bytes. Raises ArchiveError where there is none, or none that is whole.

    The header itself is read only where the checksum in the trailer does not prove that it is the usual one: from far
    away every read is a request.
    """
    trailer = _last_trailer(read_at, size)
    if trailer is None:
        unpack_header(read_at(0, min(size, HEADER_SIZE)))  # what is no archive at all is not searched
        trailer = _search_trailer(read_at, size)
    if trailer is None:
        raise ArchiveError("truncated or not a meshset archive")
    compact = trailer.size == TRAILER_SIZE
    for stored in _copies(read_at, size, trailer):
        if compact and index_checksum(pack_header(), stored) == trailer.index_crc32c:
            return Found(unpack_header(pack_header()), trailer, stored)
        header = read_at(0, HEADER_SIZE)
        if index_checksum(header, stored) == trailer.index_crc32c:
            said = unpack_header(header)
            if said.compact != compact:
                raise ArchiveError("index is damaged: it is of another version than the file")
            return Found(said, trailer, stored)
    unpack_header(read_at(0, HEADER_SIZE))
    raise ArchiveError("index is damaged: its checksum is wrong")


def find_damage(read_at: ReadAt, size: int, found: Found) -> tuple[str, ...]:
    """Return all that is damaged of header, indices and trailers, one line each; needs to read all of them."""
    trailer, damage = found.trailer, []
    if index_checksum(read_at(0, HEADER_SIZE), found.stored) != trailer.index_crc32c:
        damage.append("the header is damaged")
    if trailer.copy == ONLY:
        return tuple(damage)
    step = len(found.stored) + TRAILER_SIZE
    for copy, position, line in (
        (FIRST, trailer.tail, "the first copy of the index is damaged"),
        (SECOND, trailer.tail + step, "the second copy of the index is damaged or incomplete"),
    ):
        expected = found.stored + pack_trailer(replace(trailer, position=position + len(found.stored), copy=copy))
        if read_at(position, min(step, size - position)) != expected:
            damage.append(line)
    return tuple(damage)


def _copies(read_at: ReadAt, size: int, trailer: Trailer) -> Iterator[bytes]:
    """Yield what may be the index: the one before the trailer, then the other copy, then halves of both."""
    length = trailer.stored_length
    if max(length, trailer.raw_length) > MAX_INDEX_BYTES:
        raise ArchiveError(f"index is larger than {MAX_INDEX_BYTES} bytes")
    own = read_at(trailer.index_offset, length)
    yield own
    if trailer.copy == ONLY or trailer.copy_offset + length > size:
        return
    other = read_at(trailer.copy_offset, length)
    yield other
    # Damage that reaches from one copy into the next has left other halves whole.
    half = length // 2
    yield other[:half] + own[half:]
    yield own[:half] + other[half:]


def _last_trailer(read_at: ReadAt, size: int) -> Trailer | None:
    """Return the trailer at the very end of the file, if there is one."""
    for length, unpack in ((TRAILER_SIZE, unpack_trailer), (v1_0.TRAILER_SIZE, v1_0.unpack_trailer)):
        position = size - length
        trailer = unpack(read_at(position, length), position) if position >= HEADER_SIZE else None
        if trailer:
            return trailer
    return None


def _search_trailer(read_at: ReadAt, size: int) -> Trailer | None:
    """Return the last valid trailer that begins anywhere in the file.

    Raises ArchiveError where there are so many end marks of no trailer that looking at all would take minutes.
    """
    false_marks = 0
    stop = size - TRAILER_SIZE
    while stop > HEADER_SIZE:
        start = max(HEADER_SIZE, stop - _SEARCH_WINDOW)
        window = read_at(start, min(stop + v1_0.TRAILER_SIZE - 1, size) - start)
        for found in reversed(list(_END_MAGICS.finditer(window))):
            end = found.end()
            for length, unpack in ((TRAILER_SIZE, unpack_trailer), (v1_0.TRAILER_SIZE, v1_0.unpack_trailer)):
                place = end - length
                trailer = unpack(window[place:end], start + place) if place >= 0 else None
                if trailer:
                    return trailer
            false_marks += 1
            if false_marks > MAX_FALSE_MARKS:
                raise ArchiveError(f"damaged: more than {MAX_FALSE_MARKS} end marks belong to no index")
        stop = start
    return None
