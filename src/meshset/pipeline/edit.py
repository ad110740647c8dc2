"""Meshes taken out of an archive, and archives put together; nothing is decoded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from meshset.archive import ArchiveEditor, ArchiveReader, ArchiveWriter, Copier
from meshset.archive.names import label, name_key, shown
from meshset.errors import ArchiveError, MeshsetError
from meshset.pipeline.steps.finish import finish
from meshset.pipeline.steps.outputs import require_replaceable
from meshset.pipeline.steps.records import merged
from meshset.pipeline.steps.select import listed, select
from meshset.progress import Listening, reporting
from meshset.text import counted, printable, size


@dataclass(frozen=True, repr=False)
class RemoveResult:
    """What `remove` did.

    Attributes:
        path: the archive.
        removed: names of the meshes that are gone, in stored order.
        left: how many meshes the archive holds now.
        archive_bytes: bytes of the archive file now.
        reclaimed_bytes: how much smaller the file became; below 0 by the new index if it was not compacted.
    """

    path: Path
    removed: tuple[str, ...]
    left: int
    archive_bytes: int
    reclaimed_bytes: int

    def __str__(self) -> str:
        return (
            f"{printable(str(self.path))}: {counted(len(self.removed), 'mesh', 'meshes')} removed, {self.left} left, "
            f"{size(self.archive_bytes)}"
        )

    __repr__ = __str__


@reporting
def remove(
    archive: str | os.PathLike[str],
    names: str | Iterable[str] = (),
    *,
    compact: bool = False,
    progress: Listening = None,
) -> RemoveResult:
    """Take meshes out of an archive, in one step that happens as a whole or not at all.

    Args:
        archive: its path.
        names: a mesh to remove, a pattern such as "animals/*" or a folder such as "animals/", or several of them.
        compact: write the archive anew, without bytes that nothing refers to and shared parts that no mesh needs.
            `names` may be empty then.
        progress: as that of `meshset.compress`.

    Raises:
        UnknownMeshError: a name or pattern fits no mesh; nothing is removed.
        MeshsetError: there is nothing to do, the archive cannot be read or written, or another process is writing
            to it.

    >>> remove("models.mset", ["animals/*"], compact=True).removed
    ('animals/cat',)
    """
    names = listed(names)
    if not names and not compact:
        raise MeshsetError(f"{archive}: no mesh to remove was named")
    before = Path(archive).stat().st_size if Path(archive).exists() else 0
    removed, left = (_rewrite if compact else _append)(archive, names)
    after = Path(archive).stat().st_size
    return RemoveResult(Path(archive), tuple(removed), left, after, before - after)


@dataclass(frozen=True, repr=False)
class MergeResult:
    """What `merge` made.

    Attributes:
        path: the new archive.
        meshes: how many meshes it holds.
        shared: how many shared parts it holds.
        source_bytes: bytes of the archives that were merged.
        archive_bytes: bytes of the new one.
    """

    path: Path
    meshes: int
    shared: int
    source_bytes: int
    archive_bytes: int

    def __str__(self) -> str:
        return (
            f"{printable(str(self.path))}: {counted(self.meshes, 'mesh', 'meshes')} and "
            f"{counted(self.shared, 'shared part', 'shared parts')} in {size(self.archive_bytes)}, before "
            f"{size(self.source_bytes)}"
        )

    __repr__ = __str__


@reporting
def merge(
    archives: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    force: bool = False,
    progress: Listening = None,
) -> MergeResult:
    """Put the meshes of several archives into a new one, shared parts that are equal once.

    Args:
        archives: their paths; they stay as they are. Their meshes are stored in this order.
        output: the archive to make; it may be one of `archives` if it may be replaced.
        force: whether `output` may be replaced if it is an archive; nothing else ever is.
        progress: as that of `meshset.compress`.

    Raises:
        UsageError: `output` is a file that is no archive.
        ArchiveError: an archive cannot be read or written, a mesh is damaged, or a name is in two archives.

    >>> merge(["models.mset"], "all.mset").meshes
    3
    """
    require_replaceable(output, force)
    with ExitStack() as opened:
        writer = opened.enter_context(ArchiveWriter(output, force))
        readers = [opened.enter_context(ArchiveReader(source)) for source in archives]
        _check_names(archives, readers)
        copier = Copier(writer)
        for reader in readers:
            for name in reader.entries:
                copier.copy(reader, name)
        finish(writer, merged([reader.settings for reader in readers]))
        source_bytes = sum(reader.size for reader in readers)
    with ArchiveReader(output) as made:
        return MergeResult(Path(output), len(made.entries), len(made.shared), source_bytes, made.size)


def _append(path: str | os.PathLike[str], names: Sequence[str]) -> tuple[list[str], int]:
    with ArchiveEditor(path) as editor:
        removed = select(editor.entries, names, label(path))
        for name in removed:
            editor.remove(name)
        finish(editor, editor.settings)
        return removed, len(editor.entries)


def _rewrite(path: str | os.PathLike[str], names: Sequence[str]) -> tuple[list[str], int]:
    # The writer is first, for its lock: what is read then is what will be replaced.
    with ArchiveWriter(path, overwrite=True) as writer, ArchiveReader(path) as reader:
        removed = select(reader.entries, names, label(path)) if names else []
        gone = set(removed)
        copier = Copier(writer)
        kept = [name for name in reader.entries if name not in gone]
        for name in kept:
            copier.copy(reader, name)
        finish(writer, reader.settings)
    return removed, len(kept)


def _check_names(sources: Sequence[str | os.PathLike[str]], readers: Sequence[ArchiveReader]) -> None:
    """Refuse two meshes of one name, and say which archives hold them."""
    holders: dict[str, int] = {}
    for number, reader in enumerate(readers):
        for name in reader.entries:
            holder = holders.setdefault(name_key(name), number)
            if holder != number:
                raise ArchiveError(f"{sources[number]}: holds a mesh named {shown(name)}, as {sources[holder]} does")
