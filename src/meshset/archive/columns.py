"""Numbers and strings as the index stores them: columns of byte planes, and strings that end with a zero."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from meshset.errors import ArchiveError


def pack_u32(value: int) -> bytes:
    """Return one 32-bit unsigned integer."""
    return struct.pack("<I", value)


def pack_strings(strings: Sequence[str]) -> bytes:
    """Return the length in bytes of the whole, then each string in UTF-8 with a zero byte after it."""
    blob = b"".join(text.encode() + b"\0" for text in strings)
    return pack_u32(len(blob)) + blob


def pack_table(codes: str, rows: Sequence[Sequence[float]]) -> list[bytes]:
    """Return a table column by column.

    Args:
        codes: one `struct` code per column, such as "I" for a 32-bit unsigned integer.
        rows: one number per column each, within the range of its code.
    """
    return [_pack_column(code, [row[place] for row in rows]) for place, code in enumerate(codes)]


def zigzag(value: int) -> int:
    """Map 0, -1, 1, -2, 2 ... to 0, 1, 2, 3, 4 ..., so that small differences stay small without a sign."""
    return 2 * value if value >= 0 else -2 * value - 1


def unzigzag(value: int) -> int:
    """Undo `zigzag`."""
    return -(value + 1) // 2 if value & 1 else value // 2


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
            raise ArchiveError("index is damaged: it ends too early")
        start = self._position
        self._position += length
        return self._data[start : self._position]

    def u32(self) -> int:
        """Return one 32-bit unsigned integer."""
        return int.from_bytes(self.take(4), "little")

    def strings(self, count: int) -> list[str]:
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
        return list(zip(*(self._column(code, count) for code in codes), strict=True))

    def _column(self, code: str, count: int) -> tuple[Any, ...]:
        width = struct.calcsize(f"<{code}")
        planes = self.take(width * count)
        numbers = bytearray(len(planes))
        for rank in range(width):
            numbers[rank::width] = planes[rank * count : (rank + 1) * count]
        return struct.unpack(f"<{count}{code}", numbers)


def _pack_column(code: str, values: Sequence[float]) -> bytes:
    # Byte planes: bytes of one rank resemble each other, so deflate finds runs where whole numbers are noise.
    numbers = struct.pack(f"<{len(values)}{code}", *values)
    width = struct.calcsize(f"<{code}")
    return b"".join(numbers[rank::width] for rank in range(width))
