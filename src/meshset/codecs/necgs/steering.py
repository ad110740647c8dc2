"""Training towards a number of bytes: the weight of bits follows what the set would take."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

_ARRIVAL = 0.6
"""Share of training at which the bytes shall have come down to the target; errors are made good in the rest."""

_QUICK = 5.0
"""How much the logarithm of the weight follows the logarithm of the bytes at once, ..."""

_LASTING = 50.0
"""... and what it gains by a lasting difference, over all of training."""

_EVERY = 10
"""Steps for which lambda stays."""

_WIDEST = math.log(1e4)
"""The weight moves by at most this factor from where it starts."""


class Steering:
    """A controller of lambda, the weight of bits in the loss.

    The bytes that are wanted fall from those at the start to the target, by a constant factor a step; lambda follows
    the ratio of the bytes that there are to them (in logarithms, proportional and integral).

    Args:
        weight: lambda to start with.
        target: bytes that the decoder and all latents shall take; None leaves lambda where it is.

    Attributes:
        last: lambda of the last step.
    """

    def __init__(self, weight: float, target: float | None) -> None:
        self.last = self._start = weight
        self._target = target
        self._first = 0.0
        self._step = 0
        self._lasting = 0.0
        self._share = 0.0

    def weight(self, share: float, estimate: Callable[[], float]) -> float:
        """Return lambda for the next step, after a share of training, by the bytes that are estimated now and then."""
        self._step += 1
        if self._target is None or self._step % _EVERY != 1:
            return self.last
        estimated = estimate()
        self._first = self._first or max(estimated, self._target)
        progress = min(share / _ARRIVAL, 1.0)
        wanted = self._first ** (1.0 - progress) * self._target**progress
        excess = math.log(estimated / wanted)
        self._lasting = _limited(self._lasting + _LASTING * (share - self._share) * excess)
        self._share = share
        self.last = self._start * math.exp(_limited(self._lasting + _QUICK * excess))
        return self.last

    def state(self) -> dict[str, float]:
        """Return what `restore` needs to go on in another run."""
        return {
            "first": self._first,
            "lasting": self._lasting,
            "share": self._share,
            "last": self.last,
            "step": self._step,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another run of the same settings was."""
        self._first, self._lasting, self._share = state["first"], state["lasting"], state["share"]
        self.last, self._step = state["last"], state["step"]


def _limited(change: float) -> float:
    return max(-_WIDEST, min(change, _WIDEST))
