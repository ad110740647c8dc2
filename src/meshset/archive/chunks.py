"""What all writers of archives have in common: chunks go to a file, and their entries into an index."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

import google_crc32c

from meshset.archive.distances import round_distance
from meshset.archive.entries import (
    MAX_SHARED,
    MEBIBYTE,
    Corner,
    MeshEntry,
    Rung,
    SharedEntry,
    check_mesh,
    check_shared,
    to_float32,
)
from meshset.archive.index import Index, pack_index
from meshset.archive.layout import pack_tail
from meshset.archive.names import label, naming
from meshset.errors import ArchiveError

_Self = TypeVar("_Self", bound="ChunkWriter")


class ChunkWriter(ABC):
    """An open file that chunks are written to, and what the index will say about them.

    Leaving the `with` block without `finish`, by an exception or not, undoes everything.

    Attributes:
        leftovers: how many temporary files of killed processes `finish` found beside the archive and removed.

    Args:
        path: the archive.
    """

    leftovers: int
    _file: BinaryIO

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._label = label(path)
        # A symbolic link stays one: what it points to is written.
        self._target = Path(os.path.realpath(path))
        self._shared: list[SharedEntry] = []
        self._meshes: dict[str, MeshEntry] = {}
        self._position = 0
        self._open = False
        self.leftovers = 0

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    @abstractmethod
    def finish(self, settings: dict[str, Any]) -> None:
        """Make everything that was written part of the archive, at once.

        Args:
            settings: what the archive was made with; JSON values only, at most 1 MiB as JSON.
        """

    @abstractmethod
    def discard(self) -> None:
        """Undo what was written, unless `finish` has ended. May be called again."""

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
        rung: Rung | None = None,
        bound: float | None = None,
        generation: int = 0,
        less_exact: bool = False,
        open_edges: int = 0,
    ) -> MeshEntry:
        """Store one mesh and return its entry; the arguments are those of `MeshEntry`.

        As the index has them, distances are rounded up to 12 significant bits, `peak_memory`, in bytes, up to whole
        MiB, and `bound` to float32.
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
            mean_distance=mean_distance,
            max_distance=max_distance,
            peak_memory=-(-peak_memory // MEBIBYTE) * MEBIBYTE,
            notes=tuple(notes),
            rung=rung,
            bound=bound,
            generation=generation,
            less_exact=less_exact,
            open_edges=open_edges,
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
        entry = replace(as_stored(entry), shared=shared, offset=self._position, length=len(payload), crc32c=crc32c)
        with naming(self._label):
            check_mesh(entry, len(self._shared))
            if entry.name in self._meshes:
                raise ArchiveError(f"mesh '{entry.name}' is there twice")
        self._write(payload)
        self._meshes[entry.name] = entry
        return entry

    def _write_index(self, settings: dict[str, Any]) -> bytes:
        """Write the index and return the trailer that belongs behind it, with a copy of both in a large archive."""
        with naming(self._label):
            stored, raw_length = pack_index(Index(settings, tuple(self._shared), tuple(self._meshes.values())))
        stored, rest = pack_tail(self._position, stored, raw_length)
        self._write(stored)
        return rest

    def _write(self, data: bytes) -> None:
        if not self._open:
            raise ArchiveError(f"{self._label}: is closed, nothing can be written to it")
        try:
            with naming(self._label):
                left = memoryview(data)
                while left:
                    # An unbuffered file may take less than it was given.
                    left = left[self._file.write(left) :]
        except BaseException:
            # Part of it may have been written, so no later position could be trusted.
            self.discard()
            raise
        self._position += len(data)


def _corner(values: Iterable[float]) -> Corner:
    x, y, z = map(float, values)
    return x, y, z


def as_stored(entry: MeshEntry) -> MeshEntry:
    """Return an entry with its figures rounded as the index holds them."""
    return replace(
        entry,
        mean_distance=_rounded_up(entry.mean_distance),
        max_distance=_rounded_up(entry.max_distance),
        bound=None if entry.bound is None else to_float32(entry.bound),
    )


def _rounded_up(distance: float | None) -> float | None:
    if distance is None or not 0 <= distance < math.inf:
        return distance  # which is refused
    return round_distance(distance)
