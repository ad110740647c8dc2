"""What training tells of its loss: a running average, and that it is a number at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from numpy import float64
from numpy.typing import NDArray

from meshset.errors import MeshsetError

if TYPE_CHECKING:
    from torch import Tensor

_MOMENTUM = 0.98
"""How much of the running average is kept each step."""

DIVERGED = "training diverged: the loss is not a number; try another --seed"

Loss = TypeVar("Loss", float, NDArray[float64], "Tensor")


def running_average(before: Loss | None, now: Loss) -> Loss:
    """Return the running average of losses after one more; each a number or an array of one loss a mesh or term."""
    return now if before is None else _MOMENTUM * before + (1 - _MOMENTUM) * now


def require_finite(loss: float) -> None:
    """Raise MeshsetError where training diverged."""
    if not math.isfinite(loss):
        raise MeshsetError(DIVERGED)
