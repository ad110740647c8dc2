"""SIGTERM ends a command as Ctrl-C does: whatever is open is cleaned up on the way out."""

from __future__ import annotations

import signal
from types import FrameType


class TerminatedError(KeyboardInterrupt):
    """This process was told to end."""


def stop_when_told() -> None:
    """Raise `TerminatedError` in the main thread on SIGTERM, unless whoever started this process has it ignored."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


def exit_code(stopped: KeyboardInterrupt) -> int:
    """Return 128 plus the number of the signal, as shells have it."""
    return 128 + (signal.SIGTERM if isinstance(stopped, TerminatedError) else signal.SIGINT)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise TerminatedError
