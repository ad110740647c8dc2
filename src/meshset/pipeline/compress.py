"""From mesh files to one archive."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from meshset.archive import ArchiveWriter, MeshEntry
from meshset.codecs.protocol import NO_GOAL, CodedSet, Goal, Refusal, SetCodec, Settings
from meshset.pipeline.steps.collect import Source, collect
from meshset.pipeline.steps.draft import Draft, Outcome, Reader, drafts, kept_drafts, store
from meshset.pipeline.steps.failures import Failure, FailureLog, NoMeshError
from meshset.pipeline.steps.finish import finish
from meshset.pipeline.steps.ladder import climb, tell_rungs
from meshset.pipeline.steps.order import Order
from meshset.pipeline.steps.prepare import MeshSpool, NormalisedMeshes, PreparedMesh, prepare_meshes
from meshset.pipeline.steps.resume import SavedRun, run_key
from meshset.pipeline.steps.target import Target
from meshset.progress import Progress, reporting, stage, tell


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
        target: how large the archive shall be, met within 5 % or told; cannot be combined with `max_error` or another
            rate.

    Raises:
        NoMeshError: no file was left to compress.
        MeshsetError: the bound is not above 0, the codec takes no goal, the target is out of reach, the output cannot
            be written, a file changed while it was being compressed, the run to go on with had other files or
            settings, or, if `strict`, a file cannot be used.
        MissingExtraError: the 'compress' extra is not installed.

    >>> result = compress(["models/"], "small.mset", settings=Settings(resolution=64), codec="draco")
    >>> [entry.name for entry in result.entries], result.failures
    (['animals/cat', 'bunny', 'part'], ())
    """
    started = time.perf_counter()
    order = Order.checked(settings, codec, max_error, goal, target)
    log = FailureLog(strict)
    found = collect(paths, log)
    # The writer is opened before the work, so that an output that cannot be written is noticed now.
    with ArchiveWriter(output, overwrite) as writer, MeshSpool() as spool:
        if found.skipped:
            tell(f"files of other kinds skipped: {found.skipped}")
        prepared = prepare_meshes(found.sources, spool, log)
        _require_some(prepared, log)
        order = order.budgeted(prepared)
        saved = SavedRun(output, run_key(prepared, order.settings, order.system, order.choices), resume)
        coding_started = time.perf_counter()
        coded = order.system.compress(NormalisedMeshes(prepared), order.settings, saved)
        coding_seconds = time.perf_counter() - coding_started
        kept = kept_drafts(prepared, _outcomes(order, prepared, coded), log)
        _require_some(kept, log)
        if max_error is not None:
            tell_rungs(kept, max_error)
        entries = store(writer, kept, _add_shared(writer, order.system, coded, kept))
        finish(writer, order.record(coded.report, len(log.failures)))
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


def _outcomes(order: Order, prepared: Sequence[PreparedMesh], coded: CodedSet) -> Sequence[Outcome]:
    """Decode and measure what the codec has made, and bring it within the bound if there is one."""
    outcomes: Sequence[Outcome] = [one for one in coded.meshes if isinstance(one, Refusal)]
    if len(outcomes) < len(prepared):  # or there may be no decoder to open
        stage("decode and measure", len(prepared))
        outcomes = list(drafts(Reader.of(order.system, coded.shared), prepared, coded.meshes))
    if order.max_error is None:
        return outcomes
    return climb(prepared, outcomes, order.max_error, order.system, coded.shared, order.settings)


def _add_shared(writer: ArchiveWriter, system: SetCodec, coded: CodedSet, kept: Sequence[Draft]) -> int | None:
    """Store the shared part, if there is one that any mesh needs, and return its number."""
    if not coded.shared or all(one.entry.shared is None for one in kept):
        return None
    return writer.add_shared(system.id, coded.shared)
