"""Yes-or-no decisions one at a time, each under a probability that learns from those before it.

The probability of a context is a whole number of 2^16 parts; it starts where a table says and moves towards each
decision by a share that becomes smaller with their number, in whole numbers. A decision is coded by the range coder of
`constriction` with 12 bits of it.

One class writes, one reads; both take the same calls, so that what is coded is described once.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Protocol

import constriction
import numpy as np

from meshset.errors import ArchiveError

_ONE = 1 << 16
_SHOWN = 4
"""Bits of a probability that the range coder does not see."""

_LIMIT = 60
"""A decision moves a probability by one part in so many, at least."""

_WORD = np.dtype(">u4")
_INVALID = "a coded chunk holds invalid bits"


class Contexts:
    """Probabilities that learn.

    Attributes:
        one: of each context, the probability of a 1 in parts of 2^16.
        seen: how much each context has seen; a table starts it higher the surer it is.
    """

    def __init__(self, one: list[int], seen: list[int]) -> None:
        self.one, self.seen = one, seen

    @classmethod
    def blank(cls, count: int) -> Contexts:
        """Return contexts that know nothing."""
        return cls([_ONE // 2] * count, [1] * count)

    def learn(self, context: int, bit: int) -> None:
        """Move the probability of a context towards what it has seen."""
        ones, seens = self.one, self.seen
        seen, probability = seens[context], ones[context]
        if bit:
            ones[context] = probability + (_ONE - probability) // (seen + 1)
        else:
            ones[context] = probability - probability // (seen + 1)
        if seen < _LIMIT:
            seens[context] = seen + 1


class Coder(Protocol):
    """Codes decisions; those that read ignore the value and return what they find."""

    def bit(self, contexts: Contexts, context: int, value: int) -> int:
        """Code one decision, 0 or 1, and return it."""
        ...

    def even(self, size: int, value: int) -> int:
        """Code a number from 0 to size - 1 that may be any, and return it."""
        ...


class Writer:
    """Turns decisions into bytes."""

    def __init__(self) -> None:
        self._coder = constriction.stream.queue.RangeEncoder()

    def bit(self, contexts: Contexts, context: int, value: int) -> int:
        """Write a decision."""
        self._coder.encode(value, _bernoullis()[contexts.one[context] >> _SHOWN])
        contexts.learn(context, value)
        return value

    def even(self, size: int, value: int) -> int:
        """Write a number from 0 to size - 1."""
        if size > 1:
            self._coder.encode(value, _uniform(size))
        return value

    def to_bytes(self) -> bytes:
        """Return what was written, in as few bytes as tell it: reading adds zeros at the end again."""
        whole = bytes(np.asarray(self._coder.get_compressed()).astype(_WORD).tobytes())
        _, (lower, width) = self._coder.pos()
        before, last = whole[: -_WORD.itemsize], int.from_bytes(whole[-_WORD.itemsize :], "big")
        if last < lower >> 32:  # carried into the words before: whatever follows is in reach
            return before.rstrip(b"\0")
        for kept in range(9):
            unit = 1 << 64 - 8 * kept
            point = -(-lower // unit) * unit
            if point < min(lower + width, 1 << 64):
                break
        told: bytes = before + point.to_bytes(8, "big")
        return told.rstrip(b"\0")


class Reader:
    """Takes decisions out of bytes."""

    def __init__(self, data: bytes) -> None:
        data = data.rstrip(b"\0")
        words = np.frombuffer(data + bytes(-len(data) % _WORD.itemsize), dtype=_WORD)
        self._coder = constriction.stream.queue.RangeDecoder(words.astype(np.uint32))
        self._decode = self._coder.decode
        self._models = _bernoullis()

    def bit(self, contexts: Contexts, context: int, value: int = 0) -> int:
        """Read a decision. Raises ArchiveError for bits that nothing was written as."""
        ones, seens = contexts.one, contexts.seen
        seen, probability = seens[context], ones[context]
        try:
            found: int = self._decode(self._models[probability >> _SHOWN])
        except AssertionError as error:
            raise ArchiveError(_INVALID) from error
        # As `Contexts.learn` does it: a call less for each decision is a quarter of the time.
        if found:
            ones[context] = probability + (_ONE - probability) // (seen + 1)
        else:
            ones[context] = probability - probability // (seen + 1)
        if seen < _LIMIT:
            seens[context] = seen + 1
        return found

    def even(self, size: int, value: int = 0) -> int:
        """Read a number from 0 to size - 1. Raises ArchiveError for bits that nothing was written as."""
        if size <= 1:
            return 0
        try:
            return int(self._decode(_uniform(size)))
        except AssertionError as error:
            raise ArchiveError(_INVALID) from error


@lru_cache(64)
def _uniform(size: int) -> Any:
    return constriction.stream.model.Uniform(size)


@cache
def _bernoullis() -> tuple[Any, ...]:
    """Return the models of decisions that are 1 in k of 2^12 cases, for k from 0; at least one is left to each side."""
    # As in `range_coder`: a symbol has one part of 2^24 anyway, the table holds the others.
    ones = [min(max(k, 1), (1 << 12) - 1) << 12 for k in range((1 << 12) + 1)]
    pairs = (np.array([(1 << 24) - one - 1, one - 1], float) for one in ones)
    return tuple(constriction.stream.model.Categorical(pair, perfect=False) for pair in pairs)
