"""Names and notes as the index stores them: as text, or as templates whose numbers stand in columns.

Meshes of a set are often numbered: `body00_01_11_f1200` is the template `body##_##_##_f####` with the numbers 0, 1, 11
and 1200, which take fewer bits than their digits, and fewer still where they count up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from meshset.archive.columns import Cursor, Piece, cost, pack_column, varint
from meshset.errors import ArchiveError

MAX_TEXT_BYTES = 1 << 26
"""Most bytes of all names, or of all notes, as templates can promise far more than they take."""

MAX_DIGITS = 15
"""Most digits of one number: every language has them as one exact number."""
_FREE = MAX_DIGITS + 1
"""Slot of a number without leading zeros; slots 1 to 15 are numbers of as many digits."""
_BEFORE_SLOTS = 0x0D
"""A slot is one character of a template: this plus its number, which neither names nor notes can hold."""

_TEXT, _TEMPLATES = 0, 1
_NUMBER = re.compile(f"([0-9]{{1,{MAX_DIGITS}}})")
_SLOT = re.compile("[\x0e-\x1d]")


def pack_texts(texts: Sequence[str]) -> list[Piece]:
    """Return texts without control characters but U+000A, in the form that takes fewer bytes once deflated."""
    if not texts:
        return []
    plain = [Piece(bytes([_TEXT]) + _strings(texts), False)]
    return min(plain, _pack_templates(texts), key=lambda pieces: sum(cost(piece.data) for piece in pieces))


def unpack_texts(cursor: Cursor, count: int) -> list[str]:
    """Return `count` texts, not yet validated. Raises ArchiveError for an unknown form and for impossible templates."""
    if not count:
        return []
    form = cursor.take(1)[0]
    if form == _TEXT:
        return cursor.strings(count)
    if form != _TEMPLATES:
        raise ArchiveError("index is damaged: it holds texts of an unknown form")
    template_count = cursor.varint()
    if template_count > count:
        raise ArchiveError("index is damaged: it promises more templates than texts")
    templates = cursor.strings(template_count)
    chosen = cursor.column(count, template_count - 1)
    slots = [[ord(slot) - _BEFORE_SLOTS for slot in _SLOT.findall(template)] for template in templates]
    sizes = [len(text.encode()) + (MAX_DIGITS - 1) * len(own) for text, own in zip(templates, slots, strict=True)]
    if sum(sizes[one] for one in chosen) > MAX_TEXT_BYTES:
        raise ArchiveError(f"index is damaged: its texts are longer than {MAX_TEXT_BYTES} bytes")
    numbers = _unpack_numbers(cursor, [slots[one] for one in chosen])
    formats = [_format(template) for template in templates]
    return [formats[one].format(*own) for one, own in zip(chosen, numbers, strict=True)]


def _unpack_numbers(cursor: Cursor, slots: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the numbers of each text: a column holds the first of all texts that have one, the next the second."""
    numbers: list[list[int]] = [[] for _ in slots]
    rows = [row for row, own in enumerate(slots) if own]
    place = 0
    while rows:
        for row, number in zip(rows, cursor.column(len(rows)), strict=True):
            if number >= 10 ** min(slots[row][place], MAX_DIGITS):
                raise ArchiveError("index is damaged: a text holds a number with too many digits")
            numbers[row].append(number)
        place += 1
        rows = [row for row in rows if len(slots[row]) > place]
    return numbers


def _strings(texts: Sequence[str]) -> bytes:
    """Return each string in UTF-8 with a zero byte after it."""
    return b"".join(text.encode() + b"\0" for text in texts)


def _pack_templates(texts: Sequence[str]) -> list[Piece]:
    split = [_NUMBER.split(text) for text in texts]
    used = _templates(split)
    templates = {template: number for number, template in enumerate(dict.fromkeys(used))}
    head = bytes([_TEMPLATES]) + varint(len(templates)) + _strings(list(templates))
    rows = [[int(digits) for digits in parts[1::2]] for parts in split]
    columns = [[row[place] for row in rows if len(row) > place] for place in range(max(map(len, rows), default=0))]
    return [Piece(head, False), pack_column([templates[template] for template in used]), *map(pack_column, columns)]


def _templates(split: Sequence[Sequence[str]]) -> list[str]:
    """Return the template of each text, which is given as text, digits, text, digits ... text."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for row, parts in enumerate(split):
        alike.setdefault(tuple(parts[::2]), []).append(row)
    templates = [""] * len(split)
    for rows in alike.values():
        slots = [_slots([split[row][place] for row in rows]) for place in range(1, len(split[rows[0]]), 2)]
        for row, own in zip(rows, zip(*slots, strict=True) if slots else [()] * len(rows), strict=True):
            texts = split[row][::2]
            templates[row] = texts[0] + "".join(map("".join, zip(map(_slot_character, own), texts[1:], strict=True)))
    return templates


def _slots(numbers: Sequence[str]) -> list[int]:
    """Return a slot for each number, the same one for all if possible."""
    widths = [len(digits) for digits in numbers]
    if len(set(widths)) > 1 and all(digits[0] != "0" or digits == "0" for digits in numbers):
        return [_FREE] * len(widths)
    return widths


def _slot_character(slot: int) -> str:
    return chr(_BEFORE_SLOTS + slot)


def _format(template: str) -> str:
    """Return a template as a format string."""
    escaped = template.replace("{", "{{").replace("}", "}}")
    return _SLOT.sub(lambda found: _slot_format(ord(found[0]) - _BEFORE_SLOTS), escaped)


def _slot_format(slot: int) -> str:
    return "{}" if slot == _FREE else f"{{:0{slot}}}"
