"""From an archive back to mesh files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from meshset.errors import ArchiveError, MeshFileError, MeshsetError
from meshset.geometry import Mesh, encode_mesh, write_animation, write_mesh
from meshset.pipeline.open import Archive
from meshset.pipeline.steps.failures import Failure, FailureLog
from meshset.pipeline.steps.outputs import require_apart, same_file
from meshset.pipeline.steps.select import framed, listed, select, title_of
from meshset.progress import Listening, advance, reporting, stage
from meshset.remote import ArchiveLike
from meshset.text import counted, printable
from meshset.vocabulary import MESH_FORMATS, MeshFormat, either


@dataclass(frozen=True, repr=False)
class ExtractResult:
    """What `extract` wrote.

    Attributes:
        output: the folder or file; "-" for a file object.
        written: the files, in stored order of their meshes; empty for a file object.
        failures: meshes that were not written, and why.
        count: how many meshes were written.
        notes: what a user should know of meshes that were written, one line each.
    """

    output: str
    written: tuple[Path, ...]
    failures: tuple[Failure, ...]
    count: int
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{counted(self.count, 'mesh', 'meshes')} written to {printable(self.output)}"

    __repr__ = __str__


@reporting
def extract(
    archive: ArchiveLike,
    names: str | Iterable[str] = (),
    output: str | os.PathLike[str] | BinaryIO = ".",
    *,
    format: MeshFormat | None = None,
    levels: int | None = None,
    frames: range | None = None,
    animated: float | None = None,
    force: bool = False,
    progress: Listening = None,
) -> ExtractResult:
    """Write meshes of an archive as files.

    Args:
        archive: path or URL of the archive, or a binary file that can seek.
        names: a mesh to write, a pattern such as "animals/*", a folder such as "animals/", a sequence such as "walk"
            for "walk_0001" and so on, or several of them; none means all.
        output: a folder, which is made if it is missing; nothing is written outside it, not through links in it either.
            For a single mesh also a file with the suffix of a mesh, or a binary file object to write to.
        format: kind of files; None for what the suffix of `output` says, else ply.
        levels: of subdivision of smooth control meshes, from 0, the coarsest, to 3; None for what each was coded with.
            Other meshes are written as they are.
        frames: of these, meshes whose name ends with one of these numbers; None for all.
        animated: so many frames a second of one GLB file, "walk.glb" for "walk_0001" and so on, in place of a file for
            each; None for these.
        force: whether files that exist already may be replaced. The archive never is, nor is a file that this call has
            written: where a file system ignores case, the second of "Bunny" and "bunny" is a failure.
        progress: as that of `meshset.compress`.

    Raises:
        UnknownMeshError: a name or pattern fits no mesh; nothing is written.
        UsageError: the output is the archive itself.
        MeshsetError: the archive cannot be read, the output or format cannot be written, or there is no such level.

    >>> [file.name for file in extract("models.mset", "bunny", "out", format="obj").written]
    ['bunny.obj']
    >>> extract("models.mset", "bunny", "rabbit.stl")
    1 mesh written to rabbit.stl
    """
    if format is not None and format not in MESH_FORMATS:
        raise MeshsetError(f"cannot write format {format!r}, only {either(MESH_FORMATS)}")
    with Archive(archive) as opened:
        file = opened.reader.label
        selected = select(opened.entries, listed(names), file)
        if frames is not None:
            selected = framed(selected, frames)
            if not selected:
                raise ArchiveError(f"{file}: holds no such frames from {frames.start} on and below {frames.stop}")
        if animated is None:
            target = _target(output, format, force, selected, archive)
        else:
            target = _film(output, format, force, selected, archive, animated)
        log = FailureLog()
        count = 0
        notes = []
        stage("extract", len(selected))
        for name in selected:
            try:
                mesh = opened.read(name, levels=levels)
                target.put(name, mesh)
            except (ArchiveError, MeshFileError) as error:
                log.add(Failure.of(name, error, file))
            else:
                count += 1
                if target.format == "stl" and mesh.vertices.dtype == np.float64:
                    notes.append(f"{name}: {_TOO_FAR}")
            advance()
        target.close()
    return ExtractResult(target.label, tuple(target.written), log.failures, count, tuple(notes))


_TOO_FAR = "so far from the origin STL, which holds float32, distorts its shape; the other formats keep it"


class _Target(Protocol):
    """Where meshes go to."""

    label: str
    format: MeshFormat
    written: list[Path]

    def put(self, name: str, mesh: Mesh) -> None:
        """Write a mesh. Raises MeshFileError where that is not possible."""
        ...

    def close(self) -> None:
        """Write what all meshes make together: nothing, where each is written by itself. May raise MeshFileError."""
        return


def _target(
    output: str | os.PathLike[str] | BinaryIO,
    format: MeshFormat | None,
    force: bool,
    selected: Sequence[str],
    archive: ArchiveLike,
) -> _Target:
    if not isinstance(output, (str, os.PathLike)):
        _require_one(selected, "a file object")
        return _Stream(output, format or "ply")
    path = Path(output)
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in MESH_FORMATS or path.is_dir() or os.fspath(output).endswith(("/", os.sep)):
        return _Folder(path, format or "ply", force, archive)
    require_apart(path, [archive])
    _require_one(selected, str(path))
    if format not in (None, suffix):
        raise MeshsetError(f"{path}: its suffix says {suffix}, not {format}")
    return _File(path, suffix, force)


def _film(
    output: str | os.PathLike[str] | BinaryIO,
    format: MeshFormat | None,
    force: bool,
    selected: Sequence[str],
    archive: ArchiveLike,
    rate: float,
) -> _Target:
    """Return where frames of one sequence go to."""
    titles = {title_of(name) for name in selected}
    if len(titles) != 1 or format not in (None, "glb") or not rate > 0:
        raise MeshsetError("an animation is a GLB file of the frames of one sequence, such as walk, at a rate above 0")
    if not isinstance(output, (str, os.PathLike)):
        raise MeshsetError("an animation is written to a folder or a file, not to a file object")
    path = Path(output)
    if path.suffix.lower() != ".glb" or path.is_dir():
        folder = _Folder(path, "glb", force, archive)
        path = folder.reserved(f"{titles.pop()}.glb")
    require_apart(path, [archive])
    return _Film(path, force, rate)


def _require_one(selected: Sequence[str], where: str) -> None:
    if len(selected) != 1:
        raise MeshsetError(f"{where} takes one mesh, not {len(selected)}: name one, or a folder to write to")


class _Stream(_Target):
    """A binary file object, for one mesh."""

    label = "-"

    def __init__(self, file: BinaryIO, format: MeshFormat) -> None:
        self._file, self.format = file, format
        self.written: list[Path] = []

    def put(self, name: str, mesh: Mesh) -> None:
        self._file.write(encode_mesh(mesh, self.format))


class _File(_Target):
    """One file, for one mesh."""

    def __init__(self, path: Path, format: MeshFormat, force: bool) -> None:
        if os.path.lexists(path) and not force:
            raise MeshFileError(f"{path}: exists already")
        self.label, self._path, self.format = str(path), path, format
        self.written: list[Path] = []

    def put(self, name: str, mesh: Mesh) -> None:
        write_mesh(mesh, self._path)
        self.written.append(self._path)


class _Film(_File):
    """One file, for all meshes as frames."""

    def __init__(self, path: Path, force: bool, rate: float) -> None:
        super().__init__(path, "glb", force)
        self._rate = rate
        self._frames: list[Mesh] = []

    def put(self, name: str, mesh: Mesh) -> None:
        """Keep a frame for later."""
        self._frames.append(mesh)

    def close(self) -> None:
        """Write the file, if there are frames."""
        if self._frames:
            write_animation(self._frames, self._path, self._rate)
            self.written.append(self._path)


class _Folder(_Target):
    """A folder, with a file for each mesh."""

    def __init__(self, root: Path, format: MeshFormat, force: bool, archive: ArchiveLike) -> None:
        self.label, self._root = str(root), root
        self.format, self._force, self._archive = format, force, archive
        self.written: list[Path] = []
        self._identities: dict[tuple[int, int], Path] = {}
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MeshFileError(f"{root}: folder cannot be made ({error.strerror})") from None

    def put(self, name: str, mesh: Mesh) -> None:
        file = self.reserved(f"{name}.{self.format}")
        write_mesh(mesh, file)
        self.written.append(file)
        self._identities[_identity(file)] = file

    def reserved(self, relative: str) -> Path:
        """Return the path for a file below the folder, its parents made. Raises MeshFileError if it must not be."""
        file = self._root / relative
        try:
            self._require_inside(file)
            file.parent.mkdir(parents=True, exist_ok=True)
            taken = os.path.lexists(file)
            former = self._identities.get(_identity(file)) if taken else None
        except OSError as error:
            raise MeshFileError(f"{file}: cannot be written ({error.strerror})") from None
        if former:
            raise MeshFileError(f"{file}: not written, on this file system it is the same file as {former}")
        if same_file(file, self._archive):
            raise MeshFileError(f"{file}: not written, it is the archive itself")
        if taken and not self._force:
            raise MeshFileError(f"{file}: exists already")
        return file

    def _require_inside(self, file: Path) -> None:
        """Raise MeshFileError if a link leads out of the folder, before anything is made behind it."""
        there = next(parent for parent in file.parents if os.path.lexists(parent))
        if not there.resolve().is_relative_to(self._root.resolve()):
            raise MeshFileError(f"{file}: not written, a link leads out of the folder")


def _identity(file: Path) -> tuple[int, int]:
    status = file.lstat()
    return status.st_dev, status.st_ino
