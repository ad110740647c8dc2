"""Numbers of a few bits each, highest bit first; the last byte is filled with zeros."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from meshset.errors import ArchiveError

MAX_GOLOMB_BITS = 2 * 68
"""Most bits of one number in the Golomb code: no difference of two differences of 64-bit numbers takes more."""

_RUN = 1 << 12
"""Numbers that are spread at a time; a power of two."""
_WINDOW = 1 << 13
"""Bytes that are spelt out as bits at a time; a multiple of 8."""


def pack_bits(values: Sequence[int], width: int) -> bytes:
    """Return numbers from 0 to 2^width - 1 as `width` bits each."""
    packed = bytearray()
    for start in range(0, len(values), 8):
        group = 0
        for value in values[start : start + 8]:
            group = group << width | value
        missing = 8 - len(values[start : start + 8])
        packed += (group << missing * width).to_bytes(width, "big")
    return bytes(packed[: (len(values) * width + 7) // 8])


def unpack_bits(data: bytes, width: int, count: int) -> list[int]:
    """Return `count` numbers of `width` bits each, at most 32; `data` holds just as many bytes as that takes.

    Whole runs are spread to 32 bits a number by a few operations on one long integer: a run of numbers becomes two
    runs of half as many, the upper one moved to where it belongs, and so on down to single numbers.
    """
    run = min(_RUN, max(8, 1 << (count - 1).bit_length()))
    steps = []
    half = run // 2
    while half:
        low = ((1 << half * width) - 1).to_bytes(8 * half, "big") * (run // (2 * half))
        steps.append((int.from_bytes(low, "big"), half * (32 - width)))
        half //= 2
    values: list[int] = []
    size = run * width // 8
    for start in range(0, len(data), size):
        numbers = int.from_bytes(data[start : start + size].ljust(size, b"\0"), "big")
        for mask, shift in steps:
            low_half = numbers & mask
            numbers = (numbers ^ low_half) << shift | low_half
        values += struct.unpack(f">{run}I", numbers.to_bytes(4 * run, "big"))
    return values[:count]


def pack_golomb(values: Sequence[int], order: int) -> bytes:
    """Return numbers from 0 on in the exponential Golomb code: small ones take few bits, and none is too large.

    With n = value + 2^order of b bits, a number is b - 1 - order zeros, then n.
    """
    texts = []
    for value in values:
        binary = f"{value + (1 << order):b}"
        texts.append("0" * (len(binary) - 1 - order) + binary)
    text = "".join(texts)
    text += "0" * (-len(text) % 8)
    return b"".join(
        int(text[start : start + 8 * _WINDOW], 2).to_bytes(len(text[start : start + 8 * _WINDOW]) // 8, "big")
        for start in range(0, len(text), 8 * _WINDOW)
    )


def unpack_golomb(data: bytes, order: int, count: int) -> list[int]:
    """Return `count` numbers in the exponential Golomb code of an order; `data` holds nothing else.

    Raises ArchiveError if it ends too early or goes on behind the last number.
    """
    values: list[int] = []
    text, at = "", 0
    windows = _spelt_out(data)
    offset = 1 << order
    while len(values) < count:
        one = text.find("1", at)
        end = 2 * one - at + order + 1
        zeros = (len(text) if one < 0 else one) - at
        if zeros > MAX_GOLOMB_BITS:
            raise ArchiveError("index is damaged: it holds a number that never ends")
        if one < 0 or end > len(text):
            more = next(windows, "")
            if not more:
                raise ArchiveError("index is damaged: a column ends too early")
            text, at = text[at:] + more, 0
            continue
        values.append(int(text[one:end], 2) - offset)
        at = end
    if "1" in text[at:] or len(text) - at > 7 or next(windows, ""):
        raise ArchiveError("index is damaged: bytes are left over at the end of a column")
    return values


def _spelt_out(data: bytes) -> Iterator[str]:
    for start in range(0, len(data), _WINDOW):
        piece = data[start : start + _WINDOW]
        yield f"{int.from_bytes(piece, 'big'):0{8 * len(piece)}b}"
