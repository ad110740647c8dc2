"""Changing an archive: a reader at any moment sees the old set or the new one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, cast

from meshset.archive.chunks import ChunkWriter, as_stored
from meshset.archive.entries import MeshEntry, SharedEntry
from meshset.archive.layout import MAJOR, MINOR, TRAILER_SIZE, pack_header
from meshset.archive.lock import WriteLock
from meshset.archive.names import ByName, label, naming, shown
from meshset.archive.reader import ArchiveReader
from meshset.archive.temporary import make_temporary, publish, remove_leftovers
from meshset.errors import ArchiveError


class ArchiveEditor(ChunkWriter):
    """An archive that is being changed.

    New chunks, a whole new index and a trailer go behind the end of the file; no byte that is there already
    changes. The set changes when the last byte of the first trailer is written, by `finish`. Leaving the `with` block
    before that cuts the file back to its former length; a process that is killed leaves bytes that readers skip.

    An archive of version 1.0 is copied into a file of this version beside it, which takes its name in `finish`.

    Other writers are kept out from here until `finish` or `discard`.

    Attributes:
        settings: what the archive was made with.
        torn_bytes: bytes that an interrupted append has left behind the set; they stay where they are.

    Args:
        path: the archive.

    Raises:
        ArchiveError: here if the file is no archive, was made by a newer program, or another process is writing to
            it; from every method if a value breaks a rule of the format or the disk refuses.
    """

    settings: dict[str, Any]
    torn_bytes: int

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path)
        with naming(self._label):
            self._lock = WriteLock(self._target)
        self._temporary: Path | None = None
        try:
            with ArchiveReader(path) as reader:
                self._load(reader)
        except BaseException:
            self.discard()
            raise

    @property
    def entries(self) -> Mapping[str, MeshEntry]:
        """The meshes by name, as they would be now."""
        return ByName(self._meshes)

    @property
    def shared(self) -> tuple[SharedEntry, ...]:
        """The shared parts by number, as they will be."""
        return tuple(self._shared)

    def remove(self, name: str) -> None:
        """Take a mesh out of the set; its bytes stay in the file. Raises ArchiveError for an unknown name."""
        if self._meshes.pop(name, None) is None:
            raise ArchiveError(f"{self._label}: holds no mesh named {shown(name)}")

    def finish(self, settings: dict[str, Any]) -> None:
        """Write the index, sync it to disk, then write the trailer; `settings` as `ChunkWriter.finish` has them."""
        try:
            rest = self._write_index(settings)
            with naming(self._label):
                os.fsync(self._file.fileno())
            self._end = self._position + TRAILER_SIZE
            self._write(rest)
            with naming(self._label):
                os.fsync(self._file.fileno())
                if self._temporary:
                    publish(self._file, self._temporary, self._target, self._lock.release)
        finally:
            self.discard()
        self.leftovers = remove_leftovers(self._target.parent)

    def discard(self) -> None:
        """Undo what was written, unless the new set is there already. May be called again."""
        if self._open:
            self._open = False
            # Readers may have seen a whole trailer: then this is the set, whatever went wrong afterwards.
            with suppress(OSError):
                if not self._temporary and os.fstat(self._file.fileno()).st_size < self._end:
                    self._file.truncate(self._size)
            with suppress(OSError):
                self._file.close()
            if self._temporary:
                with suppress(FileNotFoundError):
                    self._temporary.unlink()
        self._lock.release()

    def _load(self, reader: ArchiveReader) -> None:
        if reader.version > (MAJOR, MINOR):
            # Its index may hold fields that would be lost.
            version = "{}.{}".format(*reader.version)
            raise ArchiveError(f"{self._label}: has the newer format version {version}: upgrade meshset to change it")
        self.settings, self.torn_bytes = reader.settings, reader.torn_bytes
        self._shared, self._meshes = list(reader.shared), dict(reader.entries)
        self._size, self._end = reader.size, 1 << 63
        if not reader.compact:
            self._begin_anew(reader)
            return
        with naming(self._label):
            # Unbuffered: nothing may be left to write when the file is cut back.
            self._file = cast(BinaryIO, FileIO(self._target, "r+"))
            self._file.seek(reader.size)
        self._position, self._open = reader.size, True

    def _begin_anew(self, reader: ArchiveReader) -> None:
        """Copy all chunks, damaged ones too, into a new file."""
        with naming(f"folder {label(self._target.parent)}"):
            self._file, self._temporary = make_temporary(self._target.parent)
        self._open = True
        self._write(pack_header())
        for number, part in enumerate(reader.shared):
            self._shared[number] = replace(part, offset=self._position)
            self._write(reader.read_unchecked(part))
        for name, entry in reader.entries.items():
            self._meshes[name] = replace(as_stored(entry), offset=self._position)
            self._write(reader.read_unchecked(entry))
