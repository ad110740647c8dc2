"""Learning rates: half a cosine, after a warm-up."""

from __future__ import annotations

import math


def half_cosine(passed: float, whole: float = 1.0) -> float:
    """Return 1 where nothing of `whole` has passed, 0 where all of it has, and half a period of a cosine between."""
    return 0.5 * (1.0 + math.cos(math.pi * passed / whole))


def warmed_cosine(done: float, warm_up: float, last: float, first: float = 0.0, peak: float = 1.0) -> float:
    """Return the learning rate after a share of all steps.

    Args:
        done: the share, 0 to 1.
        warm_up: share of the steps in which the rate rises linearly to its peak; half a cosine follows.
        last: rate at the end.
        first: rate at the beginning, as a share of the peak.
        peak: the highest rate.
    """
    if done < warm_up:
        return peak * (first + (1.0 - first) * done / warm_up)
    return last + (peak - last) * half_cosine(done - warm_up, 1.0 - warm_up)
