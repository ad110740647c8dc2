"""From an archive back to mesh files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from meshset.archive import MeshEntry
from meshset.errors import ArchiveError, MeshFileError, MeshsetError
from meshset.geometry import write_mesh
from meshset.pipeline.open import Archive, UnknownMeshError
from meshset.pipeline.steps.failures import Failure, FailureLog
from meshset.progress import Progress, advance, reporting, stage
from meshset.vocabulary import MESH_FORMATS


@dataclass(frozen=True)
class ExtractResult:
    """What `extract` wrote.

    Attributes:
        written: the files, in stored order of their meshes.
        failures: meshes that were not written, and why.
    """

    written: tuple[Path, ...]
    failures: tuple[Failure, ...]


@reporting
def extract(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    names: Iterable[str] = (),
    *,
    file_format: str = "ply",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExtractResult:
    """Write meshes of an archive as files below `folder`, which is made if it is missing.

    Args:
        path: the archive.
        folder: nothing is written outside it, not through links in it either.
        names: meshes to write, or patterns such as "animals/*"; none means all.
        file_format: one of `meshset.vocabulary.MESH_FORMATS`.
        overwrite: whether files that exist already may be replaced. A file that this call has written never is:
            where a file system ignores case, the second of "Bunny" and "bunny" is a failure.

    Raises:
        UnknownMeshError: a name or pattern fits no mesh; nothing is written.
        MeshsetError: the archive cannot be read, or the folder or format cannot be written.

    >>> [file.name for file in extract("models.mset", "out", ["bunny"], file_format="obj").written]
    ['bunny.obj']
    """
    if file_format not in MESH_FORMATS:
        raise MeshsetError(f"cannot write format {file_format!r}, only {', '.join(MESH_FORMATS)}")
    with Archive(path) as archive:
        selected = select(archive.entries, names, path)
        target = _Folder(Path(folder), overwrite)
        log = FailureLog()
        stage("extract", len(selected))
        for name in selected:
            try:
                file = target.reserve(f"{name}.{file_format}")
                write_mesh(archive[name], file)
            except (ArchiveError, MeshFileError) as error:
                log.add(Failure.of(name, error, path))
            else:
                target.enter(file)
            advance()
    return ExtractResult(tuple(target.written), log.failures)


def select(entries: Mapping[str, MeshEntry], names: Iterable[str], path: str | os.PathLike[str]) -> list[str]:
    """Return the names in `entries` that `names` asks for, in stored order; all of them if it is empty.

    A name that is in the archive stands for itself, even if it looks like a pattern.
    """
    wanted: set[str] = set()
    names = list(names)
    for name in names:
        fitting = [name] if name in entries else [known for known in entries if fnmatchcase(known, name)]
        if not fitting:
            raise UnknownMeshError(os.fspath(path), name, entries)
        wanted.update(fitting)
    return [name for name in entries if name in wanted or not names]


class _Folder:
    """The folder that files go to, and what was written there."""

    def __init__(self, root: Path, overwrite: bool) -> None:
        self._root = root
        self._overwrite = overwrite
        self.written: list[Path] = []
        self._identities: dict[tuple[int, int], Path] = {}
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MeshFileError(f"{root}: folder cannot be made ({error.strerror})") from None

    def reserve(self, relative: str) -> Path:
        """Return the path for a file below the folder, its parents made. Raises MeshFileError if it must not be."""
        file = self._root / relative
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            inside = file.parent.resolve().is_relative_to(self._root.resolve())
            taken = os.path.lexists(file)
            former = self._identities.get(_identity(file)) if taken else None
        except OSError as error:
            raise MeshFileError(f"{file}: cannot be written ({error.strerror})") from None
        if not inside:
            raise MeshFileError(f"{file}: not written, a link leads out of the folder")
        if former:
            raise MeshFileError(f"{file}: not written, on this file system it is the same file as {former}")
        if taken and not self._overwrite:
            raise MeshFileError(f"{file}: exists already")
        return file

    def enter(self, file: Path) -> None:
        """Remember a file that was written."""
        self.written.append(file)
        self._identities[_identity(file)] = file


def _identity(file: Path) -> tuple[int, int]:
    status = file.lstat()
    return status.st_dev, status.st_ino
