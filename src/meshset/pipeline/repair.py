"""What is left of a damaged archive, in a new one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from meshset.archive import ArchiveReader, ArchiveWriter, Copier
from meshset.pipeline.steps.failures import Failure
from meshset.pipeline.steps.finish import finish
from meshset.pipeline.steps.outputs import require_apart, require_replaceable
from meshset.pipeline.verify import verify
from meshset.progress import Listening, reporting
from meshset.text import counted, printable


@dataclass(frozen=True, repr=False)
class RepairResult:
    """What `repair` made.

    Attributes:
        path: the new archive.
        kept: names of the meshes in the new archive.
        failures: what is damaged in the old one.
    """

    path: Path
    kept: tuple[str, ...]
    failures: tuple[Failure, ...]

    def __str__(self) -> str:
        return f"{printable(str(self.path))}: {counted(len(self.kept), 'mesh', 'meshes')} salvaged"

    __repr__ = __str__


@reporting
def repair(
    archive: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    force: bool = False,
    progress: Listening = None,
) -> RepairResult:
    """Copy every mesh that is whole and decodes into a new archive; the damaged one stays as it is.

    Args:
        archive: path of the damaged one.
        output: the archive to make.
        force: whether `output` may be replaced if it is another archive.
        progress: as that of `meshset.compress`.

    Raises:
        UsageError: `output` is the damaged archive, or a file that is no archive.
        ArchiveError: the index cannot be read, so nothing says where the meshes are; or `output` cannot be written.

    >>> repair("models.mset", "salvaged.mset").kept
    ('animals/cat', 'bunny', 'part')
    """
    require_apart(output, [archive])
    require_replaceable(output, force)
    with ArchiveWriter(output, force) as writer:
        found = verify(archive)
        with ArchiveReader(archive) as reader:
            copier = Copier(writer)
            for name in found.whole:
                copier.copy(reader, name)
            finish(writer, reader.settings)
    return RepairResult(Path(output), found.whole, found.failures)
