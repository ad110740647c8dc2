"""Whole numbers as the index stores them: in columns, each in the form that takes the fewest bytes."""

from __future__ import annotations

import math
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from meshset.archive.bits import MAX_GOLOMB_BITS, pack_bits, pack_golomb, unpack_bits, unpack_golomb
from meshset.errors import ArchiveError

MAX_BITS = 32
"""Widest number of the form of bits; wider ones are stored as planes of bytes."""
MAX_U64 = (1 << 64) - 1

_EQUAL, _STEP = 0, 1
_BITS, _PLANES, _GOLOMB = 1, 2, 3
"""Bits 5 and 6 of the byte that a column begins with, where it is neither of the two above."""
_DIFFERENCES = 0x80

_TOO_EARLY = "index is damaged: it ends too early"
_SAMPLE = 4096
"""How many rows decide in which form a column is stored: trying all of a large set would take seconds."""
_SLOWNESS = 1.1
"""How many times smaller the Golomb code, which takes long to read, must make a column of many numbers."""
_EVEN = 0.97
"""Share of its bytes from which on something that was deflated counts as noise."""


class Piece(NamedTuple):
    """Bytes of the index.

    Attributes:
        data: the bytes.
        noise: whether they are too even for a Huffman code.
    """

    data: bytes
    noise: bool


def varint(value: int) -> bytes:
    """Return an integer from 0 on: 7 bits a byte, lowest first, the high bit set on all bytes but the last."""
    pieces = bytearray()
    while value > 0x7F:
        pieces.append(value & 0x7F | 0x80)
        value >>= 7
    pieces.append(value)
    return bytes(pieces)


def zigzag(value: int) -> int:
    """Map 0, -1, 1, -2, 2 ... to 0, 1, 2, 3, 4 ..., so that small differences stay small without a sign."""
    return 2 * value if value >= 0 else -2 * value - 1


def unzigzag(value: int) -> int:
    """Undo `zigzag`."""
    return -(value + 1) // 2 if value & 1 else value // 2


