"""Writing an archive: whole under its final name, or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import google_crc32c

from meshset.archive.boxes import to_float32
from meshset.archive.entries import (
    MAX_SHARED,
    MEBIBYTE,
    Corner,
    MeshEntry,
    SharedEntry,
    check_mesh,
    check_shared,
)
from meshset.archive.index import Index, pack_index
from meshset.archive.layout import Trailer, index_checksum, pack_header, pack_trailer
from meshset.archive.names import label, naming
from meshset.errors import ArchiveError


class ArchiveWriter:
    """An archive that is being made.

    Everything goes to a temporary file in the same folder; `finish` gives it the final name. Leaving the
    `with` block without `finish`, by an exception or not, removes the temporary file and leaves an older
    archive as it was.

    Args:
        path: the file to make.
        overwrite: whether a file of that name may be replaced.

    Raises:
        ArchiveError: here if the folder is missing or not writable or the file exists already; from every
            method if a value breaks a rule of the format or the disk refuses.
    """

    def __init__(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        self._label = label(path)
        # A symbolic link stays one: what it points to is replaced.
        self._target = Path(os.path.realpath(path))
        self._overwrite = overwrite
        self._shared: list[SharedEntry] = []
        self._meshes: dict[str, MeshEntry] = {}
        self._position = 0
        with naming(self._label):
            self._check_target()
        folder = self._target.parent
        self._temporary = folder / f".meshset-{secrets.token_hex(8)}.tmp"
        with naming(f"folder {label(folder)}"):
            self._file = self._temporary.open("xb")
        self._open = True
        self._write(pack_header())

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def add_shared(self, codec_id: int, data: bytes) -> int:
        """Store a part that many meshes need and return its number."""
        entry = SharedEntry(codec_id, self._position, len(data), google_crc32c.value(data))
        with naming(self._label):
            check_shared(entry)
            if len(self._shared) == MAX_SHARED:
                raise ArchiveError(f"cannot hold more than {MAX_SHARED} shared parts")
        self._write(data)
        self._shared.append(entry)
        return len(self._shared) - 1

    def add_mesh(
        self,
        name: str,
        payload: bytes,
        *,
        codec_id: int,
        shared: int | None,
        lower: Iterable[float],
        upper: Iterable[float],
        vertices: int,
        faces: int,
        source_vertices: int,
        source_faces: int,
        source_bytes: int,
        mean_distance: float | None = None,
        max_distance: float | None = None,
        peak_memory: int = 0,
        notes: Iterable[str] = (),
    ) -> MeshEntry:
        """Store one mesh and return its entry; the arguments are those of `MeshEntry`.

        Distances are rounded to float32 and `peak_memory`, in bytes, up to whole MiB, as the index has them.
        """
        entry = MeshEntry(
            name=name,
            codec_id=codec_id,
            shared=shared,
            offset=0,
            length=0,
            crc32c=0,
            lower=_corner(lower),
            upper=_corner(upper),
            vertices=vertices,
            faces=faces,
            source_vertices=source_vertices,
            source_faces=source_faces,
            source_bytes=source_bytes,
            mean_distance=_distance(mean_distance),
            max_distance=_distance(max_distance),
            peak_memory=-(-peak_memory // MEBIBYTE) * MEBIBYTE,
            notes=tuple(notes),
        )
        return self.copy_mesh(entry, payload, shared)

    def copy_mesh(self, entry: MeshEntry, payload: bytes, shared: int | None) -> MeshEntry:
        """Store a mesh of another archive under the same name and return its entry here.

        Args:
            entry: what the other archive says about the mesh.
            payload: its bytes.
            shared: number in this archive of the shared part that it needs, or None.
        """
        crc32c = google_crc32c.value(payload)
        entry = replace(entry, shared=shared, offset=self._position, length=len(payload), crc32c=crc32c)
        with naming(self._label):
            check_mesh(entry, len(self._shared))
            if entry.name in self._meshes:
                raise ArchiveError(f"mesh '{entry.name}' is there twice")
        self._write(payload)
        self._meshes[entry.name] = entry
        return entry

    def finish(self, settings: dict[str, Any]) -> None:
        """Write the index and give the archive its final name.

        Args:
            settings: what the archive was made with; JSON values only, at most 1 MiB as JSON.
        """
        try:
            with naming(self._label):
                stored, raw_length = pack_index(Index(settings, tuple(self._shared), tuple(self._meshes.values())))
            start, end = self._position, self._position + len(stored)
            checksum = index_checksum(pack_header(), stored)
            self._write(stored)
            self._write(pack_trailer(Trailer(start, len(stored), raw_length, checksum, end)))
            with naming(self._label):
                self._publish()
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what was written, unless `finish` has given it its final name. May be called again."""
        if self._open:
            self._open = False
            with suppress(OSError):
                self._file.close()
            with suppress(FileNotFoundError):
                self._temporary.unlink()

    def _check_target(self) -> None:
        if not self._target.parent.is_dir():
            raise ArchiveError(f"there is no folder {label(self._target.parent)}")
        if self._target.is_dir():
            raise ArchiveError("is a folder")
        if self._target.exists() and not self._overwrite:
            raise ArchiveError("exists already")

    def _write(self, data: bytes) -> None:
        if not self._open:
            raise ArchiveError(f"{self._label}: is closed, nothing can be written to it")
        try:
            with naming(self._label):
                self._file.write(data)
        except BaseException:
            # Part of it may have been written, so no later position could be trusted.
            self.discard()
            raise
        self._position += len(data)

    def _publish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        # Hours may have passed since the first look.
        self._check_target()
        self._temporary.replace(self._target)
        _sync_folder(self._target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power failure, where the system can do that for a folder."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with suppress(OSError):  # some network file systems refuse; the archive is whole all the same
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _corner(values: Iterable[float]) -> Corner:
    x, y, z = map(float, values)
    return x, y, z


def _distance(value: float | None) -> float | None:
    return None if value is None else to_float32(value)
