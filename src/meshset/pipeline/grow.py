"""More meshes for an archive that exists: its decoders stay as they are, only the new meshes are coded."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from meshset.archive import ArchiveEditor, ArchiveReader, MeshEntry
from meshset.archive.names import naming, shown
from meshset.codecs import codec_by_id, codec_by_name
from meshset.codecs.base import ParametrisedCodec, SetCodec, Settings
from meshset.errors import ArchiveError
from meshset.pipeline.collect import Source, collect
from meshset.pipeline.failures import Failure, FailureLog, NoMeshError
from meshset.pipeline.ladder import check_bound, climb
from meshset.pipeline.records import reports
from meshset.pipeline.requirements import require_modules, resolve_device
from meshset.pipeline.rungs import rung_of
from meshset.pipeline.sources import LazyMeshes, check_sources
from meshset.pipeline.standing import told_apart, worst_error
from meshset.pipeline.storing import Outcome, Place, add_measured, kept_meshes, measured_meshes
from meshset.progress import Progress, Silent

_SILENT = Silent()


@dataclass(frozen=True)
class GrowResult:
    """What `add` or `replace` did.

    Attributes:
        path: the archive.
        entries: the meshes that were stored.
        failures: files that were not, and why.
        meshes: how many meshes the archive holds now.
        source_bytes: bytes of the stored meshes as OBJ text.
        payload_bytes: bytes of their payloads.
        archive_bytes: bytes of the archive file now.
        seconds: wall-clock time of it all.
    """

    path: Path
    entries: tuple[MeshEntry, ...]
    failures: tuple[Failure, ...]
    meshes: int
    source_bytes: int
    payload_bytes: int
    archive_bytes: int
    seconds: float


def add(
    path: str | os.PathLike[str],
    sources: Iterable[str | os.PathLike[str]],
    *,
    max_error: float | None = None,
    device: str = "cpu",
    progress: Progress = _SILENT,
) -> GrowResult:
    """Add mesh files, and all mesh files below folders, to an archive.

    They are coded with the codec and the shared part that most meshes of the archive use; the shared part does not
    change. Every mesh is decoded from its final bytes and measured; one that is clearly less exact than the set gets a
    note that says so, or climbs the ladder of `meshset.pipeline.ladder` if there is a bound. All of them become part of
    the archive at once; until then readers see the old set, and afterwards too if this is interrupted.

    Args:
        path: the archive.
        sources: files and folders; how meshes are named says `meshset.pipeline.collect.collect`.
        max_error: bound on the mean symmetric surface distance of each new mesh, as a share of its bounding-box
            diagonal; None for whatever the frozen decoder reaches.
        device: torch device string, or "auto".
        progress: listener for the stages.

    Raises:
        NoMeshError: no file was left to add; the archive is as it was.
        MeshsetError: the bound is not above 0, the archive cannot be read or written, or another process is writing to
            it.
        MissingExtraError: the 'compress' extra is not installed.
    """
    return _grow(path, sources, False, max_error, device, progress)


def replace(
    path: str | os.PathLike[str],
    sources: Iterable[str | os.PathLike[str]],
    *,
    max_error: float | None = None,
    device: str = "cpu",
    progress: Progress = _SILENT,
) -> GrowResult:
    """Put mesh files in the place of the meshes of the same names, all at once; arguments and errors as in `add`.

    A mesh whose file cannot be used stays as it was.
    """
    return _grow(path, sources, True, max_error, device, progress)


def _grow(
    path: str | os.PathLike[str],
    sources: Iterable[str | os.PathLike[str]],
    replacing: bool,
    max_error: float | None,
    device: str,
    progress: Progress,
) -> GrowResult:
    started = time.perf_counter()
    require_modules("adding", "compress", ("torch", "igl", "scipy"))
    if max_error is not None:
        check_bound(max_error)
    log = FailureLog()
    with ArchiveEditor(path) as editor, ArchiveReader(path) as reader:
        fitting = _fitting(collect(sources, log).sources, editor, replacing, log)
        checked = check_sources(fitting, log, progress)
        _require_some(checked, log)
        with naming(os.fspath(path)):
            system, shared = _base(editor, progress)
        data = b"" if shared is None else reader.read_shared(shared)
        with naming(os.fspath(path)):
            place = Place(system.id, system.open(data))
        settings = Settings(device=resolve_device(device))
        coded = system.add(LazyMeshes(checked), data, settings, progress)
        progress.start("decode and measure", len(checked))
        outcomes: Sequence[Outcome] = list(measured_meshes(place, checked, coded, progress))
        if max_error is None:
            outcomes = told_apart(outcomes, worst_error(_set(editor, system.id, shared)), progress)
        else:
            outcomes = climb(checked, outcomes, max_error, system, data, settings, progress)
        kept = kept_meshes(checked, outcomes, log)
        _require_some(kept, log)
        for mesh in kept if replacing else ():
            editor.remove(mesh.source.source.name)
        entries = [add_measured(editor, mesh, shared) for mesh in kept]
        editor.finish(editor.settings)
        meshes = len(editor.entries)
    return GrowResult(
        path=Path(path),
        entries=tuple(entries),
        failures=log.failures,
        meshes=meshes,
        source_bytes=sum(entry.source_bytes for entry in entries),
        payload_bytes=sum(entry.length for entry in entries),
        archive_bytes=Path(path).stat().st_size,
        seconds=time.perf_counter() - started,
    )


def _fitting(sources: Sequence[Source], editor: ArchiveEditor, replacing: bool, log: FailureLog) -> list[Source]:
    """Return the sources whose names are in the archive if they shall replace, or else are not; `log` gets the rest."""
    fitting = []
    for source in sources:
        if (source.name in editor.entries) == replacing:
            fitting.append(source)
        elif replacing:
            log.add(Failure(str(source.path), f"the archive holds no mesh named {shown(source.name)}; add it"))
        else:
            log.add(Failure(str(source.path), f"the archive holds a mesh named {shown(source.name)}; replace it"))
    return fitting


def _base(editor: ArchiveEditor, progress: Progress) -> tuple[SetCodec, int | None]:
    """Return codec and number of the shared part that most meshes use; of an empty archive, what it was made with.

    Meshes that are coded by themselves because they missed a bound count only where there is nothing else.
    """
    entries = editor.entries.values()
    used = Counter((entry.codec_id, entry.shared) for entry in entries if not _is_alone(entry))
    if not used and editor.shared:
        return codec_by_id(editor.shared[0].codec_id), 0
    used = used or Counter((entry.codec_id, entry.shared) for entry in entries)
    if used:
        (codec_id, shared), _ = used.most_common(1)[0]
        return _with_its_parameters(codec_by_id(codec_id), editor, progress), shared
    name = editor.settings.get("codec")
    if isinstance(name, str):
        return _with_its_parameters(codec_by_name(name), editor, progress), None
    raise ArchiveError("holds no mesh and no shared part, so there is nothing to add to")


def _is_alone(entry: MeshEntry) -> bool:
    rung = rung_of(entry.notes)
    return rung is not None and rung.alone


def _with_its_parameters(system: SetCodec, editor: ArchiveEditor, progress: Progress) -> SetCodec:
    """Return the codec with the parameters that the archive was made with."""
    if not isinstance(system, ParametrisedCodec):
        return system
    known = reports(editor.settings, system.name)
    if len(known) > 1:
        progress.note(f"merged from archives with other parameters of {system.name}: those of the first are used")
    return system.with_report(known[0]) if known else system


def _set(editor: ArchiveEditor, codec_id: int, shared: int | None) -> list[MeshEntry]:
    """Return the meshes of one codec and shared part."""
    return [entry for entry in editor.entries.values() if (entry.codec_id, entry.shared) == (codec_id, shared)]


def _require_some(left: Sequence[object], log: FailureLog) -> None:
    if not left:
        reason = "none of the files can be used" if log.failures else "no mesh files were found"
        raise NoMeshError(f"the archive is as it was: {reason}", log.failures)