def pack_column(values: Sequence[int]) -> Piece:
    """Return the numbers of a column, in the form that takes the fewest bytes once deflated."""
    if len(values) < 2:
        return Piece(b"".join(varint(zigzag(value)) for value in values), False)
    if min(values) == max(values):
        return Piece(bytes([_EQUAL]) + varint(zigzag(values[0])), False)
    step = math.gcd(*(value - values[0] for value in values))
    if step == 1:
        return _pack_uneven(values)
    lowest = min(values)
    head = bytes([_STEP]) + varint(zigzag(lowest)) + varint(step)
    rest = _pack_uneven([(value - lowest) // step for value in values])
    return Piece(head + rest.data, rest.noise)


class Cursor:
    """Reads an index from front to back and never past its end.

    Every method raises ArchiveError, before it allocates, where fewer bytes are left than it was asked for.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def remaining(self) -> int:
        """Bytes not yet read."""
        return len(self._data) - self._position

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes."""
        if length > self.remaining:
            raise ArchiveError(_TOO_EARLY)
        start = self._position
        self._position += length
        return self._data[start : self._position]

    def varint(self) -> int:
        """Return one integer from 0 to 2^70 - 1."""
        value, data, start = 0, self._data, self._position
        for place, byte in enumerate(data[start : start + 10]):
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                self._position = start + place + 1
                return value
        raise ArchiveError(_TOO_EARLY if self.remaining < 10 else "index is damaged: it holds a number that never ends")

    def strings(self, count: int) -> list[str]:
        """Return `count` strings, each of which ends with a zero byte."""
        if count > self.remaining:
            raise ArchiveError("index is damaged: it promises more strings than it holds")
        end = self._position
        for _ in range(count):
            end = self._data.find(0, end) + 1
            if not end:
                raise ArchiveError("index is damaged: it promises more strings than it holds")
        try:
            return self.take(end - self._position).decode().split("\0")[:-1]
        except UnicodeDecodeError:
            raise ArchiveError("index is damaged: it holds text that is not UTF-8") from None

    def column(self, count: int, largest: int = MAX_U64, smallest: int = 0) -> list[int]:
        """Return a column of `count` numbers. Raises ArchiveError if one is not from `smallest` to `largest`.

        What bounds `count` is up to the caller: many equal numbers take few bytes.
        """
        values = self._column(count)
        if values and (max(values) > largest or min(values) < smallest):
            raise ArchiveError("index is damaged: it holds a number out of range")
        return values

    def _column(self, count: int) -> list[int]:
        if count < 2:
            return [unzigzag(self.varint()) for _ in range(count)]
        if self._peek() != _STEP:
            return self._uneven(count)
        self.take(1)
        lowest, step = unzigzag(self.varint()), self.varint()
        return [lowest + step * value for value in self._uneven(count)]

    def _uneven(self, count: int) -> list[int]:
        mode = self.take(1)[0]
        if not mode & _DIFFERENCES:
            return self._numbers(mode, count)
        values = [unzigzag(self.varint())]
        for difference in self._numbers(mode & ~_DIFFERENCES, count - 1):
            values.append(values[-1] + difference)
        return values

    def _numbers(self, mode: int, count: int) -> list[int]:
        kind, parameter, base = mode >> 5, mode & 31, unzigzag(self.varint())
        if mode == _EQUAL:
            return [base] * count
        if kind == _BITS:
            width = parameter + 1
            values = unpack_bits(self.take((count * width + 7) // 8), width, count)
        elif kind == _PLANES and parameter < 8:
            values = _from_planes(self.take(count * (parameter + 1)), count)
        elif kind == _GOLOMB:
            length = self.varint()
            if 8 * length > count * MAX_GOLOMB_BITS + 7:
                raise ArchiveError("index is damaged: a column is longer than its numbers")
            return [base + unzigzag(value) for value in unpack_golomb(self.take(length), parameter, count)]
        else:
            raise ArchiveError("index is damaged: it holds a column of an unknown form")
        return [base + value for value in values] if base else values

    def _peek(self) -> int:
        if not self.remaining:
            raise ArchiveError(_TOO_EARLY)
        return self._data[self._position]


def cost(data: bytes) -> int:
    """Return about how many bytes something takes in a deflate stream that has blocks for text and for noise."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return min(len(data), len(packer.compress(data) + packer.flush()))


def _pack_uneven(values: Sequence[int]) -> Piece:
    trials = ((form, form(values[:_SAMPLE])) for form in _FORMS)
    handicap = _SLOWNESS if len(values) > _SAMPLE else 1.0
    found = [
        (cost(trial) * (handicap if _is_golomb(trial) else 1.0), len(trial), form) for form, trial in trials if trial
    ]
    for _, _, form in sorted(found, key=lambda one: one[:2]):
        packed = form(values)
        if packed:
            sample = packed[:_SAMPLE]
            return Piece(packed, cost(sample) > _EVEN * len(sample))
    raise ValueError("a column holds numbers of more than 64 bits")


def _is_golomb(column: bytes) -> bool:
    return (column[0] & ~_DIFFERENCES) >> 5 == _GOLOMB


def _in_bits(values: Sequence[int]) -> bytes | None:
    base, width = _base_and_width(values)
    if width > MAX_BITS:
        return None
    packed = pack_bits([value - base for value in values], width)
    return bytes([_BITS << 5 | width - 1]) + varint(zigzag(base)) + packed


def _in_planes(values: Sequence[int]) -> bytes | None:
    base, bits = _base_and_width(values)
    if bits > 64:
        return None
    width = (bits + 7) // 8
    # Bytes of one rank resemble each other, so deflate finds runs where whole numbers are noise.
    numbers = struct.pack(f"<{len(values)}Q", *(value - base for value in values))
    planes = b"".join(numbers[rank::8] for rank in range(width))
    return bytes([_PLANES << 5 | width - 1]) + varint(zigzag(base)) + planes


def _in_golomb(values: Sequence[int]) -> bytes | None:
    base = sorted(values[:_SAMPLE])[len(values[:_SAMPLE]) // 2]
    numbers = [zigzag(value - base) for value in values]
    lengths = Counter(number.bit_length() for number in numbers[:_SAMPLE])
    order = min(
        range(MAX_BITS),
        key=lambda order: sum(n * (order + 2 * max(0, bits - order)) for bits, n in lengths.items()),
    )
    packed = pack_golomb(numbers, order)
    return bytes([_GOLOMB << 5 | order]) + varint(zigzag(base)) + varint(len(packed)) + packed


def _by_differences(form: _Form) -> _Form:
    def pack(values: Sequence[int]) -> bytes | None:
        differences = [after - before for before, after in pairwise(values)]
        if min(differences) == max(differences):
            packed: bytes | None = bytes([_EQUAL]) + varint(zigzag(differences[0]))
        else:
            packed = form(differences)
        if packed is None:
            return None
        return bytes([packed[0] | _DIFFERENCES]) + varint(zigzag(values[0])) + packed[1:]

    return pack


_Form = Callable[[Sequence[int]], "bytes | None"]
_PLAIN_FORMS: tuple[_Form, ...] = (_in_bits, _in_planes, _in_golomb)
_FORMS = (*_PLAIN_FORMS, *map(_by_differences, _PLAIN_FORMS))
"""Ways to store numbers that are not all equal; each returns None where the numbers are too wide for it."""


def _base_and_width(values: Sequence[int]) -> tuple[int, int]:
    """Return what is subtracted from all numbers, 0 if that makes none wider, and the bits of the largest rest."""
    lowest, highest = min(values), max(values)
    width = max(1, (highest - lowest).bit_length())
    return (0, width) if lowest > 0 and highest.bit_length() == width else (lowest, width)


def _from_planes(planes: bytes, count: int) -> list[int]:
    numbers = bytearray(8 * count)
    for rank in range(len(planes) // count):
        numbers[rank::8] = planes[rank * count : (rank + 1) * count]
    return list(struct.unpack(f"<{count}Q", numbers))
