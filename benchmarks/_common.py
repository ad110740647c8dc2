"""What the benchmarks share: choosing meshes by their manifest, timing, and writing JSON."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from meshset.geometry import Mesh, Placement, read_mesh
from meshset.pipeline.evaluate import evaluate
from meshset.pipeline.steps.collect import Source
from meshset.pipeline.summary import summarise

MIXED = ("humans", "animals", "things")

Item = TypeVar("Item")
Result = TypeVar("Result")


def normalised(path: Path) -> Mesh:
    """Return a mesh file's mesh in the cube [-1, 1]^3."""
    mesh = read_mesh(path).mesh
    return Placement.of(mesh).normalise(mesh)


def in_processes(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Do independent work in one process a core, each with one thread, and show how far it is."""
    context = multiprocessing.get_context("spawn")
    results = []
    with context.Pool(os.cpu_count(), initializer=_one_thread) as pool:
        for number, result in enumerate(pool.imap(work, items), 1):
            results.append(result)
            print(f"{number} of {len(items)}", end="\r", flush=True)
    return results


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def largest_clean(folder: Path, count: int) -> list[Path]:
    """Return the `count` meshes with the most faces among those that the manifest flags as clean."""
    rows = [row for row in manifest(folder) if row["flag"] == "clean"]
    rows.sort(key=lambda row: -int(row["n_faces"]))
    return [folder / row["file"] for row in rows[:count]]


def members(folder: Path, count: int) -> list[Path]:
    """Return `largest_clean`, or for a folder named mixed that does not exist, a third each of three sets beside it."""
    if folder.name == "mixed" and not folder.exists():
        return [path for name in MIXED for path in largest_clean(folder.parent / name, count // len(MIXED))]
    return largest_clean(folder, count)


def manifest(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a data folder's manifest.csv."""
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Return the shortest time of `repeats` runs after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


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
