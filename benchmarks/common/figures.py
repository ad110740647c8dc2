"""Figures and the JSON files that they are kept in."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from meshset.pipeline.evaluate import evaluate
from meshset.pipeline.steps.collect import Source
from meshset.pipeline.summary import summarise

Row = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
"""The repository, or the unpacked source distribution."""


class KeptRows:
    """Rows of figures in a JSON file, each made once, so that an interrupted run goes on where it stopped.

    Args:
        path: of the file; what it holds must have been made with the same options.
        command: that makes it.
        options: all that the figures depend on.
    """

    def __init__(self, path: Path, command: str, options: Row) -> None:
        self._path, self._command, self._options = path, command, options
        self.rows: dict[str, Row] = {}
        if path.exists():
            kept = json.loads(path.read_text())
            if kept["options"] != options:
                raise SystemExit(f"{path} was made with other options; choose another --out, or remove it")
            self.rows = kept["rows"]

    def add(self, name: str, make: Callable[[], Row]) -> None:
        """Make a row, unless it is there already."""
        if name not in self.rows:
            print(name)
            self.rows[name] = make()
            write_json(self._path, self._command, {"options": self._options, "rows": self.rows})


def command(inputs: Iterable[Path] = (), data: Path | None = None) -> str:
    """Return the command that is running as another user would type it, from the root of the repository.

    Args:
        inputs: meshes and folders of meshes among its arguments. What lies elsewhere is named as in
            benchmarks/README.md: sets/NAME, and sets/NAME/FILE.
        data: the folder of all sets among its arguments.
    """
    names = {
        str(path): f"sets/{path.parent.name}/{path.name}" if path.is_file() else f"sets/{path.name}"
        for path in inputs
        if _elsewhere(path)
    }
    if data is not None and _elsewhere(data):
        names[str(data)] = "sets"
    script, *words = sys.argv
    script = Path(script).resolve().relative_to(ROOT).as_posix()
    return f"python {shlex.join([script, *(names.get(word, word) for word in words)])}"


def _elsewhere(path: Path) -> bool:
    return path.is_absolute() or ".." in path.parts


def made_by() -> dict[str, str]:
    """Return the version of meshset, and its commit if this is a checkout; "-dirty" where src/ differs from it."""
    made = {"meshset": version("meshset")}
    if (ROOT / ".git").exists():
        commit, date = _git("log", "-1", "--format=%h %cI").split()
        made |= {"commit": commit + ("-dirty" if _git("status", "--porcelain", "--", "src") else ""), "date": date}
    return made


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True, text=True).stdout


def machine() -> dict[str, Any]:
    """Return what the figures depend on beside the code."""
    packages = ("numpy", "torch", "libigl", "constriction")
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def write_json(path: Path, command: str, figures: dict[str, Any]) -> None:
    """Write figures beside the command and the version that made them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"command": command, "made_by": made_by(), "machine": machine(), **figures}
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(f"wrote {path}")


def set_figures(archive: Path, sources: Sequence[Path | Source]) -> dict[str, Any]:
    """Return the row of a set in a table: sizes on disk, and metrics, each the mean over its meshes."""
    summary, result = summarise(archive), evaluate(archive, sources)
    if result.failures:
        raise SystemExit("\n".join(map(str, result.failures)))
    return {
        "meshes": summary.meshes,
        "obj_bytes": summary.source_bytes,
        "archive_bytes": summary.archive_bytes,
        "ratio": round(summary.ratio, 1),
        "decoder_bytes": summary.shared_bytes,
        "latent_bytes": summary.payload_bytes,
        "mean_error_of_diagonal": summary.mean_error_of_diagonal,
        "index_bytes": summary.index_bytes,
        **{key: float(value) for key, value in asdict(result.mean).items()},
        "worst_mean_distance": max(metrics.mean_distance for metrics in result.metrics.values()),
    }
