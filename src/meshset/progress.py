"""How long work reports on itself: it speaks to whoever listens, without being handed a listener.

A verb with a `progress` argument makes it the listener for as long as it runs; what is called below just reports. The
listener is a context variable, so that two threads may each have one of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, Protocol, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


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


_listener: ContextVar[Progress] = ContextVar("listener", default=Silent())  # noqa: B039 -- it has no state


@contextmanager
def listening(listener: Progress | None) -> Iterator[None]:
    """Send reports to `listener` until the block is left; None leaves the listener that there is."""
    if listener is None:
        yield
        return
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def reporting(verb: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Send what a verb reports to its keyword argument `progress`, if it is given one."""

    @wraps(verb)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        with listening(kwargs.get("progress")):  # type: ignore[arg-type]
            return verb(*args, **kwargs)

    return run


def stage(task: str, total: int) -> None:
    """Begin a stage of `total` steps, ending the one before it."""
    _listener.get().start(task, total)


def advance(steps: int = 1, status: str = "") -> None:
    """Report `steps` more steps done, with a short status such as the current loss."""
    _listener.get().advance(steps, status)


def tell(message: str) -> None:
    """Tell the user one line that should stay on screen."""
    _listener.get().note(message)
