"""The levels of the paper's quantiser, for those who only read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HIGHEST = 128
"""Levels on either side of 0: level k stands for k / 128, k from -128 to 128."""


def values(numbers: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return what the numbers of levels stand for, float32, exactly."""
    return numbers.astype(np.float32) / np.float32(HIGHEST)
