"""One HTML page from a bench.json, which needs nothing but itself."""

from __future__ import annotations

from pathlib import Path

from meshset.bench.report.page import page
from meshset.bench.run import RESULT, read_result
from meshset.errors import MeshsetError

__all__ = ["PAGE", "write_report"]

PAGE = "report.html"


def write_report(folder: Path) -> Path:
    """Write the page of a folder that `bench` has filled, and return its path.

    Raises:
        MeshsetError: there is no bench.json of this version, it lacks a figure, or the page cannot be written.
    """
    result = read_result(folder)
    try:
        content = page(result)
    except (KeyError, TypeError) as error:
        raise MeshsetError(f"{folder / RESULT}: lacks a figure or holds one of the wrong kind ({error})") from None
    partial = folder / f"{PAGE}.part"
    try:
        partial.write_text(content, encoding="utf-8")
        return partial.replace(folder / PAGE)
    except OSError as error:
        raise MeshsetError(f"{folder / PAGE}: cannot be written ({error.strerror})") from None
