"""What the modules of tables share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]

NOT_MEASURED = "Not measured yet."


def header(*titles: str) -> list[str]:
    """Return the first two lines of a table."""
    return [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]


def commands(found: Iterable[Row]) -> str:
    """Return the commands that made figures, as a block of code."""
    return "\n".join(f"    {line}" for one in found for line in one["command"].split("\n"))
