"""One point of a curve: made, measured, and kept on disk, so that it is done once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from meshset.bench.coders import Coder
from meshset.bench.plan import PlannedPoint
from meshset.bench.source import MEASURING, code_digest
from meshset.bench.store import digest, file_name, load, save
from meshset.errors import MeshsetError, MissingExtraError
from meshset.evaluation import compare, volume_iou
from meshset.geometry import Mesh
from meshset.pipeline.steps.prepare import PreparedMesh
from meshset.progress import advance, stage, tell

_MADE = "made.json"


@dataclass(frozen=True)
class Sampling:
    """Where metrics are taken, the same for every system.

    Attributes:
        surface: points a surface for all metrics but the IoU.
        volume: points of the IoU.
        seed: of both.
    """

    surface: int
    volume: int
    seed: int


def point_folder(parent: Path, point: PlannedPoint, meshes: Sequence[PreparedMesh]) -> Path:
    """Return the folder of a point, named by its label and by all that its bytes depend on, the code included."""
    content = [(mesh.name, mesh.fingerprint, mesh.vertices, mesh.faces) for mesh in meshes]
    key = {"meshset": version("meshset"), "meshes": content, **point.coder.key()}
    return parent / f"{file_name(point.label)}-{digest(key)}"


def run_point(point: PlannedPoint, meshes: Sequence[PreparedMesh], folder: Path, sampling: Sampling) -> dict[str, Any]:
    """Return the figures of a point, from disk where they are.

    Args:
        point: what to make.
        meshes: of the set.
        folder: from `point_folder`.
        sampling: of the metrics.

    Returns:
        JSON values: label, bytes, shared_bytes, coding_seconds, decoding_seconds (a mesh), failures, mean and per_mesh
        metrics. Or label and error, where nothing came of it; that is not kept.

    Raises:
        MissingExtraError: a library is not installed.
    """
    try:
        made = _made(point.coder, meshes, folder)
        measured = _measured(point.coder, meshes, folder, sampling)
    except MissingExtraError:
        raise
    except MeshsetError as error:
        tell(f"{point.label}: {error}")
        return {"label": point.label, "error": str(error)}
    figures = {"label": point.label, **made, **{key: measured[key] for key in ("mean", "per_mesh")}}
    if figures["decoding_seconds"] is None:
        figures["decoding_seconds"] = measured["decoding_seconds"]
    return figures


def measuring_key(sampling: Sampling) -> dict[str, Any]:
    """Return JSON values of everything beside meshes that metrics depend on, the code included."""
    return {"meshset": version("meshset"), "code": code_digest(MEASURING), **asdict(sampling)}


def is_kept(folder: Path) -> bool:
    """Whether the bytes of a point are on disk already."""
    return (folder / _MADE).exists()


def mean_figures(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of every figure over meshes; at least one row, all with the same keys."""
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def figures_of(original: Mesh, decoded: Mesh, sampling: Sampling) -> dict[str, float]:
    """Return `Metrics` and `giou` of two normalised meshes. Raises MeshFileError if one has no area."""
    metrics = compare(original, decoded, sampling.surface, sampling.seed)
    return {**asdict(metrics), "giou": volume_iou(original, decoded, sampling.volume, sampling.seed)}


def _made(coder: Coder, meshes: Sequence[PreparedMesh], folder: Path) -> Any:
    if not is_kept(folder):
        folder.mkdir(parents=True, exist_ok=True)
        save(folder / _MADE, asdict(coder.make(meshes, folder)))
    # What was made now and what was kept must not differ in the least.
    return load(folder / _MADE)


def _measured(coder: Coder, meshes: Sequence[PreparedMesh], folder: Path, sampling: Sampling) -> dict[str, Any]:
    path = folder / f"figures-{digest(measuring_key(sampling))}.json"
    figures: dict[str, Any] | None = load(path)
    if figures is None:
        figures = _measure(coder, meshes, folder, sampling)
        save(path, figures)
    return figures


def _measure(coder: Coder, meshes: Sequence[PreparedMesh], folder: Path, sampling: Sampling) -> dict[str, Any]:
    per_mesh: dict[str, dict[str, float]] = {}
    seconds = 0.0
    stage("measure", len(meshes))
    with coder.decoded(folder) as decoded:
        names = set(decoded)
        for mesh in meshes:
            name = mesh.name
            if name in names:
                started = time.perf_counter()
                found = decoded[name]
                seconds += time.perf_counter() - started
                per_mesh[name] = figures_of(mesh.load(), mesh.placement.normalise(found), sampling)
            advance()
    return {
        "decoding_seconds": seconds / len(per_mesh),
        "mean": mean_figures(list(per_mesh.values())),
        "per_mesh": per_mesh,
    }
