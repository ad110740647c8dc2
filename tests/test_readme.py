"""The README and docs/ show the committed figures, and nothing else."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs", "benchmarks", "robustness")
PAGES = [*sorted(ROOT.glob("*.md")), *(path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.md")))]
DRAWN = [path for path in PAGES if "<!-- drawn by" in path.read_text()]
COMMITTED = [
    *PAGES,
    *(
        path
        for folder in ("benchmarks", "robustness")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".json", ".html")
    ),
]


@pytest.mark.parametrize("document", DRAWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_are_drawn_from_the_committed_figures(document: Path) -> None:
    spec = importlib.util.spec_from_file_location("draw", ROOT / "benchmarks" / "tables" / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert str(document.relative_to(ROOT)) in module.DOCUMENTS
    text = document.read_text()
    assert module.drawn(text) == text


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: str(path.relative_to(ROOT)))
def test_texts_name_scripts_that_exist_and_no_folder_of_one_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\.\./(?:shared|data)\b|/(?:work|home|tmp)/", text)
    scripts = set(re.findall(r"\b(?:benchmarks|robustness)/[\w/]+\.py\b", text))
    assert {script for script in scripts if not (ROOT / script).exists()} == set()


@pytest.mark.parametrize("folder", ["benchmarks", "robustness"])
def test_every_committed_figure_names_its_command_its_version_and_its_page(folder: str) -> None:
    page = (ROOT / folder / "README.md").read_text()
    for path in sorted((ROOT / folder / "results").glob("*.json")):
        found = json.loads(path.read_text())
        assert found["command"].split()[0] in ("python", "meshset")
        assert found["made_by"]["meshset"]
        assert f"`{path.name}`" in page
