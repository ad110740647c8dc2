"""Canonical Huffman codes of whole numbers (the entropy coder of the NeCGS paper, section 3.2).

A code is the length of each number's codeword; the codewords follow from the lengths: sorted by length, then by number,
they are consecutive binary numbers. So the lengths alone are stored, four bits each.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meshset.coding.parsing import ByteReader, signed_varint, varint
from meshset.errors import ArchiveError

LONGEST = 15
"""Bits of the longest codeword."""

MAX_SYMBOLS = 1 << 10
"""Largest range of numbers that a code may cover."""

_BLOCK = 1 << 16
"""Bit positions that are looked up at a time when decoding."""


@dataclass(frozen=True)
class HuffmanCode:
    """A code for the whole numbers low, ..., low + len(lengths) - 1.

    Attributes:
        low: the smallest number.
        lengths: bits of each number's codeword, 0 for a number without one. A range of a single number takes no bits.
    """

    low: int
    lengths: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """Return low and size, then two lengths a byte, the first in the low half; none for a single number."""
        out = signed_varint(self.low) + varint(len(self.lengths))
        if len(self.lengths) == 1:
            return out
        even = [*self.lengths, 0]
        return out + bytes(even[i] | even[i + 1] << 4 for i in range(0, len(self.lengths), 2))

    @cached_property
    def codewords(self) -> NDArray[np.int64]:
        """Codeword of each number, (size,), 0 where it has none."""
        words = np.zeros(len(self.lengths), dtype=np.int64)
        following, previous = 0, 0
        for length, index in sorted((n, i) for i, n in enumerate(self.lengths) if n):
            following <<= length - previous
            words[index] = following
            following, previous = following + 1, length
        return words

    @cached_property
    def table(self) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Number and codeword length by the next 15 bits, (2^15,) each."""
        lengths = np.array(self.lengths)
        present = np.flatnonzero(lengths)
        order = present[np.lexsort((present, lengths[present]))]
        spans = 1 << (LONGEST - lengths[order])
        return np.repeat(order + self.low, spans).astype(np.int32), np.repeat(lengths[order], spans).astype(np.uint8)


def fit(numbers: NDArray[np.int32]) -> HuffmanCode:
    """Return the Huffman code of how often each number occurs, none of its codewords longer than 15 bits.

    Raises:
        ValueError: the numbers span more than 2^10 values, or there are none.
    """
    if numbers.size == 0:
        raise ValueError("a code needs at least one number")
    low, high = int(numbers.min()), int(numbers.max())
    if high - low >= MAX_SYMBOLS:
        raise ValueError(f"a code covers a range of at most {MAX_SYMBOLS}")
    counts = np.bincount(numbers.ravel() - low)
    lengths = _lengths(counts)
    while max(lengths) > LONGEST:
        # Rare numbers get long words; evening the counts out shortens them at hardly any cost.
        counts = (counts + 1) // 2
        lengths = _lengths(counts)
    return HuffmanCode(low, lengths)


def read_code(fields: ByteReader) -> HuffmanCode:
    """Read a code that `HuffmanCode.to_bytes` wrote. Raises ArchiveError on anything else."""
    low, size = fields.signed_varint(), fields.varint()
    if not 1 <= size <= MAX_SYMBOLS or abs(low) > MAX_SYMBOLS:
        raise ArchiveError("a Huffman code has an impossible range")
    if size == 1:
        return HuffmanCode(low, (0,))
    packed = fields.take((size + 1) // 2)
    halves = [half for byte in packed for half in (byte & 15, byte >> 4)]
    if any(halves[size:]) or sum(1 << (LONGEST - n) for n in halves[:size] if n) != 1 << LONGEST:
        raise ArchiveError("the lengths of a Huffman code do not make a code")
    return HuffmanCode(low, tuple(halves[:size]))


def encode(arrays: Sequence[tuple[NDArray[np.int32], HuffmanCode]]) -> bytes:
    """Code arrays one after the other, each with its own code, which must have a word for all of its numbers.

    The first bit is the highest of the first byte; the last byte is filled up with zeros.
    """
    pieces = [_bits(numbers.ravel() - code.low, code) for numbers, code in arrays]
    return np.packbits(np.concatenate([np.empty(0, np.uint8), *pieces])).tobytes()


def decode(data: bytes, wanted: Sequence[tuple[int, HuffmanCode]]) -> list[NDArray[np.int32]]:
    """Decode arrays of the given lengths, the inverse of `encode`.

    Raises:
        ArchiveError: the data end too early, or more follows than the zeros that fill the last byte.
    """
    padded: NDArray[np.uint32] = np.frombuffer(data + bytes(2), dtype=np.uint8).astype(np.uint32)
    # 24 bits from each byte on: enough for 15 bits from any of its 8 positions.
    words = (padded[:-2] << 16 | padded[1:-1] << 8 | padded[2:]).astype(np.uint32)
    arrays, position = [], 0
    for count, code in wanted:
        if len(code.lengths) == 1:
            arrays.append(np.full(count, code.low, dtype=np.int32))
            continue
        numbers, position = _read(words, position, count, code)
        arrays.append(numbers)
    left = 8 * len(data) - position
    if left >= 8 or (left and data[-1] & (1 << left) - 1):
        raise ArchiveError("a coded chunk is longer than its contents")
    return arrays


def _lengths(counts: NDArray[np.int64]) -> tuple[int, ...]:
    """Return the depth of each number in the Huffman tree of `counts`, 0 for those that do not occur."""
    lengths = np.zeros(len(counts), dtype=np.int64)
    heap = [(int(counts[i]), int(i), [int(i)]) for i in np.flatnonzero(counts)]
    heapq.heapify(heap)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        leaves = first[2] + second[2]
        lengths[leaves] += 1
        heapq.heappush(heap, (first[0] + second[0], min(first[1], second[1]), leaves))
    return tuple(lengths.tolist())


def _bits(symbols: NDArray[np.int32], code: HuffmanCode) -> NDArray[np.uint8]:
    """Return the codewords of `symbols` (counted from 0) as one bit each."""
    lengths = np.array(code.lengths)[symbols]
    words = code.codewords[symbols]
    starts = np.cumsum(lengths) - lengths
    bits = np.zeros(int(lengths.sum()), dtype=np.uint8)
    for i in range(max(code.lengths)):
        longer = lengths > i
        bits[starts[longer] + i] = words[longer] >> (lengths[longer] - 1 - i) & 1
    return bits


def _read(words: NDArray[np.uint32], position: int, count: int, code: HuffmanCode) -> tuple[NDArray[np.int32], int]:
    """Return `count` numbers from bit `position` on, and the position after them.

    Every bit position of a block is looked up at once, as if a codeword began there; then the true beginnings are
    followed from one to the next.
    """
    symbols, lengths = code.table
    pieces: list[NDArray[np.int32]] = []
    missing = count
    while missing:
        if position >= 8 * len(words):
            raise ArchiveError("a coded chunk ends too early")
        at = np.arange(position, min(position + _BLOCK, 8 * len(words)), dtype=np.int64)
        windows = words[at >> 3] >> (24 - LONGEST - (at & 7)).astype(np.uint32) & np.uint32((1 << LONGEST) - 1)
        steps = lengths[windows].tolist()
        begins: list[int] = []
        begin = 0
        while begin < len(steps) and len(begins) < missing:
            begins.append(begin)
            begin += steps[begin]
        pieces.append(symbols[windows[begins]])
        missing -= len(begins)
        position += begin
    if position > 8 * len(words):
        raise ArchiveError("a coded chunk ends too early")
    return np.concatenate([np.empty(0, np.int32), *pieces]), position
