"""Whether an archive is whole: checksums first, then every mesh is decoded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from meshset.archive.names import ByName
from meshset.errors import ArchiveError, MeshsetError
from meshset.pipeline.open import Archive
from meshset.pipeline.steps.agreement import check_error, check_stated
from meshset.pipeline.steps.collect import MeshSources, Source, collect, no_mesh
from meshset.pipeline.steps.failures import Failure, FailureLog
from meshset.pipeline.steps.requirements import require_modules
from meshset.progress import Listening, advance, reporting, stage
from meshset.remote import ArchiveLike
from meshset.text import printable


@dataclass(frozen=True, repr=False)
class VerifyResult:
    """What `verify` found.

    Attributes:
        archive: what messages call it.
        meshes: how many meshes the archive lists.
        whole: names of the meshes without fault, in stored order.
        failures: what is damaged, and sources that cannot be used or fit no mesh; none if the archive is whole.
    """

    archive: str
    meshes: int
    whole: tuple[str, ...]
    failures: tuple[Failure, ...]

    def __str__(self) -> str:
        if not self.failures:
            found = "its only mesh is whole" if self.meshes == 1 else f"all {self.meshes} meshes are whole and decode"
            return f"{printable(self.archive)}: {found}"
        damages = "\n".join(printable(str(failure)) for failure in self.failures)
        return f"{printable(self.archive)}: {len(self.whole)} of {self.meshes} meshes are whole and decode\n{damages}"

    __repr__ = __str__


@reporting
def verify(
    archive: ArchiveLike,
    sources: MeshSources = (),
    *,
    deep: bool = False,
    progress: Listening = None,
) -> VerifyResult:
    """Read and decode everything in an archive.

    Args:
        archive: path or URL of the archive, or a binary file that can seek.
        sources: as those of `meshset.compress`. Meshes that are found there are measured again, and must be as exact
            as the index states; a source that fits no mesh of the archive is a failure.
        deep: whether each decoded mesh must have the counts and the place that the index states.
        progress: as that of `meshset.compress`.

    Raises:
        ArchiveError: the file is no archive, or its index cannot be read.
        MissingExtraError: there are sources, and the 'compress' extra is not installed.

    >>> verify("models.mset", "models/", deep=True)
    models.mset: all 3 meshes are whole and decode
    """
    originals = _Originals(sources)
    found = _verified(archive, originals, deep)
    return replace(found, failures=(*originals.failures(), *found.failures))


@dataclass(frozen=True)
class VerifyAllResult:
    """What `verify_all` found.

    Attributes:
        archives: what was found of each that can be opened.
        unreadable: archives that cannot be opened, and why.
        failures: sources that cannot be used or fit no mesh of any archive.
    """

    archives: tuple[VerifyResult, ...]
    unreadable: tuple[Failure, ...]
    failures: tuple[Failure, ...]


@reporting
def verify_all(
    archives: Iterable[str | os.PathLike[str]],
    sources: MeshSources = (),
    *,
    deep: bool = False,
    progress: Listening = None,
) -> VerifyAllResult:
    """Read and decode everything in several archives, whatever is wrong with one of them.

    Args:
        archives: paths and URLs.
        sources: as those of `verify`; each must fit a mesh of one of the archives.
        deep: as that of `verify`.
        progress: as that of `meshset.compress`.

    Raises:
        MissingExtraError: there are sources, and the 'compress' extra is not installed.
    """
    originals = _Originals(sources)
    found, unreadable = [], []
    for archive in archives:
        try:
            found.append(_verified(archive, originals, deep))
        except ArchiveError as error:
            unreadable.append(Failure.of(str(archive), error, archive))
    return VerifyAllResult(tuple(found), tuple(unreadable), originals.failures())


class _Originals:
    """Meshes to measure decoded ones against, and which of them had a counterpart."""

    def __init__(self, sources: MeshSources) -> None:
        self._log = FailureLog()
        self._sources = ByName({source.name: source for source in collect(sources, self._log).sources})
        self._unmatched = dict(self._sources)
        if self._sources:
            require_modules("measuring", "compress", ("igl", "scipy"))

    def match(self, names: Iterable[str]) -> None:
        """Take note of the meshes that an archive holds."""
        for name in names:
            if source := self._sources.get(name):
                self._unmatched.pop(source.name, None)

    def get(self, name: str) -> Source | None:
        """Return the original of a mesh, if there is one."""
        return self._sources.get(name)

    def failures(self) -> tuple[Failure, ...]:
        """Return the sources that cannot be used, and those that have fitted no mesh so far."""
        strangers = (Failure(str(one.path), no_mesh(one)) for one in self._unmatched.values())
        return (*self._log.failures, *strangers)


def _verified(archive: ArchiveLike, originals: _Originals, deep: bool) -> VerifyResult:
    log = FailureLog()
    with Archive(archive) as opened:
        file = opened.reader.label
        originals.match(opened)
        torn = opened.reader.torn_bytes
        if torn:
            reason = f"{torn} bytes behind the last whole index: an append was interrupted, or the end is damaged"
            log.add(Failure(file, reason))
        for line in opened.reader.find_damage():
            log.add(Failure(file, f"{line}; no mesh is lost by it, and --repair writes the archive anew"))
        readable = _check_sums(opened, log)
        stage("decode", len(readable))
        whole = []
        for name in readable:
            try:
                mesh = opened[name]
                if deep:
                    check_stated(mesh, opened.entries[name])
                if original := originals.get(name):
                    check_error(mesh, opened.entries[name], original)
            except MeshsetError as error:
                log.add(Failure.of(name, error, file))
            else:
                whole.append(name)
            advance()
        return VerifyResult(file, len(opened), tuple(whole), log.failures)


def _check_sums(archive: Archive, log: FailureLog) -> list[str]:
    """Return the meshes whose bytes are as they were written; `log` gets the rest."""
    reader = archive.reader
    for number in range(len(reader.shared)):
        try:
            reader.read_shared(number)
        except MeshsetError as error:
            log.add(Failure.of(f"shared part {number}", error, reader.label))
    stage("checksums", len(archive))
    readable = []
    for name in archive:
        try:
            reader.read_payload(name)
            readable.append(name)
        except MeshsetError as error:
            log.add(Failure.of(name, error, reader.label))
        advance()
    return readable
