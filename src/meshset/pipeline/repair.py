"""What is left of a damaged archive, in a new one."""

from __future__ import annotations

import os
from dataclasses import dataclass

from meshset.archive import ArchiveReader, ArchiveWriter, Copier
from meshset.pipeline.steps.failures import Failure
from meshset.pipeline.steps.finish import finish
from meshset.pipeline.verify import verify
from meshset.progress import Progress, reporting


@dataclass(frozen=True)
class RepairResult:
    """What `repair` made.

    Attributes:
        kept: names of the meshes in the new archive.
        failures: what is damaged in the old one.
    """

    kept: tuple[str, ...]
    failures: tuple[Failure, ...]


@reporting
def repair(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> RepairResult:
    """Copy every mesh that is whole and decodes into a new archive; the damaged one stays as it is.

    Raises:
        ArchiveError: the index cannot be read, so nothing says where the meshes are; or `output` cannot be written.

    >>> repair("models.mset", "salvaged.mset").kept
    ('animals/cat', 'bunny', 'part')
    """
    with ArchiveWriter(output, overwrite) as writer:
        found = verify(path)
        with ArchiveReader(path) as reader:
            copier = Copier(writer)
            for name in found.whole:
                copier.copy(reader, name)
            finish(writer, reader.settings)
    return RepairResult(found.whole, found.failures)
