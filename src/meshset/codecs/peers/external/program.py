"""Finding and running programs of others."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
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


@dataclass(frozen=True)
class Finished:
    """A program that ended well.

    Attributes:
        printed: all that it wrote to its standard output.
        seconds: wall-clock time from its start to its end.
    """

    printed: str
    seconds: float


def find_program(name: str, executable: str, arguments: Sequence[str], version: re.Pattern[str]) -> Program | NotRun:
    """Return a program on the PATH, or why there are no figures for it.

    Args:
        name: of the peer, in tables.
        executable: its file name.
        arguments: with which it prints its version.
        version: finds that in what is printed, as its first group.
    """
    found = shutil.which(executable)
    if found is None:
        return NotRun(name, f"there is no {executable} on the PATH")
    return identify(name, Path(found).absolute(), arguments, version)


def identify(name: str, path: Path, arguments: Sequence[str], version: re.Pattern[str]) -> Program | NotRun:
    """Return a file as a program, or why it is not the one that it is named after; arguments as in `find_program`."""
    try:
        done = _finished(path, arguments, Path.cwd())
    except ExternalError as error:
        return NotRun(name, str(error))
    # Whatever code it ends with: some call their own help an error.
    found = version.search(done.stdout + done.stderr)
    if found is None:
        return NotRun(name, f"{path} does not say that it is {path.name}")
    return Program(path, found[1])


def run_program(path: Path, arguments: Sequence[str], folder: Path) -> Finished:
    """Run a program in `folder`.

    Raises:
        ExternalError: it cannot be started, takes longer than ten minutes, or ends with an error.
    """
    started = time.perf_counter()
    done = _finished(path, arguments, folder)
    seconds = time.perf_counter() - started
    if done.returncode:
        reason = _reason(done.stderr) or _reason(done.stdout)
        raise ExternalError(f"{path}: failed with code {done.returncode}{reason and f': {reason}'}")
    return Finished(done.stdout, seconds)


def _reason(printed: str) -> str:
    """Return the last line that speaks of an error, or else the last line: V-PCC says more after its errors."""
    lines = printed.strip().splitlines()
    return next((line.strip() for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "")


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
