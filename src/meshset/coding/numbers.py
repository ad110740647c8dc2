"""Whole numbers as decisions (`adaptive`), their first bits under probabilities that learn."""

from __future__ import annotations

from meshset.coding.adaptive import Coder, Contexts
from meshset.errors import ArchiveError

NUMBER = 32
"""Contexts that one kind of number needs."""

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
