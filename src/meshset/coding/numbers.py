"""Whole numbers as decisions (`adaptive`), their first bits under probabilities that learn."""

from __future__ import annotations

from meshset.coding.adaptive import Coder, Contexts
from meshset.errors import ArchiveError

NUMBER = 32
"""Contexts that one kind of number needs."""

PREFIX = 16
"""Contexts that the number of bits of a magnitude needs."""

MANTISSA = 4
"""Contexts of the two bits after the highest of a magnitude, for each number of bits."""

_LONGEST = 24
"""Bits of the largest magnitude, plus one."""

_LARGEST = 28
"""Bits of the largest number, plus one."""


def code_symbol(coder: Coder, contexts: Contexts, start: int, table: int, bits: int, value: int) -> int:
    """Code a symbol of so many bits, highest first, each under a context of its own for those before it.

    Symbols of one `table` share their contexts, which begin at start + table * 2^bits.
    """
    node, base = 1, start + (table << bits)
    for shift in range(bits - 1, -1, -1):
        node = 2 * node + coder.bit(contexts, base + node, value >> shift & 1)
    return node - (1 << bits)


def code_number(coder: Coder, contexts: Contexts, start: int, value: int) -> int:
    """Code a number of at least 0: how many bits value + 1 has, one decision each, then these, the highest known.

    Contexts are those from `start` to `start + NUMBER - 1`.

    Raises:
        ArchiveError: what is read is beyond all numbers that are written.
    """
    size = (value + 1).bit_length()
    length = 1
    while coder.bit(contexts, start + length - 1, int(size > length)):
        length += 1
        if length > _LARGEST:
            raise ArchiveError("a number in a chunk is too long")
    number = 1
    for shift in range(length - 2, -1, -1):
        number = 2 * number + coder.even(2, (value + 1) >> shift & 1)
    return number - 1


def code_magnitude(coder: Coder, contexts: Contexts, lengths: int, rest: int, value: int) -> int:
    """Code a size of at least 0: how many bits value + 1 has, then these, the first two of them under contexts.

    Args:
        coder, contexts: as in `code_number`.
        lengths: the first of PREFIX contexts.
        rest: the first of PREFIX times MANTISSA.
        value: the size.

    Raises:
        ArchiveError: what is read is beyond all sizes that are written.
    """
    bit, shifted = coder.bit, value + 1
    length, place = 1, 0  # the last of the contexts stands for all numbers of bits beyond
    while bit(contexts, lengths + place, 1 if shifted >> length else 0):
        length += 1
        if length > _LONGEST:
            raise ArchiveError("a residual in a chunk is too large")
        if place < PREFIX - 1:
            place += 1
    if length == 1:
        return 0
    first, number, low = rest + place * MANTISSA, 1, max(length - 3, 0)
    for shift in range(length - 2, low - 1, -1):
        number = 2 * number + bit(contexts, first + number, shifted >> shift & 1)
    return (number << low) + coder.even(1 << low, shifted & (1 << low) - 1) - 1
