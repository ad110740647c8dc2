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
from meshset.codecs.base import SetCodec, Settings
from meshset.errors import ArchiveError
from meshset.pipeline.collect import Source, collect
from meshset.pipeline.failures import Failure, FailureLog, NoMeshError
from meshset.pipeline.finishing import finish
from meshset.pipeline.requirements import require_modules, resolve_device
from meshset.pipeline.sources import LazyMeshes, check_sources
from meshset.pipeline.storing import Place, add_measured, coded_meshes, measured_meshes
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
    device: str = "cpu",
    progress: Progress = _SILENT,
) -> GrowResult:
    """Add mesh files, and all mesh files below folders, to an archive.

    They are coded with the codec and the shared part that most meshes of the archive use; the shared part does not
    change. Every mesh is decoded from its final bytes and measured. All of them become part of the archive at once;
    until then readers see the old set, and afterwards too if this is interrupted.

    Args:
        path: the archive.
        sources: files and folders; how meshes are named says `meshset.pipeline.collect.collect`.
        device: torch device string, or "auto".
        progress: listener for the stages.

    Raises:
        NoMeshError: no file was left to add; the archive is as it was.
        MeshsetError: the archive cannot be read or written, or another process is writing to it.
        MissingExtraError: the 'compress' extra is not installed.
    """
    return _grow(path, sources, False, device, progress)


def replace(
    path: str | os.PathLike[str],
    sources: Iterable[str | os.PathLike[str]],
    *,
    device: str = "cpu",
    progress: Progress = _SILENT,
) -> GrowResult:
    """Put mesh files in the place of the meshes of the same names, all at once; arguments and errors as in `add`.

    A mesh whose file cannot be used stays as it was.
    """
    return _grow(path, sources, True, device, progress)


def _grow(
    path: str | os.PathLike[str],
    sources: Iterable[str | os.PathLike[str]],
    replacing: bool,
    device: str,
    progress: Progress,
) -> GrowResult:
    started = time.perf_counter()
    require_modules("adding", "compress", ("torch", "igl", "scipy"))
    log = FailureLog()
    with ArchiveEditor(path) as editor, ArchiveReader(path) as reader:
        fitting = _fitting(collect(sources, log).sources, editor, replacing, log)
        checked = check_sources(fitting, log, progress)
        _require_some(checked, log)
        system, shared = _base(editor)
        data = b"" if shared is None else reader.read_shared(shared)
        with naming(os.fspath(path)):
            place = Place(system.id, shared, system.open(data))
        settings = Settings(device=resolve_device(device))
        kept = coded_meshes(checked, system.add(LazyMeshes(checked), data, settings, progress), log)
        entries = []
        for mesh in measured_meshes(place.decoder, kept, log, progress):
            if replacing:
                editor.remove(mesh.source.source.name)
            entries.append(add_measured(editor, place, mesh))
        _require_some(entries, log)
        finish(editor, editor.settings, progress)
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


def _base(editor: ArchiveEditor) -> tuple[SetCodec, int | None]:
    """Return codec and number of the shared part that most meshes use; of an empty archive, what it was made with."""
    used = Counter((entry.codec_id, entry.shared) for entry in editor.entries.values())
    if used:
        (codec_id, shared), _ = used.most_common(1)[0]
        return codec_by_id(codec_id), shared
    if editor.shared:
        return codec_by_id(editor.shared[0].codec_id), 0
    name = editor.settings.get("codec")
    if isinstance(name, str):
        return codec_by_name(name), None
    raise ArchiveError("holds no mesh and no shared part, so there is nothing to add to")


def _require_some(left: Sequence[object], log: FailureLog) -> None:
    if not left:
        reason = "none of the files can be used" if log.failures else "no mesh files were found"
        raise NoMeshError(f"the archive is as it was: {reason}", log.failures)
