"""How long training is: a number of steps, or a number of seconds, cut short where nothing is gained any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

_ENDING = 0.1
"""Share of the steps so far that the learning rate takes to fall when training is told to end now."""

_ENDING_SECONDS = 20.0
"""Nor does it take longer than that."""

_WINDOW = 1.25
"""Costs are compared between windows of steps, each of which ends after so many times the steps of the one before."""

_FIRST_WINDOW = 400

_FLAT = 0.01
"""Training by the clock has enough when its cost falls by a smaller share from one window to the next."""

_SETTLING = 0.3
"""Share of the steps so far that the learning rate takes to fall then."""


class TrainingLength:
    """Where training is on the curve of its learning rate: `share` goes from 0 to 1 in `left` equal steps.

    With a number of seconds, `left` follows the time that steps have taken so far.

    Attributes:
        share: 0 to 1.
        done: steps made.
        left: steps still to make.
        planned: steps in all, unless training comes to an end before.
        ended: why it does, empty if it does not.

    Args:
        steps: how many there are; with `seconds` a first guess.
        seconds: how long training may take, those of an interrupted run included; None for exactly `steps`.
        clock: tells the time in seconds.
    """

    def __init__(self, steps: int, seconds: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.share, self.done, self.left, self.planned = 0.0, 0, steps, steps
        self.ended = ""
        self._seconds = seconds
        self._clock = clock
        self._spent_before, self._done_before = 0.0, 0
        self._started = clock()
        self._plateau = Plateau()

    @property
    def spent(self) -> float:
        """Seconds of training so far, interrupted runs included."""
        return self._spent_before + self._clock() - self._started

    @property
    def scale(self) -> int:
        """Whole steps or seconds that training is planned to take, for a bar whose end must not move."""
        return self.planned if self._seconds is None else max(round(self._seconds), 1)

    @property
    def reached(self) -> int:
        """How much of `scale` is behind us."""
        return self.done if self._seconds is None else min(int(self.spent), self.scale)

    def advance(self, cost: float) -> None:
        """Go one step on; `cost` is what training makes smaller."""
        self.share += (1.0 - self.share) / self.left
        self.done += 1
        self.left -= 1
        if self._seconds is None or self.ended:
            return
        self.left = max(int((self._seconds - self.spent) / self._seconds_a_step()), 0)
        self.planned = self.done + self.left
        if self._plateau.reached(self.done, cost):
            self._hurry(int(_SETTLING * self.done), "nothing more to gain")

    def end(self) -> int:
        """Come to an end soon, in a few steps in which the learning rate falls; return how many."""
        within = int(_ENDING_SECONDS / self._seconds_a_step())
        self._hurry(min(int(_ENDING * self.done), within), "interrupted")
        return self.left

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs to go on in another run."""
        steps = {"done": self.done, "left": self.left, "planned": self.planned}
        return {**steps, "share": self.share, "spent": self.spent, "ended": self.ended}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another run of the same settings was."""
        self.done, self.left, self.planned = state["done"], state["left"], state["planned"]
        self.share, self.ended = state["share"], state["ended"]
        self._spent_before, self._done_before = state["spent"], self.done
        self._started = self._clock()

    def _hurry(self, left: int, reason: str) -> None:
        self.left = min(self.left, max(left, 0))
        self.ended = reason

    def _seconds_a_step(self) -> float:
        spent, done = self._clock() - self._started, self.done - self._done_before
        return max(spent / done if done else self.spent / max(self.done, 1), 1e-6)


class Plateau:
    """Notices that the mean of a cost no longer falls, over windows that grow with the number of steps."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0
        self._before: float | None = None
        self._ends = 0

    def reached(self, done: int, cost: float) -> bool:
        """Take the cost of one step into account, the `done`-th; tell whether the last window gained too little."""
        self._ends = self._ends or max(_FIRST_WINDOW, int(_WINDOW * done))
        self._sum, self._count = self._sum + cost, self._count + 1
        if done < self._ends:
            return False
        mean, before = self._sum / self._count, self._before
        self._before, self._sum, self._count, self._ends = mean, 0.0, 0, int(_WINDOW * done)
        return before is not None and mean > (1.0 - _FLAT) * before
