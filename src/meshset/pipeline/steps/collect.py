"""From files, folders and meshes in memory to named meshes."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from meshset.archive import validate_name
from meshset.archive.names import name_key, safe_name, shown
from meshset.archive.recognise import is_archive
from meshset.errors import ArchiveError, MeshFileError, MeshsetError
from meshset.geometry import SUPPORTED_SUFFIXES, Reading, animation_seconds, read_frame, read_mesh
from meshset.geometry.arrays import Arrays, MeshLike, arrays_of, read_arrays
from meshset.pipeline.steps.failures import Failure, FailureLog
from meshset.progress import tell

MOST_FRAMES = 100_000
"""Frames of one animation."""

_ANIMATED = (".glb", ".gltf")

APPLE_DOUBLE = b"\x00\x05\x16\x07"
"""Begins the files ._NAME in which macOS keeps what other file systems have no place for."""


@dataclass(frozen=True)
class Source:
    """A mesh and the name that it gets in the archive.

    Attributes:
        name: in the archive.
        path: its file; of a mesh that was given in memory its name.
        given: that mesh, None for a file.
        time: a moment of the file's animation, in seconds; None for the file at rest.
    """

    name: str
    path: Path
    given: Arrays | None = field(default=None, repr=False, compare=False)
    time: float | None = None

    def read(self) -> Reading:
        """Return the mesh as the rest can rely on it. Raises MeshFileError if there is none."""
        if self.given is not None:
            return read_arrays(self.name, self.given)
        return read_mesh(self.path) if self.time is None else read_frame(self.path, self.time)


PathLike: TypeAlias = str | os.PathLike[str]
MeshSources: TypeAlias = PathLike | Iterable[PathLike | Source] | Mapping[str, PathLike | MeshLike]
"""Where meshes come from: a file or folder, several of them, or files and meshes in memory by name."""


@dataclass(frozen=True)
class Collection:
    """What was found.

    Attributes:
        sources: meshes to read, with distinct valid names, in the order in which they were given, folders sorted.
        skipped: how many files in folders are of other kinds than `SUPPORTED_SUFFIXES`.
    """

    sources: tuple[Source, ...]
    skipped: int


def no_mesh(source: Source) -> str:
    """Return what is wrong with a source that no mesh of an archive belongs to."""
    if source.given is None and is_archive(source.path):
        return "is an archive, not the source of a mesh"
    return f"the archive holds no mesh named {shown(source.name)}"


def collect(given: MeshSources, log: FailureLog) -> Collection:
    """Find meshes: files as they are named, folders with everything below them, meshes in memory by their keys.

    A mesh from a folder is named by its path below that folder without suffix, with '/' between segments; a file named
    by itself by its stem. What is not safe in a name on every system is replaced. Where files share a name, all of them
    get their suffix, or else a number. The same file under the same name counts once. Names that differ only in their
    Unicode spelling are the same.

    Args:
        given: files and folders, sources, which keep the names that they have, or meshes by name.
        log: gets what cannot be used: missing paths, unreadable folders, invalid and taken names.

    Raises:
        MeshsetError: meshes in memory have no valid names, or something is neither path nor mesh.
    """
    if isinstance(given, Mapping):
        sources = tuple(_named(name, item) for name, item in given.items())
        _require_distinct(sources)
        return Collection(sources, 0)
    found: list[Source] = []
    skipped = 0
    for item in _items(given):
        if isinstance(item, Source):
            found.append(item)
            continue
        path = Path(item)
        if path.is_dir():
            files = sorted(_files_below(path, log))
            known = [file for file in files if file.suffix.lower() in SUPPORTED_SUFFIXES]
            skipped += len(files) - len(known)
            found += [_File(file.relative_to(path).with_suffix("").as_posix(), file) for file in known]
        elif path.exists():
            found.append(_File(path.stem, path))
        else:
            log.add(Failure(str(path), "no such file or folder"))
    return Collection(_distinct(found, log), skipped)


def frames_of(sources: Iterable[Source], rate: float, log: FailureLog) -> tuple[Source, ...]:
    """Return the frames of animated glTF files as meshes "fox_0000", "fox_0001" and so on, others as they are.

    Args:
        sources: as `collect` found them.
        rate: frames for each second of an animation, from its beginning to its end.
        log: gets files that cannot be read or have too many frames, and invalid and taken names.

    Raises:
        MeshsetError: the rate is not above 0, or nothing is animated.
    """
    if not (math.isfinite(rate) and rate > 0):
        raise MeshsetError(f"frames a second must be above 0, not {rate}")
    found: list[Source] = []
    animated = 0
    for source in sources:
        if source.given is not None or source.path.suffix.lower() not in _ANIMATED:
            found.append(source)
            continue
        try:
            seconds = animation_seconds(source.path)
        except MeshFileError as error:
            log.add(Failure.of(str(source.path), error, source.path))
            continue
        count = math.floor(seconds * rate + 1e-6) + 1
        if count > MOST_FRAMES:
            log.add(Failure(str(source.path), f"has {count:,} frames at this rate, more than {MOST_FRAMES:,}"))
            continue
        animated += 1
        found += [Source(f"{source.name}_{k:04d}", source.path, time=min(k / rate, seconds)) for k in range(count)]
    if not animated and not log.failures:
        raise MeshsetError("none of the files is animated: frames are of glTF files, .glb or .gltf")
    return _distinct(found, log)


class _File(Source):
    """A source that may get another name."""


def _items(given: MeshSources) -> Iterable[PathLike | Source]:
    if isinstance(given, (str, os.PathLike)):
        return [given]
    items = list(given) if isinstance(given, Iterable) else [given]
    for item in items:
        if not isinstance(item, (str, os.PathLike, Source)):
            raise MeshsetError(
                f"{type(item).__name__} is not a path; meshes in memory need names: {{'bunny': mesh, ...}}"
            )
    return items


def _named(name: str, item: PathLike | MeshLike) -> Source:
    """Return a source that was given by name."""
    if not isinstance(name, str):
        raise MeshsetError(f"{name!r} cannot be the name of a mesh: expected a string")
    validate_name(name)
    if isinstance(item, (str, os.PathLike)):
        return Source(name, Path(item))
    return Source(name, Path(name), arrays_of(name, item))


def _require_distinct(sources: Iterable[Source]) -> None:
    """Raise MeshsetError for two Unicode spellings of one name."""
    seen: set[str] = set()
    for source in sources:
        key = name_key(source.name)
        if key in seen:
            raise MeshsetError(
                f"two meshes are named {shown(source.name)}: the names differ in their Unicode spelling only"
            )
        seen.add(key)


def _files_below(folder: Path, log: FailureLog) -> Iterator[Path]:
    """Yield all files below `folder`; linked folders are followed, each real folder is visited once."""

    def unreadable(error: OSError) -> None:
        log.add(Failure(str(error.filename), f"folder cannot be read ({error.strerror})"))

    visited = set()
    for parent, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        visited.add(os.path.realpath(parent))
        folders[:] = [name for name in sorted(folders) if os.path.realpath(Path(parent, name)) not in visited]
        yield from (Path(parent, name) for name in files if not _is_apple_double(Path(parent, name)))


def _is_apple_double(file: Path) -> bool:
    """Return whether a file holds no mesh but what macOS notes about the file beside it."""
    if not file.name.startswith("._"):
        return False
    try:
        with file.open("rb") as content:
            return content.read(len(APPLE_DOUBLE)) == APPLE_DOUBLE
    except OSError:
        return False


def _distinct(found: Iterable[Source], log: FailureLog) -> tuple[Source, ...]:
    """Return the sources under names that are valid and distinct, and tell of names that were changed."""
    sources: dict[str, Source] = {}
    for source in _told_apart(_once(_made_safe(found))):
        try:
            validate_name(source.name)
        except ArchiveError as error:
            log.add(Failure(str(source.path), str(error)))
            continue
        holder = sources.setdefault(name_key(source.name), source)
        if os.path.realpath(holder.path) != os.path.realpath(source.path):
            log.add(Failure(str(source.path), f"the name '{source.name}' is taken by {holder.path}"))
    return tuple(sources.values())


def _made_safe(found: Iterable[Source]) -> list[Source]:
    """Replace in the names of files what is not possible on every system."""
    named = [_File(safe_name(one.name), one.path) if isinstance(one, _File) else one for one in found]
    changed = [(old.name, new.name) for old, new in zip(found, named, strict=True) if old.name != new.name]
    if changed:
        old, new = changed[0]
        tell(f"names changed to be possible on every system: {len(changed)}, such as {shown(old)} to {shown(new)}")
    return named


def _once(found: Iterable[Source]) -> list[Source]:
    """Return the sources without those that name the same file a second time."""
    seen = {(name_key(one.name), os.path.realpath(one.path)): one for one in reversed(list(found))}
    return [one for one in found if seen[name_key(one.name), os.path.realpath(one.path)] is one]


def _told_apart(found: Sequence[Source]) -> list[Source]:
    """Give files that share a name their suffix, or a number where that does not tell them apart."""
    groups: dict[str, list[Source]] = defaultdict(list)
    for one in found:
        groups[name_key(one.name)].append(one)
    taken = set(groups)
    names: dict[int, str] = {}
    for group in groups.values():
        files = [one for one in group if isinstance(one, _File)]
        if len(group) == 1 or not files:
            continue
        full = [one.name + one.path.suffix for one in files]
        keys = set(map(name_key, full))
        if len(keys) < len(full) or not taken.isdisjoint(keys):
            full = _numbered(files[0].name, len(files), taken, first_is_free=len(files) == len(group))
        taken.update(map(name_key, full))
        names |= {id(one): other for one, other in zip(files, full, strict=True)}
    if names:
        examples = " and ".join(map(shown, list(names.values())[:2]))
        tell(f"meshes that share a name with another: {len(names)}, stored under names such as {examples}")
    return [_File(names[id(one)], one.path) if id(one) in names else one for one in found]


def _numbered(name: str, count: int, taken: set[str], first_is_free: bool) -> list[str]:
    """Return the name, if it is free, and as many of "name-2", "name-3" and so on as are needed."""
    names, number = [name] if first_is_free else [], 2
    while len(names) < count:
        if name_key(f"{name}-{number}") not in taken:
            names.append(f"{name}-{number}")
        number += 1
    return names
