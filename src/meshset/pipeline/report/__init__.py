"""One HTML page from a bench.json, which needs nothing but itself."""

from pathlib import Path


def write_report(folder: Path) -> Path:
    raise NotImplementedError
