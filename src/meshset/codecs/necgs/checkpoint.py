"""Training that stops and goes on: everything that changes from step to step, as bytes."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from meshset.codecs.base import Checkpoint
from meshset.codecs.necgs.network import SetNetwork

EVERY = 30.0
"""Seconds between two saved states."""


class TrainingState:
    """Saves the state of a training now and then, and brings it back.

    Args:
        checkpoint: where states are kept, or None for nowhere.
        network: what is trained.
        optimisers: in the same order in every run.
    """

    def __init__(
        self, checkpoint: Checkpoint | None, network: SetNetwork, optimisers: Sequence[torch.optim.Optimizer]
    ) -> None:
        self._checkpoint = checkpoint
        self._network = network
        self._optimisers = optimisers
        self._started = self._saved = time.monotonic()

    def restore(self) -> tuple[int, NDArray[np.float64]]:
        """Bring back the last state; return the steps done and the running averages (2,), 0 if there is no state."""
        data = self._checkpoint.load() if self._checkpoint else None
        if data is None:
            return 0, np.zeros(2)
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        self._network.load_state_dict(state["network"])
        for optimiser, saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        return state["done"], np.array(state["averages"])

    def save_if_due(self, done: int, averages: NDArray[np.float64], last: bool) -> None:
        """Save the state after `done` steps if the last one is old enough; after long work also at its `last` step."""
        now = time.monotonic()
        # What follows the last step may fail too, on a full disk for one.
        if self._checkpoint is None or now - (self._started if last else self._saved) < EVERY:
            return
        self._saved = now
        state = {
            "done": done,
            "averages": averages.tolist(),
            "network": self._network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
        }
        out = io.BytesIO()
        torch.save(state, out)
        self._checkpoint.save(out.getvalue())
