"""Whether an archive is whole: checksums first, then every mesh is decoded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from meshset.errors import MeshsetError
from meshset.pipeline.open import Archive
from meshset.pipeline.steps.agreement import check_error, check_stated
from meshset.pipeline.steps.collect import collect
from meshset.pipeline.steps.failures import Failure, FailureLog
from meshset.pipeline.steps.requirements import require_modules
from meshset.progress import Progress, advance, reporting, stage


@dataclass(frozen=True)
class VerifyResult:
    """What `verify` found.

    Attributes:
        meshes: how many meshes the archive lists.
        whole: names of the meshes without fault, in stored order.
        failures: what is damaged; none if the archive is whole.
    """

    meshes: int
    whole: tuple[str, ...]
    failures: tuple[Failure, ...]


@reporting
def verify(
    path: str | os.PathLike[str],
    *,
    deep: bool = False,
    sources: Iterable[str | os.PathLike[str]] = (),
    progress: Progress | None = None,
) -> VerifyResult:
    """Read and decode everything in an archive.

    Args:
        path: the archive.
        deep: whether each decoded mesh must have the counts and the place that the index states.
        sources: files and folders, named as `compress` names them. Meshes that are found there are measured again, and
            must be as exact as the index states.

    Raises:
        ArchiveError: the file is no archive, or its index cannot be read.
        MissingExtraError: there are sources, and the 'compress' extra is not installed.

    >>> verify("models.mset", deep=True, sources=["models/"]).failures
    ()
    """
    log = FailureLog()
    originals = {source.name: source.path for source in collect(sources, log).sources}
    if originals:
        require_modules("measuring", "compress", ("igl", "scipy"))
    with Archive(path) as archive:
        torn = archive.reader.torn_bytes
        if torn:
            reason = f"{torn} bytes behind the last whole index: an append was interrupted, or the end is damaged"
            log.add(Failure(os.fspath(path), reason))
        for line in archive.reader.find_damage():
            log.add(Failure(os.fspath(path), f"{line}; no mesh is lost by it, and --repair writes the archive anew"))
        readable = _check_sums(archive, path, log)
        stage("decode", len(readable))
        whole = []
        for name in readable:
            try:
                mesh = archive[name]
                if deep:
                    check_stated(mesh, archive.entries[name])
                if name in originals:
                    check_error(mesh, archive.entries[name], originals[name])
            except MeshsetError as error:
                log.add(Failure.of(name, error, path))
            else:
                whole.append(name)
            advance()
        return VerifyResult(len(archive), tuple(whole), log.failures)


def _check_sums(archive: Archive, path: str | os.PathLike[str], log: FailureLog) -> list[str]:
    """Return the meshes whose bytes are as they were written; `log` gets the rest."""
    reader = archive.reader
    for number in range(len(reader.shared)):
        try:
            reader.read_shared(number)
        except MeshsetError as error:
            log.add(Failure.of(f"shared part {number}", error, path))
    stage("checksums", len(archive))
    readable = []
    for name in archive:
        try:
            reader.read_payload(name)
            readable.append(name)
        except MeshsetError as error:
            log.add(Failure.of(name, error, path))
        advance()
    return readable
