"""Bounding boxes in the index: exact, in the form that takes the fewest bits.

A box is the largest part of a mesh's record and the part that deflate helps least. Rounded boxes are a few whole
numbers; binary mesh files hold float32; text files hold decimals of a few digits.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterable, Sequence

from meshset.archive.columns import Cursor, Piece, pack_column, zigzag
from meshset.archive.entries import Corner, is_box, to_float32
from meshset.errors import ArchiveError

Box = tuple[Corner, Corner]

FLOAT32, FLOAT64, DECIMAL, ROUNDED = range(4)
_COLUMNS = {FLOAT32: 6, FLOAT64: 6, DECIMAL: 7, ROUNDED: 7}

MAX_PLACES = 22
"""10^22 is the largest power of ten that float64 holds exactly."""
MAX_WHOLE = 1 << 53
"""Up to here float64 holds every integer, so one operation gives the same float64 in every language."""
MIN_EXPONENT, MAX_EXPONENT = -1074, 970
"""Powers of two that float64 holds, also times 2^53."""

TOO_MANY_DIGITS = "index is damaged: it holds a bounding box with too many digits"


def round_box(lower: Iterable[float], upper: Iterable[float], tolerance: float) -> Box:
    """Return a box whose corners are whole multiples of a power of two, which takes the fewest bytes in an index.

    Args:
        lower: smallest corner x, y, z in world units.
        upper: largest corner.
        tolerance: the power is the largest one that is not above it; no coordinate moves by more than half of that.

    Returns:
        The rounded box, exact in float64; or the box as it is, where the rounded one would have no side longer than 0
        or be too far from the origin to be exact, or where `tolerance` is not above 0 and finite.
    """
    exact = _corner(lower), _corner(upper)
    if not (math.isfinite(tolerance) and tolerance > 0):
        return exact
    exponent = min(math.frexp(tolerance)[1] - 1, MAX_EXPONENT)
    units = _in_units((*exact[0], *exact[1]), exponent)
    if units is None:
        return exact
    rounded = _from_units(exponent, *map(round, units))
    return rounded if is_box(*rounded) else exact


def pack_boxes(boxes: Sequence[Box]) -> list[Piece]:
    """Return the columns of the boxes: the form of each, then those of each form."""
    tables: dict[int, list[Sequence[int]]] = {form: [] for form in _COLUMNS}
    forms = []
    for lower, upper in boxes:
        form, row = _smallest_form((*lower, *upper))
        forms.append(form)
        tables[form].append(row)
    columns = [[row[place] for row in tables[form]] for form in _COLUMNS for place in range(_COLUMNS[form])]
    return [pack_column(forms), *map(pack_column, columns)]


def unpack_boxes(cursor: Cursor, count: int) -> list[Box]:
    """Return `count` boxes, not yet checked. Raises ArchiveError for an unknown form and for numbers out of range."""
    forms = cursor.column(count, ROUNDED)
    counts = Counter(forms)
    tables = {
        FLOAT32: iter(_float_boxes(cursor, counts[FLOAT32], "I", "f")),
        FLOAT64: iter(_float_boxes(cursor, counts[FLOAT64], "Q", "d")),
        DECIMAL: iter(_decimal_boxes(cursor, counts[DECIMAL])),
        ROUNDED: iter(_rounded_boxes(cursor, counts[ROUNDED])),
    }
    return [next(tables[form]) for form in forms]


def as_decimals(values: Sequence[float]) -> Sequence[int] | None:
    """Return decimal places and the whole numbers that all values then are, or None where no short decimals exist."""
    for places in range(MAX_PLACES + 1):
        power = 10**places
        if max(map(abs, values)) * power > MAX_WHOLE:
            return None
        wholes = [round(value * power) for value in values]
        if all(whole / power == value for whole, value in zip(wholes, values, strict=True)):
            return [places, *wholes]
    return None


def _smallest_form(values: Sequence[float]) -> tuple[int, Sequence[int]]:
    """Return the form whose numbers take the fewest bits, and these."""
    rows: dict[int, Sequence[int] | None] = {ROUNDED: _as_units(values)}
    if all(to_float32(value) == value for value in values):
        rows[FLOAT32] = struct.unpack("<6I", struct.pack("<6f", *values))
    else:
        rows[DECIMAL] = as_decimals(values)
        rows[FLOAT64] = struct.unpack("<6Q", struct.pack("<6d", *values))
    sizes = {FLOAT32: 6 * 32, FLOAT64: 6 * 64}
    found = {form: row for form, row in rows.items() if row is not None}
    form = min(found, key=lambda form: sizes.get(form) or sum(zigzag(one).bit_length() for one in found[form]))
    return form, found[form]


def _exponent(values: Sequence[float]) -> int:
    """Return the largest exponent of two of which all values are whole multiples, or 0 if there is none."""
    if not any(values) or not all(map(math.isfinite, values)):
        return 0
    exponents = []
    for numerator, denominator in (value.as_integer_ratio() for value in values if value):
        exponents.append((numerator & -numerator).bit_length() - denominator.bit_length())
    return min(*exponents, MAX_EXPONENT)


def _as_units(values: Sequence[float]) -> Sequence[int] | None:
    """Return an exponent, the lower corner and the sides in units of its power of two, None where they are too many."""
    exponent = _exponent(values)
    units = _in_units(values, exponent)
    if units is None:
        return None
    wholes = [int(unit) for unit in units]
    return [exponent, *wholes[:3], *(high - low for low, high in zip(wholes[:3], wholes[3:], strict=True))]


def _in_units(values: Sequence[float], exponent: int) -> list[float] | None:
    """Return values in units of 2^exponent, or None where float64 could not hold all of these as whole numbers."""
    try:
        units = [math.ldexp(value, -exponent) for value in values]
    except OverflowError:
        return None
    return units if all(abs(unit) <= MAX_WHOLE for unit in units) else None


def _from_units(exponent: int, *units: int) -> Box:
    x0, y0, z0, x1, y1, z1 = (math.ldexp(unit, exponent) for unit in units)
    return (x0, y0, z0), (x1, y1, z1)


def _corner(values: Iterable[float]) -> Corner:
    x, y, z = map(float, values)
    return x, y, z


def _float_boxes(cursor: Cursor, count: int, bits: str, code: str) -> Iterable[Box]:
    largest = (1 << 8 * struct.calcsize(bits)) - 1
    columns = [struct.pack(f"<{count}{bits}", *cursor.column(count, largest)) for _ in range(6)]
    return _boxes([struct.unpack(f"<{count}{code}", column) for column in columns])


def _decimal_boxes(cursor: Cursor, count: int) -> Iterable[Box]:
    powers = [10**places for places in cursor.column(count, MAX_PLACES)]
    columns = [cursor.column(count, MAX_WHOLE, -MAX_WHOLE) for _ in range(6)]
    return _boxes([[whole / power for whole, power in zip(column, powers, strict=True)] for column in columns])


def _rounded_boxes(cursor: Cursor, count: int) -> Iterable[Box]:
    scales = cursor.column(count, MAX_EXPONENT, MIN_EXPONENT)
    lower = [cursor.column(count, MAX_WHOLE, -MAX_WHOLE) for _ in range(3)]
    sides = [cursor.column(count, 2 * MAX_WHOLE) for _ in range(3)]
    upper = [[low + side for low, side in zip(*axis, strict=True)] for axis in zip(lower, sides, strict=True)]
    if any(column and max(column) > MAX_WHOLE for column in upper):
        raise ArchiveError(TOO_MANY_DIGITS)
    return _boxes([list(map(math.ldexp, column, scales)) for column in (*lower, *upper)])


def _boxes(columns: Sequence[Sequence[float]]) -> Iterable[Box]:
    return zip(zip(*columns[:3], strict=True), zip(*columns[3:], strict=True), strict=True)
