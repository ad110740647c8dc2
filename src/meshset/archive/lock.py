"""A lock that keeps two writers of one archive apart and never touches readers.

The operating system holds it on the archive itself, so there is no second file to clean up, and it ends with the
process that holds it, however that process ends.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from meshset.errors import ArchiveError

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 40
    """Windows keeps readers from locked bytes too: this one lies behind the end of every archive."""

    def take(descriptor: int) -> None:
        """Lock an open file until it is closed. Raises OSError if another one has the lock, or there are no locks."""
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def take(descriptor: int) -> None:
        """Lock an open file until it is closed. Raises OSError if another one has the lock, or there are no locks."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_HELD = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}
_TRIES = 10


class WriteLock:
    """The right to write to a file that exists.

    Where a file system has no locks, there is none.

    Args:
        path: the file; symbolic links must be resolved.

    Raises:
        ArchiveError: another process holds the lock.
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        for _ in range(_TRIES):
            self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            try:
                self._lock()
                if is_current(self._descriptor, path):
                    return
            except BaseException:
                self.release()
                raise
            # Between opening and locking, another process put a new file in place of this one.
            self.release()
        raise ArchiveError("is replaced again and again by other processes")

    def release(self) -> None:
        """Let others write. May be called again."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1

    def _lock(self) -> None:
        try:
            take(self._descriptor)
        except OSError as error:
            if error.errno in _HELD:
                raise ArchiveError("another process is writing to it; try again when that has ended") from None


def is_current(descriptor: int, path: Path) -> bool:
    """Return whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
