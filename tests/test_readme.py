"""The README and docs/ show the committed figures, and nothing else."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "document", ["README.md", "docs/fields.md", "docs/necgs.md", "docs/necgs-paper.md", "docs/ablations.md"]
)
def test_tables_are_drawn_from_the_committed_figures(document: str) -> None:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "benchmarks" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (ROOT / document).read_text()
    assert "<!-- drawn by" in text
    assert module.drawn(text) == text
