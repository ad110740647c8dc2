"""Finding and running programs of others."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from meshset.errors import MeshsetError

MOST_SECONDS = 600.0
"""A program that takes longer for one mesh is ended."""


class ExternalError(MeshsetError):
    """A program that failed, took too long, or wrote something else than was expected."""


@dataclass(frozen=True)
class NotRun:
    """A peer that has no figures here, and why; it is reported as this and never as a number.

    Attributes:
        name: what it is called in tables.
        reason: one line.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Program:
    """A program that is installed.

    Attributes:
        path: its file.
        version: what it says of itself.
    """

    path: Path
    version: str


def find_executable(name: str) -> Path | None:
    """Return the file of a program on the PATH, or None."""
    found = shutil.which(name)
    return None if found is None else Path(found)


def printed_by(path: Path, arguments: Sequence[str]) -> str:
    """Return what a program prints on either stream, whatever code it ends with: some call their own help an error.

    Raises:
        ExternalError: it cannot be started or takes longer than ten minutes.
    """
    done = _finished(path, arguments, Path.cwd())
    return done.stdout + done.stderr


def run_program(path: Path, arguments: Sequence[str], folder: Path) -> None:
    """Run a program in `folder`.

    Raises:
        ExternalError: it cannot be started, takes longer than ten minutes, or ends with an error.
    """
    done = _finished(path, arguments, folder)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        said = f": {lines[-1]}" if lines else ""
        raise ExternalError(f"{path}: failed with code {done.returncode}{said}")


def _finished(path: Path, arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [path, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MOST_SECONDS,
            check=False,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise ExternalError(f"{path}: cannot be started ({error.strerror})") from None
    except subprocess.TimeoutExpired:
        raise ExternalError(f"{path}: ended after {MOST_SECONDS:.0f} seconds") from None
