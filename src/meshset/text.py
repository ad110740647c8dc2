"""Text for people: safe on every terminal, in columns, with units."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WIDEST = 100
"""Columns that a table aligns to at most: one endless name or note must not make every line as long."""

_SHORTEST = 12
"""Columns of a shortened name at least."""


def printable(text: str) -> str:
    """Return `text` with everything escaped that could move a cursor, change a colour or break a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def numbered(name: str) -> tuple[str, int]:
    """Return a name without the number at its end, and that number, -1 for none.

    >>> numbered("walk/body_0012")
    ('walk/body_', 12)
    """
    found = re.fullmatch(r"(.*?)([0-9]{1,9})", name, re.DOTALL)
    return (found[1], int(found[2])) if found else (name, -1)


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool], columns: int | None = None
) -> str:
    """Return aligned lines, the header first.

    Without `columns` a cell wider than 100 moves what follows it.

    Args:
        header: title of each column.
        rows: one text a column; made printable here.
        numbers: for each column, whether it is aligned to the right.
        columns: width of the terminal; the first column is shortened to it. None for no limit.
    """
    lines = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [min(_WIDEST, max(map(_width, column))) for column in zip(*lines, strict=True)]
    if columns is not None:
        widths[0] = max(_SHORTEST, min(widths[0], columns - sum(widths[1:]) - 2 * len(widths[1:])))
        lines = [[shortened(first, widths[0]), *rest] for first, *rest in lines]
    return "\n".join(
        "  ".join(
            " " * (width - _width(cell)) + cell if right else cell + " " * (width - _width(cell))
            for cell, width, right in zip(line, widths, numbers, strict=True)
        ).rstrip()
        for line in lines
    )


def shortened(text: str, columns: int) -> str:
    """Return `text`, its middle replaced by an ellipsis where a terminal takes more than `columns` for it.

    >>> shortened("scans/2024/body_left_final", 16)
    'scans/2…ft_final'
    """
    if _width(text) <= columns:
        return text
    head, tail = text[: (columns - 1) // 2], text[-(columns // 2) :]
    while _width(head) > (columns - 1) // 2:
        head = head[:-1]
    while _width(tail) > columns // 2:
        tail = tail[1:]
    return f"{head}…{tail}"


def size(count: int) -> str:
    """Return a number of bytes with a decimal unit, such as "198.3 KB"."""
    if count < 1000:
        return f"{count} B"
    amount = float(count)
    for unit in ("KB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} TB"


def counted(count: int, one: str, many: str) -> str:
    """Return a number with its noun, such as "1 mesh" or "5 meshes"."""
    return f"{count} {one if count == 1 else many}"


def figure(value: float | None) -> str:
    """Return three digits of a distance, "-" where there is none."""
    return "-" if value is None else f"{value:.2e}"


def share(value: float | None) -> str:
    """Return a share as percent with three decimals, "-" where there is none."""
    return "-" if value is None else f"{value:.3%}"


def duration(seconds: float) -> str:
    """Return a time such as "45 s", "12 min 5 s" or "3 h 20 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _width(text: str) -> int:
    """Return the columns that a terminal takes for `text`."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
