"""Progress on stderr: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from meshset.progress import Silent, listening
from meshset.text import duration, printable

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_LINE_EVERY = 10.0
"""Seconds between two lines of one stage; a log of an hour should not have thousands."""


@contextmanager
def showing_progress(quiet: bool = False) -> Iterator[None]:
    """Show on stderr what is reported until the block is left, or nothing of it if `quiet`."""
    if quiet:
        with listening(Silent()):
            yield
    elif sys.stderr.isatty():
        with _bars() as bars, listening(_Bars(bars)):
            yield
    else:
        with listening(Lines(lambda line: print(line, file=sys.stderr, flush=True))):  # noqa: T201
            yield


class Lines:
    """Plain lines: one at the start of each stage, then one every ten seconds with the time left."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._task, self._total, self._done = "", 0, 0
        self._started = self._said = clock()

    def start(self, task: str, total: int) -> None:
        """Say the name and size of the stage."""
        self._task, self._total, self._done = task, total, 0
        self._started = self._said = self._clock()
        self._write(f"{printable(task)}: {total}")

    def advance(self, steps: int = 1, status: str = "") -> None:
        """Say how far the stage is, if the last line is old enough."""
        self._done += steps
        now = self._clock()
        if now - self._said < _LINE_EVERY or self._done <= 0:
            return
        self._said = now
        left = (now - self._started) / self._done * max(0, self._total - self._done)
        parts = [f"{printable(self._task)}: {self._done}/{self._total}", f"{duration(left)} left"]
        self._write(", ".join([*parts, printable(status)] if status else parts))

    def note(self, message: str) -> None:
        """Write the message."""
        self._write(printable(message))


class _Bars:
    """One bar for each stage, with the time left and the last status."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars

    def start(self, task: str, total: int) -> None:
        for former in self._bars.task_ids:
            self._bars.stop_task(former)
        self._task = self._bars.add_task(printable(task), total=total, status="")

    def advance(self, steps: int = 1, status: str = "") -> None:
        self._bars.update(self._task, advance=steps)
        if status:
            self._bars.update(self._task, status=printable(status))

    def note(self, message: str) -> None:
        self._bars.console.print(printable(message), markup=False, highlight=False)


def _bars() -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[status]}", markup=False),
        console=Console(stderr=True),
    )
