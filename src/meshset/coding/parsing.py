"""Small integers and floats in a byte string, checked as they are read."""

from __future__ import annotations

import struct

from meshset.errors import ArchiveError


def varint(value: int) -> bytes:
    """Return a non-negative integer in 7-bit groups, lowest first, the high bit set on all but the last byte."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed_varint(value: int) -> bytes:
    """Return an integer as `varint` of 2 v for v >= 0 and -2 v - 1 for v < 0."""
    return varint(2 * value if value >= 0 else -2 * value - 1)


class ByteReader:
    """Takes fields off the front of `data`; running out of bytes raises ArchiveError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        end = self._position + count
        if end > len(self._data):
            raise ArchiveError("a chunk ends too early")
        self._position, start = end, self._position
        return self._data[start:end]

    def rest(self) -> bytes:
        """Return all bytes that are left."""
        return self.take(len(self._data) - self._position)

    def byte(self) -> int:
        """Return the next byte as a number."""
        return self.take(1)[0]

    def float32(self) -> float:
        """Return the next little-endian 32-bit float."""
        return float(struct.unpack("<f", self.take(4))[0])

    def varint(self) -> int:
        """Return the next `varint`, of at most 5 bytes."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ArchiveError("a number in a chunk is too long")

    def signed_varint(self) -> int:
        """Return the next `signed_varint`."""
        value = self.varint()
        return value >> 1 if value % 2 == 0 else -(value >> 1) - 1
