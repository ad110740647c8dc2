"""Where the bytes of an archive come from: files and buffers, read by position.

A read never moves a cursor that another one depends on, so that threads and forked processes may share a source.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Protocol, runtime_checkable
from weakref import finalize

from meshset.archive.names import label


class ShrunkError(OSError):
    """There are fewer bytes than there were a moment ago."""

    def __init__(self) -> None:
        super().__init__("became shorter while it was read")


@runtime_checkable
class ByteSource(Protocol):
    """Bytes that can be read from any position, by several threads at once.

    A source that can be pickled gives, in another process, the same bytes. Every method raises OSError where the bytes
    cannot be had.

    Attributes:
        label: what messages call it.
    """

    label: str

    def size(self) -> int:
        """Return how many bytes there are now."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset` on. Raises `ShrunkError` if there are fewer."""
        ...

    def close(self) -> None:
        """Let go of what was opened here."""
        ...


class LocalSource:
    """A file of this machine, opened anew where it is unpickled, or a binary file object that someone else has opened.

    Args:
        source: path of the file, or an object that can seek, which stays open on `close`; of those a buffer in memory
            can be pickled, with all its bytes.
    """

    def __init__(self, source: str | os.PathLike[str] | BinaryIO) -> None:
        self._path: str | None = None
        if isinstance(source, (str, os.PathLike)):
            self.label = label(source)
            self._path = str(Path(source).absolute())  # what unpickles it may run in another folder
            self._file: BinaryIO | io.FileIO = io.FileIO(source)
            # Data sets are seldom closed; the file goes with its last reader, without a warning.
            finalize(self, self._file.close)
        else:
            self.label = label(str(getattr(source, "name", "archive")))
            self._file = source
        self._descriptor = _descriptor(self._file)
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        if self._path is not None:
            return LocalSource, (self._path,)
        if not isinstance(self._file, io.BytesIO):
            raise TypeError(f"{self.label}: an archive over an open file cannot be pickled; open it by its path")
        return LocalSource, (self._file,)

    def size(self) -> int:
        if self._descriptor is not None:
            return os.fstat(self._descriptor).st_size
        with self._lock:
            return self._file.seek(0, os.SEEK_END)

    def read_at(self, offset: int, length: int) -> bytes:
        pieces = []
        while length > 0:
            piece = self._piece(offset, length)
            if not piece:
                raise ShrunkError
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        if self._path is not None:
            self._file.close()
            self._descriptor = None  # the number may belong to another file from now on

    def _piece(self, offset: int, length: int) -> bytes:
        """Return some of the bytes, which may be fewer than were asked for."""
        if self._descriptor is not None:
            return os.pread(self._descriptor, length, offset)
        with self._lock:
            self._file.seek(offset)
            return self._file.read(length)


def _descriptor(file: BinaryIO | io.FileIO) -> int | None:
    """Return the number of a plain file, from which the system reads by position; None for other objects."""
    raw = file.raw if isinstance(file, io.BufferedReader) else file
    return raw.fileno() if type(raw) is io.FileIO and hasattr(os, "pread") else None
