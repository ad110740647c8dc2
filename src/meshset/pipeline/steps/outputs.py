"""What a command may write over: never what it reads, and an archive only over an archive."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from meshset.archive.names import label
from meshset.archive.recognise import is_archive
from meshset.errors import UsageError


def same_file(one: object, other: object) -> bool:
    """Return whether two paths lead to one file, through links too; False where either is no path or leads nowhere."""
    if not (isinstance(one, (str, os.PathLike)) and isinstance(other, (str, os.PathLike))):
        return False
    try:
        return Path(one).samefile(other)
    except OSError:
        return False


def require_apart(output: str | os.PathLike[str], inputs: Iterable[object]) -> None:
    """Raise UsageError if `output` is one of `inputs`, of which those that are no paths do not matter."""
    if os.path.lexists(output) and any(same_file(output, one) for one in inputs):
        raise UsageError(f"{label(output)}: is one of the inputs, which writing it would destroy; choose another name")


def require_replaceable(output: str | os.PathLike[str], force: bool) -> None:
    """Raise UsageError if an archive shall replace a file that is none: it may be the only copy of something else.

    Whether there may be an archive already is up to `ArchiveWriter`, and so is what happens without `force`.
    """
    if force and Path(output).exists() and not Path(output).is_dir() and not is_archive(output):
        raise UsageError(f"{label(output)}: exists and is no archive, so it is not replaced; choose another name")
