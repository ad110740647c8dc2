"""The README shows the committed figures, and nothing else."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_tables_are_drawn_from_the_committed_figures() -> None:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "benchmarks" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shown = (ROOT / "README.md").read_text().split(module.BEGIN)[1].split(module.END)[0]
    assert shown.strip() == module.figures().strip()
