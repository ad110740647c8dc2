"""Writing an archive: whole under its final name, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from meshset.archive.chunks import ChunkWriter
from meshset.archive.layout import pack_header
from meshset.archive.lock import WriteLock
from meshset.archive.names import label, naming
from meshset.archive.temporary import make_temporary, publish, remove_leftovers
from meshset.errors import ArchiveError


class ArchiveWriter(ChunkWriter):
    """An archive that is being made.

    Everything goes to a temporary file in the same folder; `finish` gives it the final name. Leaving the
    `with` block without `finish`, by an exception or not, removes the temporary file and leaves an older
    archive as it was.

    Args:
        path: the file to make.
        overwrite: whether a file of that name may be replaced; it is locked against other writers until then.

    Raises:
        ArchiveError: here if the folder is missing or not writable, the file exists already, or another process
            is writing to it; from every method if a value breaks a rule of the format or the disk refuses.
    """

    def __init__(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        super().__init__(path)
        self._overwrite = overwrite
        self._lock: WriteLock | None = None
        with naming(self._label):
            self._check_target()
            self._take_lock()
        try:
            with naming(f"folder {label(self._target.parent)}"):
                self._file, self._temporary = make_temporary(self._target.parent)
        except BaseException:
            self._release_lock()
            raise
        self._open = True
        self._write(pack_header())

    def finish(self, settings: dict[str, Any]) -> None:
        """Write the index and give the archive its final name; `settings` as `ChunkWriter.finish` has them."""
        try:
            self._write(self._write_index(settings))
            with naming(self._label):
                self._publish()
        finally:
            self.discard()
        self.leftovers = remove_leftovers(self._target.parent)

    def discard(self) -> None:
        """Remove what was written, unless `finish` has given it its final name. May be called again."""
        if self._open:
            self._open = False
            with suppress(OSError):
                self._file.close()
            with suppress(FileNotFoundError):
                self._temporary.unlink()
        self._release_lock()

    def _check_target(self) -> None:
        if not self._target.parent.is_dir():
            raise ArchiveError(f"there is no folder {label(self._target.parent)}")
        if self._target.is_dir():
            raise ArchiveError("is a folder")
        if self._target.exists() and not self._overwrite:
            raise ArchiveError("exists already")

    def _take_lock(self) -> None:
        """Lock the file that will be replaced, if there is one."""
        if self._lock is None:
            with suppress(FileNotFoundError):
                self._lock = WriteLock(self._target)

    def _release_lock(self) -> None:
        if self._lock:
            self._lock.release()

    def _publish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        # Hours may have passed since the first look.
        self._check_target()
        self._take_lock()
        publish(self._file, self._temporary, self._target, self._release_lock)
