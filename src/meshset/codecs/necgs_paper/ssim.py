"""Structural similarity of volumes (the third term of NeCGS Eq. 3).

Wang et al. 2004 in three dimensions: a Gaussian window of 5 points a side and sigma 1.5, values that range over
[-1, 1], and only windows that lie within the volume.
"""

from __future__ import annotations

import torch
from torch import Tensor

WINDOW = 5
_SIGMA = 1.5
_RANGE = 2.0
_C1 = (0.01 * _RANGE) ** 2
_C2 = (0.03 * _RANGE) ** 2


def ssim_map(first: Tensor, second: Tensor) -> Tensor:
    """Return the similarity of two volumes in every window.

    Args:
        first: (C, X, Y, Z), X, Y and Z at least 5.
        second: of the same shape.

    Returns:
        (C, X - 4, Y - 4, Z - 4), at most 1; 1 where the windows are equal.
    """
    mean1, mean2 = _blurred(first), _blurred(second)
    square1, square2, product = mean1 * mean1, mean2 * mean2, mean1 * mean2
    variance1 = _blurred(first * first) - square1
    variance2 = _blurred(second * second) - square2
    covariance = _blurred(first * second) - product
    likeness = (2.0 * product + _C1) * (2.0 * covariance + _C2)
    return likeness / ((square1 + square2 + _C1) * (variance1 + variance2 + _C2))


def _blurred(volume: Tensor) -> Tensor:
    """Average over the window, axis by axis, each a product with a banded matrix: fast on processors and GPUs alike."""
    channels, x, y, z = volume.shape
    out = volume @ _band(z, volume).t()
    out = _band(y, volume) @ out
    out = _band(x, volume) @ out.reshape(channels, x, -1)
    return out.view(channels, x - WINDOW + 1, y - WINDOW + 1, z - WINDOW + 1)


def _band(side: int, like: Tensor) -> Tensor:
    """Return the matrix (side - 4, side) that averages along an axis."""
    offsets = torch.arange(WINDOW, dtype=like.dtype, device=like.device) - WINDOW // 2
    weights = torch.exp(-0.5 * (offsets / _SIGMA) ** 2)
    weights = weights / weights.sum()
    rows = torch.arange(side - WINDOW + 1, device=like.device)
    band = like.new_zeros(len(rows), side)
    for i in range(WINDOW):
        band[rows, rows + i] = weights[i]
    return band
