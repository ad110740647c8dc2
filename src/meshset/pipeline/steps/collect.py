"""From files and folders to named mesh files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from meshset.archive import validate_name
from meshset.errors import ArchiveError
from meshset.geometry import SUPPORTED_SUFFIXES
from meshset.pipeline.steps.failures import Failure, FailureLog


@dataclass(frozen=True)
class Source:
    """A mesh file and the name that its mesh gets in the archive."""

    name: str
    path: Path


@dataclass(frozen=True)
class Collection:
    """What was found under the given paths.

    Attributes:
        sources: files to read, with distinct valid names, in the order of the paths, folders sorted.
        skipped: how many files in folders are of other kinds than `SUPPORTED_SUFFIXES`.
    """

    sources: tuple[Source, ...]
    skipped: int


def collect(paths: Iterable[str | os.PathLike[str] | Source], log: FailureLog) -> Collection:
    """Find mesh files: files as they are named, folders with everything below them.

    A mesh from a folder is named by its path below that folder without suffix, with '/' between segments; a
    file named by itself by its stem. The first file of a name keeps it. The same file under the same name
    counts once.

    Args:
        paths: files and folders, and sources, which keep the names that they have.
        log: gets what cannot be used: missing paths, unreadable folders, invalid and taken names.
    """
    sources: dict[str, Source] = {}
    skipped = 0
    for item in paths:
        if isinstance(item, Source):
            _enter(item, sources, log)
            continue
        path = Path(item)
        if path.is_dir():
            files = sorted(_files_below(path, log))
            known = [file for file in files if file.suffix.lower() in SUPPORTED_SUFFIXES]
            skipped += len(files) - len(known)
            found = [Source(file.relative_to(path).with_suffix("").as_posix(), file) for file in known]
        elif path.exists():
            found = [Source(path.stem, path)]
        else:
            log.add(Failure(str(path), "no such file or folder"))
            continue
        for source in found:
            _enter(source, sources, log)
    return Collection(tuple(sources.values()), skipped)


def _files_below(folder: Path, log: FailureLog) -> Iterator[Path]:
    """Yield all files below `folder`; linked folders are followed, each real folder is visited once."""

    def unreadable(error: OSError) -> None:
        log.add(Failure(str(error.filename), f"folder cannot be read ({error.strerror})"))

    visited = set()
    for parent, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        visited.add(os.path.realpath(parent))
        folders[:] = [name for name in sorted(folders) if os.path.realpath(Path(parent, name)) not in visited]
        yield from (Path(parent, name) for name in files)


def _enter(source: Source, sources: dict[str, Source], log: FailureLog) -> None:
    try:
        validate_name(source.name)
    except ArchiveError as error:
        log.add(Failure(str(source.path), str(error)))
        return
    holder = sources.setdefault(source.name, source)
    if os.path.realpath(holder.path) != os.path.realpath(source.path):
        log.add(Failure(str(source.path), f"the name '{source.name}' is taken by {holder.path}"))
