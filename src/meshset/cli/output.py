"""What commands print: results on stdout, errors in one line each on stderr."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from meshset.cli.signals import exit_code
from meshset.errors import MeshsetError, UsageError
from meshset.pipeline.steps.failures import Failure, NoMeshError, in_short
from meshset.text import printable

SOME_LEFT_OUT, WRONG_USAGE, NOTHING_DONE = 1, 2, 3
"""Exit codes, beside 0 for all."""

EXIT_CODES = (
    "Exit codes: 0 all is done; 1 some meshes were left out or are damaged; 2 wrong usage; 3 nothing was done. An "
    "interrupted command exits with 128 plus the number of the signal."
)


def say(text: str) -> None:
    """Print one result, already printable, on stdout."""
    sys.stdout.write(text + "\n")


def terminal_columns() -> int | None:
    """Return the width of the terminal that stdout is, None if it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def say_json(value: Any) -> None:
    """Print a JSON value on stdout; ASCII only, so that no name can reach the terminal unescaped."""
    say(json.dumps(value, indent=2))


def hint(text: str) -> None:
    """Print one line for the user on stderr."""
    sys.stderr.write(printable(text) + "\n")


def error(message: str) -> None:
    """Print one error line on stderr."""
    hint(f"meshset: error: {message}")


def finish(failures: Iterable[Failure | str], nothing: bool = False) -> None:
    """List the failures, and leave if there are any.

    Args:
        nothing: whether the failures are all there is.
    """
    failures = list(failures)
    for failure in failures:
        error(str(failure))
    if failures:
        raise typer.Exit(NOTHING_DONE if nothing else SOME_LEFT_OUT)


@contextmanager
def guarded(interrupted: str = "interrupted") -> Iterator[None]:
    """Turn the errors of a command into one line and an exit code.

    Args:
        interrupted: what to say after Ctrl-C and SIGTERM.
    """
    _accept_all_characters()
    try:
        yield
        sys.stdout.flush()
    except NoMeshError as nothing:
        for line in in_short(nothing.failures):
            error(line)
        _fail(str(nothing))
    except UsageError as wrong:
        _fail(str(wrong), WRONG_USAGE)
    except MeshsetError as known:
        _fail(str(known))
    except MemoryError:
        _fail("not enough memory")
    except KeyboardInterrupt as stopped:
        hint(f"meshset: {interrupted}")
        raise typer.Exit(exit_code(stopped)) from None
    except OSError as broken:
        _close_stdout()
        # A reader such as `head` that has seen enough is no error.
        if broken.errno == errno.EPIPE:
            raise typer.Exit(SOME_LEFT_OUT) from None
        _fail(f"{broken.filename or 'standard output'}: {broken.strerror or broken}")


def _fail(message: str, code: int = NOTHING_DONE) -> None:
    error(message)
    raise typer.Exit(code)


def _accept_all_characters() -> None:
    """Escape what the terminal's encoding lacks instead of stopping there."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _close_stdout() -> None:
    """Send the rest of stdout nowhere, so that Python does not complain about it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
