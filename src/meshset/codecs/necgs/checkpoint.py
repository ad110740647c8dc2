"""Training that stops and goes on: everything that changes from step to step, as bytes."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from meshset.codecs.necgs.network import SetNetwork
from meshset.codecs.protocol import Checkpoint

EVERY = 30.0
"""Seconds between two saved states."""


class Continued(Protocol):
    """Something with a state of a few numbers."""

    def state(self) -> dict[str, Any]:
        """Return numbers and texts by name."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take such a state over."""
        ...


class TrainingState:
    """Saves the state of a training now and then, and brings it back.

    Args:
        checkpoint: where states are kept, or None for nowhere.
        network: what is trained.
        optimisers: in the same order in every run.
        others: whatever else goes on, by names that are the same in every run.
    """

    def __init__(
        self,
        checkpoint: Checkpoint | None,
        network: SetNetwork,
        optimisers: Sequence[torch.optim.Optimizer],
        others: Mapping[str, Continued],
    ) -> None:
        self._checkpoint = checkpoint
        self._network = network
        self._optimisers = optimisers
        self._others = others
        self._started = self._saved = time.monotonic()

    def restore(self) -> NDArray[np.float64] | None:
        """Bring back the last state; return its running averages (2,), None if there is no state."""
        data = self._checkpoint.load() if self._checkpoint else None
        if data is None:
            return None
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        self._network.load_state_dict(state["network"])
        for optimiser, saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        for name, other in self._others.items():
            other.restore(state["others"][name])
        return np.array(state["averages"])

    def save_if_due(self, averages: NDArray[np.float64], last: bool) -> None:
        """Save the state after a step if the last one is old enough; after long work also at its `last` step."""
        # What follows the last step may fail too, on a full disk for one.
        if time.monotonic() - (self._started if last else self._saved) >= EVERY:
            self.save(averages)

    def save(self, averages: NDArray[np.float64]) -> None:
        """Save the state now, with the running averages (2,)."""
        if self._checkpoint is None:
            return
        self._saved = time.monotonic()
        state = {
            "averages": averages.tolist(),
            "network": self._network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            "others": {name: other.state() for name, other in self._others.items()},
        }
        out = io.BytesIO()
        torch.save(state, out)
        self._checkpoint.save(out.getvalue())
