"""From mesh files to one archive."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from meshset.archive import ArchiveWriter, MeshEntry
from meshset.codecs import codec_by_name
from meshset.codecs.base import CodedMesh, CodedSet, Refusal, SetCodec, Settings
from meshset.errors import MeshsetError
from meshset.pipeline.collect import Source, collect
from meshset.pipeline.failures import Failure, FailureLog, NoMeshError
from meshset.pipeline.measure import Measured, measure
from meshset.pipeline.requirements import require_modules, resolve_device
from meshset.pipeline.sources import CheckedSource, LazyMeshes, check_sources
from meshset.progress import Progress, Silent

_SILENT = Silent()


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


def compress(
    paths: Iterable[str | os.PathLike[str] | Source],
    output: str | os.PathLike[str],
    *,
    settings: Settings,
    codec: str | SetCodec = "necgs",
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = _SILENT,
) -> CompressResult:
    """Compress mesh files, and all mesh files below folders, into one archive.

    Every mesh is decoded from its final bytes and measured; the archive holds what was found. A file that
    cannot be used is left out and reported. The archive appears whole under its name, or not at all.

    Args:
        paths: files and folders, and files with names of their own; how meshes are named says
            `meshset.pipeline.collect.collect`.
        output: the archive to make.
        settings: what every codec understands; the device may also be "auto".
        codec: name of a codec, or a codec made with parameters of its own.
        overwrite: whether an existing `output` may be replaced.
        strict: whether the first file that cannot be used ends everything.
        progress: listener for the stages.

    Raises:
        NoMeshError: no file was left to compress.
        MeshsetError: the output cannot be written, a file changed while it was being compressed, or, if
            `strict`, a file cannot be used.
        MissingExtraError: the 'compress' extra is not installed.
    """
    started = time.perf_counter()
    require_modules("compression", "compress", ("torch", "igl", "scipy"))
    settings = replace(settings, device=resolve_device(settings.device))
    system = codec_by_name(codec) if isinstance(codec, str) else codec
    log = FailureLog(strict)
    found = collect(paths, log)
    # The writer is opened before the work, so that an output that cannot be written is noticed now.
    with ArchiveWriter(output, overwrite) as writer:
        if found.skipped:
            progress.note(f"files of other kinds skipped: {found.skipped}")
        checked = check_sources(found.sources, log, progress)
        _require_some(checked, log)
        coding_started = time.perf_counter()
        coded = system.compress(LazyMeshes(checked), settings, progress)
        coding_seconds = time.perf_counter() - coding_started
        kept = _kept(checked, coded, log)
        _require_some(kept, log)
        entries = _store(writer, system, coded.shared, kept, log, progress)
        _require_some(entries, log)
        writer.finish(_settings_record(settings, system, coded, len(log.failures)))
    return CompressResult(
        path=Path(output),
        entries=tuple(entries),
        failures=log.failures,
        source_bytes=sum(entry.source_bytes for entry in entries),
        archive_bytes=Path(output).stat().st_size,
        seconds=time.perf_counter() - started,
        coding_seconds=coding_seconds,
    )


def _require_some(left: Sequence[object], log: FailureLog) -> None:
    if not left:
        reason = "none of the files can be used" if log.failures else "no mesh files were found"
        raise NoMeshError(f"nothing to compress: {reason}", log.failures)


def _kept(checked: Sequence[CheckedSource], coded: CodedSet, log: FailureLog) -> list[tuple[CheckedSource, CodedMesh]]:
    """Return the meshes that were coded, with their sources; `log` gets those that the codec refused."""
    kept = []
    for source, item in zip(checked, coded.meshes, strict=True):
        if isinstance(item, Refusal):
            log.add(Failure(str(source.source.path), item.reason))
        else:
            kept.append((source, item))
    return kept


def _store(
    writer: ArchiveWriter,
    system: SetCodec,
    shared_bytes: bytes,
    kept: Sequence[tuple[CheckedSource, CodedMesh]],
    log: FailureLog,
    progress: Progress,
) -> list[MeshEntry]:
    """Write the shared part and the meshes that decode; `log` gets the others."""
    shared = writer.add_shared(system.id, shared_bytes) if shared_bytes else None
    decoder = system.open(shared_bytes)
    progress.start("decode and measure", len(kept))
    entries = []
    for source, item in kept:
        path = source.source.path
        try:
            measured = measure(decoder, item.payload, source.read())
        except MeshsetError as error:
            # After hours of training one mesh that cannot be measured must not cost the others.
            log.add(Failure.of(str(path), error, path))
        else:
            entries.append(_add(writer, system.id, shared, source, item, measured))
        progress.advance()
    return entries


def _add(
    writer: ArchiveWriter,
    codec_id: int,
    shared: int | None,
    source: CheckedSource,
    item: CodedMesh,
    measured: Measured,
) -> MeshEntry:
    return writer.add_mesh(
        source.source.name,
        item.payload,
        codec_id=codec_id,
        shared=shared,
        lower=source.placement.lower,
        upper=source.placement.upper,
        vertices=measured.vertices,
        faces=measured.faces,
        source_vertices=source.vertices,
        source_faces=source.faces,
        source_bytes=source.obj_bytes,
        mean_distance=measured.mean_distance,
        max_distance=measured.max_distance,
        peak_memory=measured.peak_memory,
        notes=[_one_line(note) for note in (*source.notes, *item.notes, *_open_note(measured))],
    )


def _open_note(measured: Measured) -> tuple[str, ...]:
    edges = measured.boundary_edges
    return (f"comes back open, with {edges} boundary edges",) if edges else ()


def _one_line(note: str) -> str:
    """Return a note as the archive accepts it; notes may quote what stands in a file."""
    return "".join(character if character.isprintable() else " " for character in note)


def _settings_record(settings: Settings, system: SetCodec, coded: CodedSet, refused: int) -> dict[str, Any]:
    """Return what `meshset info` shows; no date, so that a seed gives the same archive again."""
    return {
        "meshset": version("meshset"),
        "codec": system.name,
        "resolution": settings.resolution,
        "field": settings.field,
        "preset": settings.preset,
        "device": settings.device.partition(":")[0],
        "seed": settings.seed,
        "refused": refused,
        "report": coded.report,
    }
