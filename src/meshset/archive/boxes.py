"""Bounding boxes in the index: exact, in the first of three forms that fits.

A box is the largest part of a mesh's record and the part that deflate helps least. Binary mesh files hold
float32; text files hold decimals of a few digits, which float64 would spread over eight bytes of noise.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshset.archive.columns import Cursor, pack_table, unzigzag, zigzag
from meshset.archive.entries import Corner, to_float32
from meshset.errors import ArchiveError

Box = tuple[Corner, Corner]

_FLOAT32, _FLOAT64, _DECIMAL = range(3)
_CODES = {_FLOAT32: "ffffff", _FLOAT64: "dddddd", _DECIMAL: "BQQQQQQ"}

MAX_PLACES = 22
"""10^22 is the largest power of ten that float64 holds exactly."""
MAX_MANTISSA = 1 << 53
"""Up to here float64 holds every integer, so one division gives the same float64 in every language."""


def pack_boxes(boxes: Sequence[Box]) -> list[bytes]:
    """Return the columns of the boxes: the form of each, then one table for each form."""
    forms = bytearray()
    tables: dict[int, list[Sequence[float]]] = {form: [] for form in _CODES}
    for lower, upper in boxes:
        form, row = _smallest_form((*lower, *upper))
        forms.append(form)
        tables[form].append(row)
    return [bytes(forms)] + [column for form in _CODES for column in pack_table(_CODES[form], tables[form])]


def unpack_boxes(cursor: Cursor, count: int) -> list[Box]:
    """Return `count` boxes. Raises ArchiveError for an unknown form and for decimals out of range."""
    forms = cursor.take(count)
    if any(form not in _CODES for form in forms):
        raise ArchiveError("index is damaged: it holds a bounding box of an unknown form")
    tables = {form: iter(cursor.table(_CODES[form], forms.count(form))) for form in _CODES}
    boxes = []
    for form in forms:
        row = next(tables[form])
        x0, y0, z0, x1, y1, z1 = _from_decimals(row) if form == _DECIMAL else row
        boxes.append(((x0, y0, z0), (x1, y1, z1)))
    return boxes


def _smallest_form(values: Sequence[float]) -> tuple[int, Sequence[float]]:
    if all(to_float32(value) == value for value in values):
        return _FLOAT32, values
    decimals = _as_decimals(values)
    return (_FLOAT64, values) if decimals is None else (_DECIMAL, decimals)


def _as_decimals(values: Sequence[float]) -> Sequence[int] | None:
    """Return decimal places and the zigzag mantissas of all values, or None where no short decimals exist."""
    for places in range(MAX_PLACES + 1):
        power = 10**places
        if max(map(abs, values)) * power > MAX_MANTISSA:
            return None
        mantissas = [round(value * power) for value in values]
        if all(mantissa / power == value for mantissa, value in zip(mantissas, values, strict=True)):
            return [places, *map(zigzag, mantissas)]
    return None


def _from_decimals(row: Sequence[int]) -> list[float]:
    places, mantissas = row[0], [unzigzag(number) for number in row[1:]]
    if places > MAX_PLACES or any(abs(mantissa) > MAX_MANTISSA for mantissa in mantissas):
        raise ArchiveError("index is damaged: it holds a bounding box with too many digits")
    return [mantissa / 10**places for mantissa in mantissas]


def round_box(lower: Corner, upper: Corner, tolerance: float) -> Box:
    """Stub until the merge."""
    import math

    step = 2.0 ** math.floor(math.log2(tolerance))
    x, y, z = (round(value / step) * step for value in lower)
    u, v, w = (round((high - low) / step) * step for low, high in zip(lower, upper, strict=True))
    return (x, y, z), (x + u, y + v, z + w)
