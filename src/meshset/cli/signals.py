"""SIGTERM ends a command as Ctrl-C does: whatever is open is cleaned up on the way out."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class TerminatedError(KeyboardInterrupt):
    """This process was told to end."""


def stop_when_told() -> None:
    """Raise `TerminatedError` in the main thread on SIGTERM, unless whoever started this process has it ignored."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


@contextmanager
def ending_softly() -> Iterator[Callable[[], bool]]:
    """Give a function that tells, until the block is left, whether Ctrl-C was pressed; pressed again it interrupts."""
    pressed = False
    before = signal.getsignal(signal.SIGINT)

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)

    if before is not signal.default_int_handler:  # ignored, or someone else's
        yield lambda: False
        return
    signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def exit_code(stopped: KeyboardInterrupt) -> int:
    """Return 128 plus the number of the signal, as shells have it."""
    return 128 + (signal.SIGTERM if isinstance(stopped, TerminatedError) else signal.SIGINT)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise TerminatedError
