"""How long work reports on itself: it speaks to whoever listens, without being handed a listener.

A verb with a `progress` argument makes it the listener for as long as it runs; what is called below just reports. The
listener is a context variable, so that two threads may each have one of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, Protocol, TypeAlias, TypeVar, runtime_checkable

from meshset.errors import MeshsetError

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@runtime_checkable
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


Step: TypeAlias = Callable[[str, int, int, str], None]
"""What a plain function hears: task, steps done, steps in all, and a message, which may be empty."""

Listening: TypeAlias = "Progress | Step | bool | None"
"""Who hears of the progress of a verb: True for bars on stderr, a function or a `Progress`; None or False for whoever
listens already, by default nobody."""


class _Steps:
    """Tells a plain function of everything."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._task, self._done, self._total = "", 0, 0

    def start(self, task: str, total: int) -> None:
        self._task, self._done, self._total = task, 0, total
        self._step(task, 0, total, "")

    def advance(self, steps: int = 1, status: str = "") -> None:
        self._done += steps
        self._step(self._task, self._done, self._total, status)

    def note(self, message: str) -> None:
        self._step(self._task, self._done, self._total, message)


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


def _hearing(progress: Listening) -> AbstractContextManager[None]:
    if progress is True:
        from meshset.progress.bars import showing_progress

        return showing_progress()
    if progress is None or progress is False or isinstance(progress, Progress):
        return listening(progress or None)
    if not callable(progress):
        raise MeshsetError(f"progress {progress!r} is not True, False, a function or a meshset.progress.Progress")
    return listening(_Steps(progress))


def reporting(verb: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Send what a verb reports to its keyword argument `progress`, a `Listening`."""

    @wraps(verb)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        with _hearing(kwargs.get("progress")):  # type: ignore[arg-type]
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
