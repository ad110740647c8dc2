"""From mesh files to one archive."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meshset.archive import ArchiveWriter, MeshEntry
from meshset.codecs.control_mesh.codec import DEFAULT_ERROR, ControlMeshCodec
from meshset.codecs.mesh_group.codec import MeshGroupCodec
from meshset.codecs.protocol import NEVER, Goal, Refusal, SetCodec, Settings
from meshset.errors import MeshsetError
from meshset.pipeline.steps.bound import Bound
from meshset.pipeline.steps.choose import each_alone, filling, payload_bytes, smaller, would_take
from meshset.pipeline.steps.collect import MeshSources, collect, frames_of
from meshset.pipeline.steps.draft import Outcome, Reader, drafts, kept_drafts, store, store_shared, tell_losses
from meshset.pipeline.steps.failures import Failure, FailureLog, NoMeshError
from meshset.pipeline.steps.finish import finish
from meshset.pipeline.steps.groups import grouped
from meshset.pipeline.steps.ladder import climb, tell_rungs
from meshset.pipeline.steps.order import Order
from meshset.pipeline.steps.outputs import require_apart, require_replaceable
from meshset.pipeline.steps.prepare import MeshSpool, NormalisedMeshes, PreparedMesh, prepare_meshes
from meshset.pipeline.steps.resume import SavedRun, run_key
from meshset.pipeline.steps.target import Target
from meshset.pipeline.steps.worth import input_bytes, too_large
from meshset.progress import Listening, reporting, stage, tell
from meshset.text import counted, duration, printable, size
from meshset.vocabulary import AUTO, FieldKind, Objective, Preset, Resolution


@dataclass(frozen=True, repr=False)
class CompressResult:
    """What `compress` made.

    Attributes:
        path: the archive.
        entries: the meshes in it, in stored order.
        failures: files that are not in it, and why.
        source_bytes: bytes of the stored meshes as OBJ text.
        input_bytes: bytes of their files; of a mesh in memory those of its OBJ text.
        archive_bytes: bytes of the archive file.
        seconds: wall-clock time of it all.
        coding_seconds: wall-clock time of coding, which reads the meshes again, and of measuring what came of it;
            without the checks before.
    """

    path: Path
    entries: tuple[MeshEntry, ...]
    failures: tuple[Failure, ...]
    source_bytes: int
    input_bytes: int
    archive_bytes: int
    seconds: float
    coding_seconds: float

    def __str__(self) -> str:
        return (
            f"{printable(str(self.path))}: {counted(len(self.entries), 'mesh', 'meshes')}, {size(self.source_bytes)} "
            f"as OBJ text in {size(self.archive_bytes)}, ratio {self.source_bytes / self.archive_bytes:.1f}, "
            f"{duration(self.seconds)}"
        )

    __repr__ = __str__


@reporting
def compress(
    sources: MeshSources,
    output: str | os.PathLike[str] | None = None,
    *,
    resolution: Resolution = 64,
    field: FieldKind = "tsdf-def",
    objective: Objective = "project",
    preset: Preset = "balanced",
    codec: str | SetCodec = AUTO,
    device: str = "auto",
    seed: int = 0,
    max_error: float | None = None,
    max_distance: float | None = None,
    rate: float = 1.0,
    target_size: int | None = None,
    target_ratio: float | None = None,
    time_budget: float | None = None,
    stopping: Callable[[], AbstractContextManager[Callable[[], bool]]] = NEVER,
    force: bool = False,
    strict: bool = False,
    resume: bool = False,
    frames: float | None = None,
    progress: Listening = None,
) -> CompressResult:
    """Compress meshes into one archive.

    Every mesh is decoded from its final bytes and measured; the archive holds what was found. A mesh that cannot be
    used is left out and reported. The archive appears whole under its name, or not at all.

    Args:
        sources: a file or folder, several of them, or a mapping from names to meshes: `meshset.Mesh`,
            `trimesh.Trimesh`, triangle meshes of Open3D, pairs of vertices (V, 3) and faces (F, 3), or files. How
            files are named says `meshset.pipeline.steps.collect.collect`.
        output: the archive to make; for one file or folder it is by default "bunny.mset" beside "bunny.obj".
        resolution: K, grid points along each side of the cube; doubling it doubles the detail.
        field: whether grid points may move, which keeps thin and sharp parts.
        objective: what moving grid points are fitted by.
        preset: how long to train; longer is smaller and more exact.
        codec: name of a codec, or a codec made with parameters of its own. With "auto" each mesh takes the fewest
            bytes that keep `max_error`, of several ways (`meshset.pipeline.steps.candidates`) and, where there are
            hundreds of meshes or the preset is "best", of "necgs". A time is one of "necgs".
        device: torch device string, or "auto" for a GPU if there is one.
        seed: the same seed gives the same archive.
        max_error: bound on the mean symmetric surface distance of each mesh, as a share of its bounding-box diagonal;
            meshes that miss it climb the ladder of `meshset.pipeline.steps.ladder`. None for 0.001 over `rate` where
            the codec is "auto", else for whatever the settings reach.
        max_distance: bound on the largest distance from either surface to the other, likewise. None for none: a mean
            hides lost fingers and filled holes.
        rate: above 1 spends more bytes for less error, below 1 the other way round; for "auto" and codecs that learn
            a decoder.
        target_size: bytes of the archive, met within 5 % or told; likewise.
        target_ratio: how many times less than OBJ text the archive shall take; likewise. Neither target can be
            combined with the other, nor with a bound or `rate`.
        time_budget: seconds to train, in place of what the preset says; for codecs that learn a decoder.
        stopping: entered around training; what it gives is asked after each step whether to come to an end now.
        force: whether `output` may be replaced if it is an archive; nothing else ever is.
        strict: whether the first mesh that cannot be used ends everything.
        resume: whether to go on with a run that was interrupted. Codecs that take long keep their state in a folder
            beside `output`, which is removed when the archive is there.
        frames: so many for each second of the first animation of glTF files, each a mesh: "fox_0000", "fox_0001" and so
            on. None reads these files at rest.
        progress: True for bars on stderr, a function of (task, done, total, message), or a `meshset.progress.Progress`.

    Raises:
        NoMeshError: no mesh was left to compress.
        UsageError: `output` is one of the sources, or a file that is no archive.
        MeshsetError: an argument is out of range or contradicts another, both before any file is read; the target is
            out of reach, the output cannot be written, the run to go on with had other files or settings, or, if
            `strict`, a mesh cannot be used.
        MissingExtraError: the 'compress' extra is not installed.

    >>> result = compress(["models/"], "small.mset", codec="draco")
    >>> [entry.name for entry in result.entries], result.failures
    (['animals/cat', 'bunny', 'part'], ())
    >>> corner = ([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    >>> [entry.name for entry in compress({"corner": corner}, "corner.mset", codec="draco").entries]
    ['corner']
    """
    started = time.perf_counter()
    settings = Settings(resolution, field, preset, device, seed, objective)
    asked = target_size is not None or target_ratio is not None
    target = Target(target_size, target_ratio) if asked else None
    goal = Goal(rate=rate, seconds=time_budget, stopping=stopping)
    order = Order.checked(settings, codec, max_error, max_distance, goal, target)
    output = _usual_output(sources) if output is None else Path(output)
    log = FailureLog(strict)
    found = collect(sources, log)
    require_apart(output, (source.path for source in found.sources if source.given is None))
    require_replaceable(output, force)
    # The writer is opened before the work, so that an output that cannot be written is noticed now.
    with ArchiveWriter(output, force) as writer, MeshSpool() as spool:
        if found.skipped:
            tell(f"files of other kinds skipped: {found.skipped}")
        meshes = found.sources if frames is None else frames_of(found.sources, frames, log)
        prepared = prepare_meshes(meshes, spool, log)
        _require_some(prepared, log)
        order = order.budgeted(prepared)
        saved = SavedRun(output, run_key(prepared, order.settings, order.system, order.choices), resume)
        coding_started = time.perf_counter()
        made = _chosen(order, prepared, saved) if order.chooses else _coded(order, prepared, saved)
        order = made.order
        coding_seconds = time.perf_counter() - coding_started
        kept = kept_drafts(prepared, made.outcomes, log)
        _require_some(kept, log)
        if order.bound is not None:
            tell_rungs(kept, order.bound)
        tell_losses(kept)
        entries = store(writer, kept, store_shared(writer, made.shared, kept))
        finish(writer, order.record(made.report, len(log.failures)))
        names = {entry.name for entry in entries}
        stored = [one for one in prepared if one.name in names]
        archive_bytes = output.stat().st_size
        if told := too_large(archive_bytes, kept, stored, order.settings):
            tell(told)
    saved.remove()
    source_bytes = sum(entry.source_bytes for entry in entries)
    if target is not None and (missed := target.missed(archive_bytes, source_bytes)):
        tell(missed)
    return CompressResult(
        path=output,
        entries=tuple(entries),
        failures=log.failures,
        source_bytes=source_bytes,
        input_bytes=input_bytes(stored),
        archive_bytes=archive_bytes,
        seconds=time.perf_counter() - started,
        coding_seconds=coding_seconds,
    )


def _usual_output(sources: MeshSources) -> Path:
    """Return the name of the archive of one file or folder, beside it."""
    items = [sources] if isinstance(sources, (str, os.PathLike)) else sources
    if isinstance(items, Sequence) and len(items) == 1 and isinstance(items[0], (str, os.PathLike)):
        path = Path(items[0]).resolve()
        name = path.name if path.is_dir() else path.stem
        if name:
            return Path(os.path.relpath(path.with_name(f"{name}.mset")))
    raise MeshsetError("the archive to make needs a name: only one file or folder has a usual one")


def _require_some(left: Sequence[object], log: FailureLog) -> None:
    if not left:
        reason = "none of the files can be used" if log.failures else "no mesh files were found"
        raise NoMeshError(f"nothing to compress: {reason}", log.failures)


@dataclass(frozen=True)
class _Made:
    """A set before it is stored.

    Attributes:
        order: how it was made in the end.
        outcomes: of each mesh.
        shared: for what entries have as `shared` that part, with the number of its codec.
        report: what the archive says of how it went.
    """

    order: Order
    outcomes: Sequence[Outcome]
    shared: Mapping[int, tuple[int, bytes]]
    report: Mapping[str, Any]

    @property
    def bytes(self) -> int:
        """Return what payloads and shared parts take."""
        return payload_bytes(self.outcomes) + sum(len(part) for _, part in self.shared.values())


def _coded(order: Order, prepared: Sequence[PreparedMesh], saved: SavedRun, own: Sequence[Outcome] = ()) -> _Made:
    """Code a set by its codec, decode and measure what came of it, and bring it within the bound if there is one.

    `own` is what each mesh takes by itself within the bound, where that is known already.
    """
    coded = order.system.compress(NormalisedMeshes(prepared), order.settings, saved)
    outcomes: Sequence[Outcome] = [one for one in coded.meshes if isinstance(one, Refusal)]
    if len(outcomes) < len(prepared):  # or there may be no decoder to open
        stage("decode and measure", len(prepared))
        outcomes = list(drafts(Reader.of(order.system, coded.shared), prepared, coded.meshes))
    if order.bound is not None:
        outcomes = climb(prepared, outcomes, order.bound, order.system, coded.shared, order.settings, own)
    return _Made(order, outcomes, {0: (order.system.id, coded.shared)}, coded.report)


def _chosen(order: Order, prepared: Sequence[PreparedMesh], saved: SavedRun) -> _Made:
    """Code each mesh in the fewest bytes; where a shared decoder may pay, too, keep whichever set is smaller."""
    if order.goal.budget is not None:
        alone, within = filling(prepared, order.goal.budget, order.settings)
        order = replace(order, system=ControlMeshCodec(within))
        return _Made(order, [one.outcome for one in alone], {}, {"would_take": would_take(alone)})
    bound = order.bound or Bound(DEFAULT_ERROR)
    alone = each_alone(prepared, bound, order.settings)
    own, takes = [one.outcome for one in alone], would_take(alone)
    groups = grouped(prepared, own, bound, order.settings)
    parts = {k: (MeshGroupCodec.id, part) for k, part in enumerate(groups.shared, 1)}
    apart = _Made(order, groups.outcomes, parts, {"would_take": takes})
    shared = order.as_set(len(prepared))
    if shared is None:
        return apart
    made = _coded(shared, prepared, saved, own)
    takes = {**takes, shared.system.name: made.bytes}
    best = [smaller(*pair) for pair in zip(made.outcomes, own, strict=True)]
    made = replace(made, outcomes=best, report={**made.report, "would_take": takes})
    if made.bytes < apart.bytes:
        return made
    tell("a decoder that the meshes share does not pay: each is coded by itself")
    return replace(apart, report={"would_take": takes})
