"""Archives on the web: only the end of the file, the shared part and the chunk of each mesh that is asked for travel.

Any URL that fsspec understands will do, such as https://, s3:// or hf://; the extra 'remote' installs what http needs.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import Any, BinaryIO, TypeAlias

from meshset.archive import ArchiveReader
from meshset.archive.names import label
from meshset.errors import MissingExtraError

ArchiveLike: TypeAlias = str | os.PathLike[str] | BinaryIO
"""What an archive is opened from: a path, a URL, or a binary file that can seek."""

LEAST_TAIL, MOST_TAIL = 1 << 16, 1 << 20
"""Bytes at the end that are fetched at once: a tenth of the file within these limits holds most indices, and a round
trip takes as long as many kilobytes."""


def is_url(source: object) -> bool:
    """Return whether `source` is a URL and not a path.

    >>> is_url("https://example.org/models.mset"), is_url("models.mset")
    (True, False)
    """
    return isinstance(source, str) and "://" in source


def open_reader(source: ArchiveLike) -> ArchiveReader:
    """Open an archive by its path, by its URL, or over a binary file that can seek.

    Raises:
        ArchiveError: it cannot be read, is damaged, or needs a newer program.
        MissingExtraError: it is a URL, and what its protocol needs is not installed.
    """
    return ArchiveReader(RemoteSource(source) if isinstance(source, str) and is_url(source) else source)


class RemoteSource:
    """The bytes behind a URL, a `meshset.archive.sources.ByteSource`.

    Connections are made when they are first needed, in each process anew.

    Args:
        url: with a protocol that fsspec knows.
    """

    def __init__(self, url: str) -> None:
        self.label = label(url)
        self._url = url
        self._size: int | None = None
        self._tail = b""
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._url, self._size, self._tail)

    def size(self) -> int:
        """Return the size that the server states, asked for once."""
        if self._size is None:
            files, path = _file_system(self._url)
            info = _asked(lambda: files.info(path))
            if info.get("partial") is False:
                raise OSError("the server does not send parts of files, which reading from the web needs")
            if info.get("size") is None:
                raise OSError("the server does not say how large the file is")
            self._size = int(info["size"])
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes; the end of the file is fetched once and kept."""
        size = self.size()
        tail = size - min(size, max(LEAST_TAIL, min(size // 10, MOST_TAIL)))
        if offset < tail:
            return self._fetch(offset, length)
        with self._lock:
            self._tail = self._tail or self._fetch(tail, size - tail)
        return self._tail[offset - tail : offset - tail + length]

    def close(self) -> None:
        """Do nothing: fsspec keeps connections for whoever needs them next."""

    def _fetch(self, offset: int, length: int) -> bytes:
        files, path = _file_system(self._url)
        data: bytes = _asked(lambda: files.cat_file(path, start=offset, end=offset + length))
        if len(data) == length:
            return data
        if len(data) == self.size():
            raise OSError("the server does not send parts of files, which reading from the web needs")
        raise OSError(f"the server sent {len(data):,} bytes where {length:,} were asked for")


def _restored(url: str, size: int | None, tail: bytes) -> RemoteSource:
    source = RemoteSource(url)
    source._size, source._tail = size, tail
    return source


def _file_system(url: str) -> tuple[Any, str]:
    """Return what fsspec reads a URL with, and the path that it takes; it keeps its objects, one set a process."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtraError("reading from the web", "remote") from error
    # Compressed on the way, a part of a file would be of another length.
    options = {"headers": {"Accept-Encoding": "identity"}} if url.startswith(("http://", "https://")) else {}
    try:
        files, path = url_to_fs(url, **options)
    except ImportError as error:
        if options:
            raise MissingExtraError("reading from the web", "remote") from error
        raise OSError(str(error)) from None  # such as "Install s3fs to access S3"
    except ValueError as error:
        raise OSError(str(error)) from None
    return files, path


def _asked(question: Any) -> Any:
    """Return what a server answers; raise OSError, with a reason for people, where it does not."""
    try:
        return question()
    except Exception as error:
        raise OSError(_reason(error)) from error


def _reason(error: BaseException) -> str:
    """Return in one line what went wrong; fsspec calls everything a missing file, and has the cause beside it."""
    cause = error.__cause__ or error
    status = getattr(cause, "status", None)
    if status is not None:
        return f"the server answered {status} {getattr(cause, 'message', '')}".rstrip()
    if isinstance(cause, FileNotFoundError):
        return "no such file on the server"
    if isinstance(cause, OSError) and not isinstance(cause, TimeoutError):
        return f"the server cannot be reached ({cause.strerror or cause})"
    return f"cannot be read from the web ({' '.join(str(cause).split()) or type(cause).__name__})"
