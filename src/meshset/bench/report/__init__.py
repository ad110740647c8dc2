"""One HTML page from a bench.json, which needs nothing but itself."""

from __future__ import annotations

from pathlib import Path

from meshset.bench.report.page import TITLE, page
from meshset.bench.run import RESULT, read_result
from meshset.bench.store import save_text
from meshset.errors import MeshsetError, UsageError

__all__ = ["PAGE", "write_report"]

PAGE = "report.html"

_HEAD = 1000
"""Characters within which a page of ours has its title."""


def write_report(folder: Path) -> Path:
    """Write the page of a folder that `bench` has filled, and return its path.

    Raises:
        UsageError: there is another page of that name.
        MeshsetError: there is no bench.json of this version, it lacks a figure, or the page cannot be written.
    """
    result = read_result(folder)
    try:
        content = page(result)
    except (KeyError, TypeError) as error:
        raise MeshsetError(f"{folder / RESULT}: lacks a figure or holds one of the wrong kind ({error})") from None
    _require_ours(folder / PAGE)
    save_text(folder / PAGE, content)
    return folder / PAGE


def _require_ours(path: Path) -> None:
    """Raise UsageError if there is a page that `write_report` has not made."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        if TITLE not in file.read(_HEAD):
            raise UsageError(f"{path}: exists and is no page of meshset report, so it is not replaced; move it away")
