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
_END_MAGICS = re.compile(b"|".join(map(re.escape, (END_MAGIC, v1_0.END_MAGIC))))

ReadAt = Callable[[int, int], bytes]
"""Returns the bytes of a file from a position on, as many as are asked for; there must be as many."""


class Found(NamedTuple):
    """The index of an archive.

    Attributes:
        header: what the header says, or said before it was damaged.
        trailer: the last valid trailer.
        stored: the index as it was written.
        damage: what is damaged of all this, one line each; seen on the way, so not all of it.
    """

    header: Header
    trailer: Trailer
    stored: bytes
    damage: tuple[str, ...]


def find_index(read_at: ReadAt, size: int) -> Found:
    """Return the index of a file of `size` bytes. Raises ArchiveError where there is none, or none that is whole."""
    first_bytes = read_at(0, min(size, HEADER_SIZE))
    trailer = _last_trailer(read_at, size, first_bytes)
    if trailer is None:
        raise ArchiveError("truncated or not a meshset archive")
    compact = trailer.size == TRAILER_SIZE
    headers = (first_bytes, pack_header()) if compact else (first_bytes,)
    for place, stored in enumerate(_copies(read_at, size, trailer)):
        for header in headers:
            if index_checksum(header, stored) == trailer.index_crc32c:
                said = unpack_header(header)
                if said.compact != compact:
                    raise ArchiveError("index is damaged: it is of another version than the file")
                return Found(said, trailer, stored, _damage(header != first_bytes, place, trailer))
    unpack_header(first_bytes)
    raise ArchiveError("index is damaged: its checksum is wrong")


def find_damage(read_at: ReadAt, size: int, found: Found) -> tuple[str, ...]:
    """Return all that is damaged of header, indices and trailers, one line each; needs to read all of them."""
    trailer = found.trailer
    damage = [line for line in found.damage if line == _HEADER]
    if trailer.copy == ONLY:
        return tuple(damage)
    step = len(found.stored) + TRAILER_SIZE
    for copy, position, line in ((FIRST, trailer.tail, _FIRST_COPY), (SECOND, trailer.tail + step, _SECOND_COPY)):
        expected = found.stored + pack_trailer(replace(trailer, position=position + len(found.stored), copy=copy))
        if read_at(position, min(step, size - position)) != expected:
            damage.append(line)
    return tuple(damage)


_HEADER = "the header is damaged"
_FIRST_COPY = "the first copy of the index is damaged"
_SECOND_COPY = "the second copy of the index is damaged or incomplete"


def _damage(header: bool, place: int, trailer: Trailer) -> tuple[str, ...]:
    """Return what was seen: `place` is that among `_copies` of the index that is whole."""
    own, other = (_SECOND_COPY, _FIRST_COPY) if trailer.copy == SECOND else (_FIRST_COPY, _SECOND_COPY)
    seen = {_HEADER: header, own: place > 0, other: place > 1 or trailer.copy == FIRST}
    return tuple(line for line, is_seen in seen.items() if is_seen)


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


def _last_trailer(read_at: ReadAt, size: int, header: bytes) -> Trailer | None:
    kinds = [(TRAILER_SIZE, unpack_trailer), (v1_0.TRAILER_SIZE, v1_0.unpack_trailer)]
    if not any(header[12:16]):  # no feature flags: most likely version 1.0
        kinds.reverse()
    for length, unpack in kinds:
        position = size - length
        trailer = unpack(read_at(position, length), position) if position >= HEADER_SIZE else None
        if trailer:
            return trailer
    unpack_header(header)  # what is no archive at all is not searched
    return _search_trailer(read_at, size)


def _search_trailer(read_at: ReadAt, size: int) -> Trailer | None:
    """Return the last valid trailer that begins anywhere in the file."""
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
        stop = start
    return None
