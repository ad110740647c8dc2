"""Temporary files of archives, and what killed processes left of them.

A process locks its temporary file for as long as it works on it, so a file that can be locked belongs to nobody: no
process number, which another computer or container may use as well, and no age, which hours of training exceed.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from meshset.archive.lock import is_current, take
from meshset.errors import ArchiveError

_PATTERN = ".meshset-*.tmp"
_TRIES = 10


def make_temporary(folder: Path) -> tuple[BinaryIO, Path]:
    """Return a new file that is locked until it is closed, and its path.

    Raises:
        OSError: the folder cannot be written to.
    """
    for _ in range(_TRIES):
        path = folder / _PATTERN.replace("*", secrets.token_hex(8))
        file = path.open("xb")
        with suppress(OSError):  # held for a moment by a process that looks for leftovers, or no locks here
            take(file.fileno())
        file.seek(0)  # Windows locks a place in the file, and stays there
        # Before it was locked, that process may have taken it for a leftover.
        if is_current(file.fileno(), path):
            return file, path
        file.close()
    raise ArchiveError("other processes remove new files again and again")


def publish(file: BinaryIO, temporary: Path, target: Path, release_lock: Callable[[], None]) -> None:
    """Give a finished temporary file its final name, in the place of an older file of that name.

    Args:
        file: the temporary file, open.
        temporary: its path.
        target: its final path.
        release_lock: gives back the lock on an older file; called where the system requires it.

    Raises:
        OSError: the disk refuses.
    """
    if sys.platform == "win32":  # which neither renames nor replaces open files
        file.close()
        release_lock()
    temporary.replace(target)
    _sync_folder(target.parent)


def remove_leftovers(folder: Path) -> int:
    """Remove the temporary files that nobody works on any more, and return how many there were.

    Where a file system has no locks, and on Windows, which removes no open file, all of them stay.
    """
    with suppress(OSError):
        return sum(map(_removed, folder.glob(_PATTERN)))
    return 0


def _removed(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    try:
        take(descriptor)
        path.unlink()
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


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
