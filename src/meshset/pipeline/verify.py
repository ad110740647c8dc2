"""Whether an archive is whole: checksums first, then every mesh is decoded."""

from __future__ import annotations

import os
from dataclasses import dataclass

from meshset.errors import ArchiveError, MeshsetError
from meshset.pipeline.failures import Failure, FailureLog
from meshset.pipeline.reading import Archive
from meshset.progress import Progress, Silent

_SILENT = Silent()


@dataclass(frozen=True)
class VerifyResult:
    """What `verify` found.

    Attributes:
        meshes: how many meshes the archive lists.
        failures: what is damaged; none if the archive is whole.
    """

    meshes: int
    failures: tuple[Failure, ...]


def verify(path: str | os.PathLike[str], *, progress: Progress = _SILENT) -> VerifyResult:
    """Read and decode everything in an archive.

    Raises:
        ArchiveError: the file is no archive, or its index cannot be read.
    """
    log = FailureLog()
    with Archive(path) as archive:
        torn = archive.reader.torn_bytes
        if torn:
            reason = f"{torn} bytes behind the last whole index: an append was interrupted, or the end is damaged"
            log.add(Failure(os.fspath(path), reason))
        readable = _check_sums(archive, path, log, progress)
        progress.start("decode", len(readable))
        for name in readable:
            try:
                _check_mesh(archive, name)
            except MeshsetError as error:
                log.add(Failure.of(name, error, path))
            progress.advance()
        return VerifyResult(len(archive), log.failures)


def _check_sums(archive: Archive, path: str | os.PathLike[str], log: FailureLog, progress: Progress) -> list[str]:
    """Return the meshes whose bytes are as they were written; `log` gets the rest."""
    reader = archive.reader
    for number in range(len(reader.shared)):
        try:
            reader.read_shared(number)
        except MeshsetError as error:
            log.add(Failure.of(f"shared part {number}", error, path))
    progress.start("check sums", len(archive))
    readable = []
    for name in archive:
        try:
            reader.read_payload(name)
            readable.append(name)
        except MeshsetError as error:
            log.add(Failure.of(name, error, path))
        progress.advance()
    return readable


def _check_mesh(archive: Archive, name: str) -> None:
    try:
        mesh = archive[name]
    except MemoryError:
        raise ArchiveError("not enough memory to decode it") from None
    if not len(mesh.faces):
        raise ArchiveError("decodes to nothing")
