"""Whether an archive is whole: checksums first, then every mesh is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from meshset.errors import MeshsetError
from meshset.pipeline.open import Archive
from meshset.pipeline.steps.agreement import check_error, check_stated
from meshset.pipeline.steps.collect import MeshSources, collect
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
        failures: what is damaged; none if the archive is whole.
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
            as the index states.
        deep: whether each decoded mesh must have the counts and the place that the index states.
        progress: as that of `meshset.compress`.

    Raises:
        ArchiveError: the file is no archive, or its index cannot be read.
        MissingExtraError: there are sources, and the 'compress' extra is not installed.

    >>> verify("models.mset", "models/", deep=True)
    models.mset: all 3 meshes are whole and decode
    """
    log = FailureLog()
    originals = {source.name: source for source in collect(sources, log).sources}
    if originals:
        require_modules("measuring", "compress", ("igl", "scipy"))
    with Archive(archive) as opened:
        file = opened.reader.label
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
                if name in originals:
                    check_error(mesh, opened.entries[name], originals[name])
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
