"""The whole benchmark: sets times systems times points, into one JSON file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from meshset.bench.coders import Coder
from meshset.bench.curves import curve_labels, differences, shown_points
from meshset.bench.drawings import SCALE, draw
from meshset.bench.machine import describe_machine, describe_versions
from meshset.bench.plan import PlannedPoint, System, expected_seconds
from meshset.bench.points import (
    Sampling,
    figures_of,
    is_kept,
    mean_figures,
    measuring_key,
    point_folder,
    run_point,
)
from meshset.bench.selection import Selection
from meshset.bench.store import digest, file_name, load, save
from meshset.codecs.peers.external import NotRun
from meshset.codecs.protocol import Settings
from meshset.errors import MeshsetError, UsageError
from meshset.evaluation.metrics import PAPER_SAMPLES
from meshset.geometry import Mesh
from meshset.geometry.writing import encode_ply
from meshset.pipeline.steps.failures import FailureLog
from meshset.pipeline.steps.prepare import MeshSpool, PreparedMesh, prepare_meshes
from meshset.pipeline.steps.requirements import require_modules, resolve_device
from meshset.progress import Progress, advance, reporting, stage, tell

RESULT = "bench.json"
FORMAT = 1
"""Version of the layout of bench.json."""

VOLUME_SAMPLES = 5_000
"""Points of each IoU: its standard error is 0.014 a mesh where solids fill a quarter of their box, and 0.003 in the
mean of 24; a winding number takes six times as long as a closest point."""

MODULES = ("torch", "igl", "scipy", "fast_simplification", "bjontegaard")


@dataclass(frozen=True)
class BenchSet:
    """A set whose files were read once.

    Attributes:
        selection: what was chosen, and how.
        meshes: those that can be used.
        left_out: one line for each that cannot.
    """

    selection: Selection
    meshes: tuple[PreparedMesh, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """What a run does, before it does it.

    Attributes:
        sets: with distinct names.
        systems: with their points, or why they do not run.
        settings: what the points were planned with; for the record.
        out: folder for everything.
        sampling: of the metrics.
    """

    sets: tuple[BenchSet, ...]
    systems: tuple[System | NotRun, ...]
    settings: Settings
    out: Path
    sampling: Sampling

    def outlook(self) -> Outlook:
        """Return how much there is to do, with what is on disk now."""
        todo = [
            (expected_seconds(point, len(one.meshes)), is_kept(self.folder(one, system, point)))
            for one in self.sets
            for system in self.systems
            if isinstance(system, System)
            for point in system.points
        ]
        return Outlook(len(todo), sum(kept for _, kept in todo), sum(seconds for seconds, kept in todo if not kept))

    def folder(self, one: BenchSet, system: System, point: PlannedPoint) -> Path:
        """Return where a point is kept."""
        parent = self.out / "points" / file_name(one.selection.name) / file_name(system.name)
        return point_folder(parent, point, one.meshes)


@dataclass(frozen=True)
class Outlook:
    """How much a job has to do.

    Attributes:
        points: of all sets and systems.
        kept: those whose bytes are on disk.
        seconds: about how long the others take on a CPU.
    """

    points: int
    kept: int
    seconds: float


@reporting
def prepare(
    selections: Sequence[Selection],
    plan: Callable[[Settings], tuple[System | NotRun, ...]],
    out: Path,
    settings: Settings,
    *,
    surface_samples: int = PAPER_SAMPLES,
    volume_samples: int = VOLUME_SAMPLES,
    progress: Progress | None = None,
) -> Job:
    """Read every mesh once and make the plan.

    Args:
        selections: the sets.
        plan: gives the points for settings whose device is resolved; `meshset.bench.plan` has the usual one.
        out: folder for everything.
        settings: what every codec understands; the device may be "auto".
        surface_samples: points a surface for the metrics.
        volume_samples: points for the IoU.

    Raises:
        UsageError: there is another file where the result would go.
        MeshsetError: two sets have one name, or a set has no usable mesh.
        MissingExtraError: the 'bench' extra is not installed.
    """
    require_modules("the benchmark", "compress,bench", MODULES)
    _require_ours(out / RESULT)
    names = [selection.name for selection in selections]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise MeshsetError(f"two sets are named '{doubled}'; a figure could be of either")
    settings = replace(settings, device=resolve_device(settings.device))
    sampling = Sampling(surface_samples, volume_samples, settings.seed)
    systems = plan(settings)
    sets = tuple(_read(selection) for selection in selections)
    return Job(sets, systems, settings, out, sampling)


@reporting
def bench(job: Job, command: str, *, progress: Progress | None = None) -> dict[str, Any]:
    """Run a job, as far as it was not done before, and return what stands in its bench.json.

    Every point is kept below `job.out` as soon as it is made and as soon as it is measured, so an interrupted run goes
    on where it stopped. bench.json is replaced after each set.

    Args:
        job: from `prepare`.
        command: what to type to get the same figures, for the record.

    Raises:
        MeshsetError: the folder cannot be written, or a file changed meanwhile.
    """
    result: dict[str, Any] = {
        "format": FORMAT,
        "meshset": version("meshset"),
        "command": command,
        "machine": describe_machine(job.settings.device),
        "versions": describe_versions(),
        "settings": asdict(job.settings),
        "samples": asdict(job.sampling),
        "picture_scale": SCALE,
        "sets": [],
    }
    for one in job.sets:
        result["sets"].append(_run_set(job, one))
        save(job.out / RESULT, result)
    return result


def read_result(out: Path) -> dict[str, Any]:
    """Return the bench.json of a folder. Raises MeshsetError if there is none that this version understands."""
    result = load(out / RESULT)
    if result is None:
        raise MeshsetError(f"{out}: holds no {RESULT}; make it with meshset bench ... --out {out}")
    if not isinstance(result, dict) or result.get("format") != FORMAT:
        raise MeshsetError(f"{out / RESULT}: is not of format {FORMAT}, which this version of meshset reads")
    return result


def _require_ours(path: Path) -> None:
    """Raise UsageError if there is a file that `bench` has not made; in another version counts."""
    found = load(path)
    if found is not None and not (isinstance(found, dict) and {"format", "sets"} <= found.keys()):
        raise UsageError(
            f"{path}: exists and is no result of meshset bench, so it is not replaced; choose another --out"
        )


def _read(selection: Selection) -> BenchSet:
    log = FailureLog()
    meshes = prepare_meshes(selection.sources, MeshSpool(), log)
    if not meshes:
        raise MeshsetError(f"set '{selection.name}': none of its meshes can be used ({log.failures[0]})")
    return BenchSet(selection, tuple(meshes), tuple(map(str, log.failures)))


def _run_set(job: Job, one: BenchSet) -> dict[str, Any]:
    obj_bytes, ply_bytes = sum(mesh.obj_bytes for mesh in one.meshes), sum(map(_ply_bytes, one.meshes))
    systems = [_run_system(job, one, system, (obj_bytes, ply_bytes)) for system in job.systems]
    ratio, shown = shown_points(systems)
    return {
        "name": one.selection.name,
        "rule": one.selection.rule,
        "left_out": list(one.left_out),
        "obj_bytes": obj_bytes,
        "ply_bytes": ply_bytes,
        "meshes": [{"name": m.name, "vertices": m.vertices, "faces": m.faces} for m in one.meshes],
        "floor": _floor(job, one),
        "systems": systems,
        "differences": differences(systems),
        "shown_ratio": ratio,
        "shown": {name: point["label"] for name, point in shown.items()},
        "pictures": draw(one.meshes, shown, _coders(job, one, shown)),
    }


def _run_system(job: Job, one: BenchSet, system: System | NotRun, sizes: tuple[int, int]) -> dict[str, Any]:
    if isinstance(system, NotRun):
        return {"name": system.name, "not_run": system.reason, "points": [], "curve": []}
    points = []
    for number, point in enumerate(system.points, 1):
        tell(f"{one.selection.name}, {system.name}, {number} of {len(system.points)}: {point.label}")
        figures = run_point(point, one.meshes, job.folder(one, system, point), job.sampling)
        points.append(_with_ratios(figures, *sizes))
    return {"name": system.name, "not_run": None, "points": points, "curve": curve_labels(points)}


def _coders(job: Job, one: BenchSet, shown: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[Coder, Path]]:
    """Return how to decode the shown point of each system, and from where."""
    return {
        system.name: (point.coder, job.folder(one, system, point))
        for system in job.systems
        if isinstance(system, System) and system.name in shown
        for point in system.points
        if point.label == shown[system.name]["label"]
    }


def _ply_bytes(mesh: PreparedMesh) -> int:
    """Return the bytes of a mesh as binary PLY with float32 coordinates."""
    found = mesh.load()
    return len(encode_ply(Mesh(found.vertices.astype(np.float32), found.faces)))


def _with_ratios(figures: dict[str, Any], obj_bytes: int, ply_bytes: int) -> dict[str, Any]:
    if "error" in figures:
        return figures
    return {**figures, "ratio": obj_bytes / figures["bytes"], "ply_ratio": ply_bytes / figures["bytes"]}


def _floor(job: Job, one: BenchSet) -> dict[str, float]:
    """Return the mean figures of every mesh against itself: the best that any codec could score."""
    content = [[mesh.name, mesh.fingerprint] for mesh in one.meshes]
    path = job.out / "floors" / f"{digest([measuring_key(job.sampling), content])}.json"
    kept: dict[str, float] | None = load(path)
    if kept is None:
        stage("measure the sampling floor", len(one.meshes))
        rows = []
        for mesh in one.meshes:
            original = mesh.load()
            rows.append(figures_of(original, original, job.sampling))
            advance()
        kept = mean_figures(rows)
        save(path, kept)
    return kept
