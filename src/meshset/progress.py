"""How long work reports on itself, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A listener for long work; the command line draws bars from it."""

    def start(self, task: str, total: int) -> None:
        """Begin a stage of `total` steps, ending the one before it."""

    def advance(self, steps: int = 1, status: str = "") -> None:
        """Report `steps` more steps done, with a short status such as the current loss."""

    def note(self, message: str) -> None:
        """Tell the user one line that should stay on screen."""


class Silent:
    """A `Progress` that shows nothing."""

    def start(self, task: str, total: int) -> None:
        """Ignore the stage."""

    def advance(self, steps: int = 1, status: str = "") -> None:
        """Ignore the steps."""

    def note(self, message: str) -> None:
        """Ignore the message."""
