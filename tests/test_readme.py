"""The README and docs/ show the committed figures, and nothing else."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


MARK = "<!-- drawn by"
DRAWN = [path for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))) if MARK in path.read_text()]


@pytest.mark.parametrize("document", DRAWN, ids=lambda path: path.name)
def test_tables_are_drawn_from_the_committed_figures(document: Path) -> None:
    spec = importlib.util.spec_from_file_location("draw", ROOT / "benchmarks" / "tables" / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert str(document.relative_to(ROOT)) in module.DOCUMENTS
    text = document.read_text()
    assert module.drawn(text) == text
