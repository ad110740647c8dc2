"""Random changes of byte strings: the part of fuzzing that knows no format."""

from __future__ import annotations

import random
from collections.abc import Sequence

EDGES = (
    *(0, 1, 2, 3, 7, 8, 16, 31, 32, 33, 40, 64, 127, 128, 255, 256, 1024, 1 << 15, (1 << 16) - 1, 1 << 16),
    *((1 << power) + shift for power in (20, 24, 26, 28, 30, 31, 32, 40, 53, 62, 63, 64) for shift in (-1, 0, 1)),
)
"""Numbers next to which programs fail."""


def number(rng: random.Random, below: int = 1 << 64) -> int:
    """Return an edge or a random number of random magnitude, from 0 to `below` - 1."""
    if rng.random() < 0.7:
        return rng.choice(EDGES) % below
    return rng.getrandbits(rng.randint(1, below.bit_length())) % below


def mutated(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Return `data` after one to four changes; `others` are what it may be spliced with."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        rng.choice(_CHANGES)(rng, content, others)
    return bytes(content)


def varint(value: int) -> bytes:
    """Return 7-bit groups, lowest first, the high bit set on all but the last; of any length."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F)
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def _place(rng: random.Random, content: bytearray) -> int:
    """Return a position, half of the time near the beginning, where formats keep their counts."""
    return rng.randrange(max(1, min(len(content), 48) if rng.random() < 0.5 else len(content)))


def _flip(rng: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    if content:
        content[_place(rng, content)] ^= 1 << rng.randrange(8)


def _overwrite_byte(rng: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    if content:
        content[_place(rng, content)] = rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.randrange(256)))


def _overwrite_number(rng: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    width = rng.choice((2, 4, 8))
    at = _place(rng, content)
    value = number(rng, 1 << 8 * width).to_bytes(width, rng.choice(("little", "big")))
    content[at : at + width] = value[: len(content) - at]


def _replace_varint(rng: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    at = end = _place(rng, content)
    while end < len(content) and content[end] & 0x80:
        end += 1
    content[at : end + 1] = varint(number(rng, 1 << rng.choice((8, 16, 32, 64))))


def _delete(rng: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    at = _place(rng, content)
    del content[at : at + rng.choice((1, 1, 2, 4, 8, rng.randrange(1, 64)))]


def _insert(rng: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    at, count = _place(rng, content), rng.choice((1, 1, 2, 4, 8, rng.randrange(1, 200)))
    content[at:at] = rng.randbytes(count) if rng.random() < 0.5 else rng.choice((b"\0", b"\xff", b"[", b"9")) * count


def _repeat(rng: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    at = _place(rng, content)
    piece = content[at : at + rng.randrange(1, 100)]
    content[at:at] = piece * rng.choice((1, 1, 2, 20))


def _truncate(rng: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    del content[rng.randrange(len(content) + 1) :]


def _splice(rng: random.Random, content: bytearray, others: Sequence[bytes]) -> None:
    other = rng.choice(others)
    at, start = _place(rng, content), rng.randrange(len(other) + 1)
    piece = other[start : start + rng.randrange(1, 1 + max(1, len(other)))]
    stop = at if rng.random() < 0.5 else at + len(piece)
    content[at:stop] = piece


_CHANGES = (
    *(_flip, _overwrite_byte, _overwrite_number, _replace_varint) * 2,
    *(_delete, _insert, _repeat, _truncate, _splice),
)
