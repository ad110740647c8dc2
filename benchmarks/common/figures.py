"""Figures and the JSON files that they are kept in."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from meshset.pipeline.evaluate import evaluate
from meshset.pipeline.steps.collect import Source
from meshset.pipeline.summary import summarise

Row = dict[str, Any]


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


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""

    packages = ("meshset", "numpy", "torch", "libigl", "constriction")
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def write_json(path: Path, command: str, figures: dict[str, Any]) -> None:
    """Write figures beside the command that made them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"command": command, "machine": machine(), **figures}, indent=1) + "\n")
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
        "index_bytes": summary.index_bytes,
        **{key: float(value) for key, value in asdict(result.mean).items()},
        "worst_mean_distance": max(metrics.mean_distance for metrics in result.metrics.values()),
    }
