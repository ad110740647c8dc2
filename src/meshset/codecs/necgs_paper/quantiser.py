"""The paper's quantiser: 2^8 + 1 levels on [-1, 1] for latents and weights alike (NeCGS supplement, Eq. 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from meshset.codecs.common.rounding import straight_through
from meshset.codecs.necgs_paper.levels import HIGHEST


def quantise(values: Tensor) -> Tensor:
    """Clamp to [-1, 1] and round to multiples of 1 / 128, with the gradient of the clamp alone (straight through)."""
    clamped = values.clamp(-1.0, 1.0)
    return straight_through(clamped, torch.round(clamped * HIGHEST) / HIGHEST)


def numbers(values: Tensor) -> Tensor:
    """Return which level each value is rounded to, int32 from -128 to 128, as `quantise` does it."""
    return torch.round(values.clamp(-1.0, 1.0) * HIGHEST).int()
