"""Errors as the index stores them: 16 bits, rounded up, so that no mesh is said to be more exact than it is."""

from __future__ import annotations

import math

NONE = 0xFFFF
"""Stands for a distance that was not measured."""

_MANTISSA = 1 << 11
_LOWEST = -28
_LARGEST = NONE - 1


def pack_distance(value: float | None) -> int:
    """Return the smallest of the 65,535 distances that is not below `value`, as 0 to 65,534, or 65,535 for None.

    A distance beyond the largest one, 15.99, becomes that; the cube of the meshes measures 3.5 across.
    """
    if value is None:
        return NONE
    if value == 0:
        return 0
    mantissa, exponent = math.frexp(min(value, 16.0))
    number = math.ceil((2 * mantissa - 1) * _MANTISSA) + _MANTISSA * (exponent - 1 - _LOWEST)
    return min(max(number, 1), _LARGEST)


def unpack_distance(number: int) -> float | None:
    """Return the distance that `pack_distance` gave a number."""
    if number in (0, NONE):
        return None if number else 0.0
    return (1 + number % _MANTISSA / _MANTISSA) * 2.0 ** (number // _MANTISSA + _LOWEST)


def round_distance(value: float) -> float:
    """Return a distance as an archive states it: `value` or up to 0.05 % more, in normalised units.

    Who compares an error with a bound rounds it first, or the archive may say that the bound is missed.
    """
    return unpack_distance(pack_distance(value)) or 0.0
