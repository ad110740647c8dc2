"""What of a control mesh's payload its decisions tell: which contexts they use, and what each part costs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar
from unittest.mock import patch

from meshset.codecs.control_mesh import bitstream
from meshset.codecs.control_mesh import contexts as at
from meshset.coding.adaptive import Contexts, Reader

HEADER = "header"
_ONE = 1 << 16


def _parts() -> list[str]:
    """Return for each context which part of a payload its decisions tell."""
    lengths, rests = at.DEGREES * at.CLASSES * at.PREFIX, at.PREFIX * at.MANTISSA
    along = ("normal", "tangential", "tangential")
    return [
        *["connectivity"] * (at.JUMP - at.VALENCE),
        *["start"] * (at.LENGTH - at.JUMP),
        *[name for name in along for _ in range(lengths)],
        *[name for name in along for _ in range(rests)],
        *[name for name in along for _ in range(at.SIGNS)],
        *["creases"] * (at.COUNT - at.CREASE),
    ]


PARTS = _parts()
"""Of each context, what it tells; evenly spread numbers belong to the decision before them, the first to the header."""


class CountingReader(Reader):
    """Adds up what each part of a payload takes, in `bits`."""

    bits: ClassVar[dict[str, float]]

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._part = HEADER
        type(self).bits = dict.fromkeys((HEADER, *PARTS), 0.0)

    def bit(self, contexts: Contexts, context: int, value: int = 0) -> int:
        """Read a decision."""
        one = contexts.one[context] / _ONE
        found = super().bit(contexts, context, value)
        self._part = PARTS[context]
        self.bits[self._part] -= math.log2(one if found else 1.0 - one)
        return found

    def even(self, size: int, value: int = 0) -> int:
        """Read a number from 0 to size - 1."""
        self.bits[self._part] += math.log2(size) if size > 1 else 0.0
        return super().even(size, value)


class RecordingReader(Reader):
    """Takes note of every decision, in `decisions`: twice its context, and one more for a 1."""

    decisions: ClassVar[list[int]]

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        type(self).decisions = []

    def bit(self, contexts: Contexts, context: int, value: int = 0) -> int:
        """Read a decision."""
        found = super().bit(contexts, context, value)
        self.decisions.append(2 * context + found)
        return found


def bytes_by_part(payload: bytes) -> dict[str, float]:
    """Return the bytes that each part of a payload takes; their sum is its length but for rounding."""
    with patch.object(bitstream, "Reader", CountingReader):
        bitstream.decode(payload)
    return {part: bits / 8 for part, bits in CountingReader.bits.items()}


def decisions_of(payload: bytes) -> list[int]:
    """Return the decisions of a payload as `RecordingReader` notes them."""
    with patch.object(bitstream, "Reader", RecordingReader):
        bitstream.decode(payload)
    return RecordingReader.decisions


@contextmanager
def coding_with(tables: at.Tables) -> Iterator[None]:
    """Code with other tables than those that ship, until the block is left."""
    with patch.object(at, "shipped", lambda: tables):
        yield
