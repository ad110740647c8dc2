"""Which members of a group others are told from, and with what weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.mesh_group.members import UNIT

_WORTH = 12.0
"""Bits that another reference must save: it takes about as many."""

_MOST = 6
"""References of a member beside the first."""

_REWEIGHTED = 6
_ROUNDING = 1.0 / 12.0
"""Mean square of the error of a part that is rounded to steps of 1."""

_KEY = 16
"""Frames of a sequence between two that are told before all others."""

_FOLLOWED = 4
"""Frames of a sequence between two that others may refer to."""


def bits_of(deviations: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return about what deviations (..., S, 3) take, (...)."""
    sizes: NDArray[np.float64] = np.log2(1.0 + 2.0 * np.abs(deviations) / steps).sum(axis=(-2, -1))
    return sizes


def usual(offsets: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the median (S, 3) of offsets (N, S, 3) once they are of one size, and the size (N,) of each."""
    sizes = np.sqrt((offsets * offsets).mean(axis=(1, 2)))
    sizes = sizes / max(float(np.median(sizes)), 1e-30)
    sizes = np.where(sizes > 0.0, sizes, 1.0)
    for _ in range(2):
        middle = np.median(offsets / sizes[:, None, None], axis=0)
        weight = np.abs(middle)
        ratio = (offsets * np.sign(middle)).clip(0.0)
        sizes = np.maximum((ratio * weight).sum(axis=(1, 2)) / max(float((weight * weight).sum()), 1e-30), 1e-3)
    return middle, sizes


def spread_out(offsets: NDArray[np.float64], steps: NDArray[np.float64], count: int) -> list[int]:
    """Return members that all others are near to: medoids, one after the other."""
    far = np.array([bits_of(offsets - one, steps) for one in offsets])
    chosen = [int(far.sum(axis=1).argmin())]
    while len(chosen) < count:
        gains = np.maximum(far[chosen].min(axis=0) - far, 0.0).sum(axis=1)
        gains[chosen] = -1.0
        chosen.append(int(gains.argmax()))
    return chosen


def of_sequence(count: int) -> list[int]:
    """Return the frames that others refer to: every 16th, then those between, down to every fourth."""
    chosen, stride = list(range(0, count, _KEY)), _KEY
    if chosen[-1] != count - 1:
        chosen.append(count - 1)
    while stride > _FOLLOWED:
        stride //= 2
        chosen += [frame for frame in range(stride, count, 2 * stride) if frame not in chosen]
    return chosen


def weighted(
    goal: NDArray[np.float64], known: Sequence[NDArray[np.float64]], steps: NDArray[np.float64], exact: bool = False
) -> tuple[tuple[int, int], ...]:
    """Return which of the known offsets (S, 3) suggest `goal` in the fewest bits, and their weights in parts of `UNIT`.

    One after the other is added for as long as that pays. Unless they are `exact` they will be rounded to steps:
    large weights will make errors large.
    """
    cost, chosen = math.inf, list[tuple[int, int]]()
    while len(chosen) <= _MOST:
        further = [
            _solved(goal, known, [*(place for place, _ in chosen), place], steps, 0.0 if exact else _ROUNDING)
            for place in range(len(known))
            if place not in {one for one, _ in chosen}
        ]
        best = min(further, key=lambda one: one[0], default=None)
        if best is None or best[0] + _WORTH > cost:
            break
        cost, chosen = best
    return tuple(chosen)


def _solved(
    goal: NDArray[np.float64],
    known: Sequence[NDArray[np.float64]],
    places: list[int],
    steps: NDArray[np.float64],
    noise: float,
) -> tuple[float, list[tuple[int, int]]]:
    """Return the bits that are left, and the weights, of references by least squares with outliers weighed down."""
    columns = np.stack([(known[place] / steps).ravel() for place in places], axis=1)
    wanted = (goal / steps).ravel()
    share = np.full(len(places), 1.0 / len(places))
    for _ in range(_REWEIGHTED):
        away = wanted - columns @ share
        weight = 1.0 / (away * away + 0.25)
        left = columns.T @ (columns * weight[:, None])
        left += (noise * weight.sum() + 1e-6 * np.trace(left) + 1e-9) * np.eye(len(places))
        share = np.linalg.solve(left, columns.T @ (weight * wanted))
    whole = np.round(share * UNIT).astype(int)
    left_over = (wanted - columns @ (whole / UNIT)).reshape(-1, 3)
    bits = float(bits_of(left_over, np.ones(3))) + 3.0 * len(places)
    return bits, list(zip(places, whole.tolist(), strict=True))
