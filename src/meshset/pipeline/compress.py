"""From mesh files to one archive."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from meshset.archive import ArchiveWriter, MeshEntry
from meshset.codecs import codec_by_name
from meshset.codecs.protocol import NO_GOAL, CodedMesh, CodedSet, Goal, SetCodec, Settings
from meshset.errors import MeshsetError
from meshset.pipeline.steps.collect import Source, collect
from meshset.pipeline.steps.failures import Failure, FailureLog, NoMeshError
from meshset.pipeline.steps.finish import finish
from meshset.pipeline.steps.ladder import check_bound, climb, tell_rungs
from meshset.pipeline.steps.prepare import CheckedSource, LazyMeshes, check_sources
from meshset.pipeline.steps.requirements import require_modules, resolve_device
from meshset.pipeline.steps.resume import SavedRun, run_key
from meshset.pipeline.steps.store import MeasuredMesh, Outcome, Place, add_measured, kept_meshes, measured_meshes
from meshset.pipeline.steps.target import Target, steered
from meshset.progress import Progress, reporting, stage, tell

_USUAL_REPORT = {
    "field_error": 0.12723249407880668,
    "estimated_bytes": 100_000,
    "rate_weight": 1.23e-6,
    "steps": 15_000,
    "coded_bytes": 101_000,
    "steps_scaled": 1.0442737824274138,
    "parameters": 355_256,
}
"""As large as the report of a codec that learns a decoder, whatever it says."""


@dataclass(frozen=True)
class CompressResult:
    """What `compress` made.

    Attributes:
        path: the archive.
        entries: the meshes in it, in stored order.
        failures: files that are not in it, and why.
        source_bytes: bytes of the stored meshes as OBJ text.
        archive_bytes: bytes of the archive file.
        seconds: wall-clock time of it all.
        coding_seconds: wall-clock time of the codec alone, which reads the meshes again; without the checks before it
            and the measurement after it.
    """

    path: Path
    entries: tuple[MeshEntry, ...]
    failures: tuple[Failure, ...]
    source_bytes: int
    archive_bytes: int
    seconds: float
    coding_seconds: float


@reporting
def compress(
    paths: Iterable[str | os.PathLike[str] | Source],
    output: str | os.PathLike[str],
    *,
    settings: Settings,
    codec: str | SetCodec = "necgs",
    overwrite: bool = False,
    strict: bool = False,
    resume: bool = False,
    max_error: float | None = None,
    goal: Goal = NO_GOAL,
    target: Target | None = None,
    progress: Progress | None = None,
) -> CompressResult:
    """Compress mesh files, and all mesh files below folders, into one archive.

    Every mesh is decoded from its final bytes and measured; the archive holds what was found. A file that
    cannot be used is left out and reported. The archive appears whole under its name, or not at all.

    Args:
        paths: files and folders, and files with names of their own; how meshes are named says
            `meshset.pipeline.steps.collect.collect`.
        output: the archive to make.
        settings: what every codec understands; the device may also be "auto".
        codec: name of a codec, or a codec made with parameters of its own.
        overwrite: whether an existing `output` may be replaced.
        strict: whether the first file that cannot be used ends everything.
        resume: whether to go on with a run that was interrupted. Codecs that take long keep their state in a folder
            beside `output`, which is removed when the archive is there.
        max_error: bound on the mean symmetric surface distance of each mesh, as a share of its bounding-box diagonal;
            meshes that miss it climb the ladder of `meshset.pipeline.steps.ladder`. None for whatever the settings
            reach.
        goal: where on the curve of bytes and error, how long to train, and who may end it before; for codecs that learn
            a decoder. Its budget is made from `target`.
        target: how large the archive shall be, met within 5 % or told; goes without `max_error` and another rate.

    Raises:
        NoMeshError: no file was left to compress.
        MeshsetError: the bound is not above 0, the codec takes no goal, the target is out of reach, the output cannot
            be written, a file changed while it was being compressed, the run to go on with had other files or
            settings, or, if `strict`, a file cannot be used.
        MissingExtraError: the 'compress' extra is not installed.
    """
    started = time.perf_counter()
    require_modules("compression", "compress", ("torch", "igl", "scipy"))
    if max_error is not None:
        check_bound(max_error)
    if target is not None and (max_error is not None or goal.rate != 1.0):
        raise MeshsetError("a target for the size decides about rate and error: it goes without a rate and a bound")
    settings = replace(settings, device=resolve_device(settings.device))
    system = codec_by_name(codec) if isinstance(codec, str) else codec
    system = steered(system, goal, target is not None)
    choices = _choices(goal, target, max_error)
    log = FailureLog(strict)
    found = collect(paths, log)
    # The writer is opened before the work, so that an output that cannot be written is noticed now.
    with ArchiveWriter(output, overwrite) as writer:
        if found.skipped:
            tell(f"files of other kinds skipped: {found.skipped}")
        checked = check_sources(found.sources, log)
        _require_some(checked, log)
        if target is not None:
            usual = _settings_record(settings, system, _USUAL_REPORT, choices, 0)
            system = steered(system, replace(goal, budget=target.budget(checked, usual)), targeted=True)
        saved = SavedRun(output, run_key(checked, settings, system, choices), resume)
        coding_started = time.perf_counter()
        coded = system.compress(LazyMeshes(checked), settings, saved)
        coding_seconds = time.perf_counter() - coding_started
        outcomes = _measured(checked, coded, system)
        if max_error is not None:
            outcomes = climb(checked, outcomes, max_error, system, coded.shared, settings)
        kept = kept_meshes(checked, outcomes, log)
        _require_some(kept, log)
        if max_error is not None:
            tell_rungs(kept, max_error)
        shared = _add_shared(writer, system, coded, kept)
        entries = [add_measured(writer, mesh, shared) for mesh in kept]
        finish(writer, _settings_record(settings, system, coded.report, choices, len(log.failures)))
    saved.remove()
    source_bytes, archive_bytes = sum(entry.source_bytes for entry in entries), Path(output).stat().st_size
    if target is not None and (missed := target.missed(archive_bytes, source_bytes)):
        tell(missed)
    return CompressResult(
        path=Path(output),
        entries=tuple(entries),
        failures=log.failures,
        source_bytes=source_bytes,
        archive_bytes=archive_bytes,
        seconds=time.perf_counter() - started,
        coding_seconds=coding_seconds,
    )


def _require_some(left: Sequence[object], log: FailureLog) -> None:
    if not left:
        reason = "none of the files can be used" if log.failures else "no mesh files were found"
        raise NoMeshError(f"nothing to compress: {reason}", log.failures)


def _measured(checked: Sequence[CheckedSource], coded: CodedSet, system: SetCodec) -> Sequence[Outcome]:
    refusals = [one for one in coded.meshes if not isinstance(one, CodedMesh)]
    if len(refusals) == len(checked):
        return refusals  # there may be no decoder to open
    stage("decode and measure", len(checked))
    return list(measured_meshes(Place(system.id, system.open(coded.shared)), checked, coded.meshes))


def _add_shared(writer: ArchiveWriter, system: SetCodec, coded: CodedSet, kept: Sequence[MeasuredMesh]) -> int | None:
    """Store the shared part, if there is one that any mesh needs, and return its number."""
    if not coded.shared or all(mesh.place.alone for mesh in kept):
        return None
    return writer.add_shared(system.id, coded.shared)


def _choices(goal: Goal, target: Target | None, max_error: float | None) -> dict[str, Any]:
    """Return what was asked for beyond the settings, as the archive keeps it; times are no part of a run's identity."""
    choices = {
        "rate": None if goal.rate == 1.0 else goal.rate,
        "target_size": target and target.size,
        "target_ratio": target and target.ratio,
        "max_error": max_error,
    }
    return {name: value for name, value in choices.items() if value is not None}


def _settings_record(
    settings: Settings, system: SetCodec, report: Mapping[str, Any], choices: Mapping[str, Any], refused: int
) -> dict[str, Any]:
    """Return what `meshset info` shows; no date, so that a seed gives the same archive again."""
    return {
        "meshset": version("meshset"),
        "codec": system.name,
        "resolution": settings.resolution,
        "field": settings.field,
        "preset": settings.preset,
        "device": settings.device.partition(":")[0],
        "seed": settings.seed,
        **choices,
        "refused": refused,
        "report": report,
    }
