"""How many bits whole numbers will take, without coding them.

Training makes many numbers 0 and leaves a few large ones, which no single decay describes; the models of
`meshset.coding` do. Here 0, the magnitude 1 and all larger ones have a share each, and only among the larger ones does
probability decay by a constant factor. The loss keeps to one decay for all: under this model large numbers would cost
next to nothing to grow, and sets came out larger.
"""

from __future__ import annotations

import torch
from torch import Tensor

_RAREST = 1e-9
"""No share or mean is taken to be smaller."""


def estimated_bits(numbers: Tensor) -> Tensor:
    """Return the bits of whole numbers (n, C), each column under a model of its own."""
    magnitudes = numbers.abs()
    zero, one = ((magnitudes == k).float().mean(dim=0) for k in (0, 1))
    more = 1.0 - zero - one
    excess = ((magnitudes.mean(dim=0) - one) / more.clamp(min=_RAREST) - 2.0).clamp(min=_RAREST)
    # A geometric distribution of mean e has an entropy of (1 + e) log2(1 + e) - e log2(e).
    tail = _surprise(excess) - _surprise(1.0 + excess)
    signs = one + more
    return len(numbers) * (_surprise(zero) + _surprise(one) + _surprise(more) + signs + more * tail).sum()


def _surprise(share: Tensor) -> Tensor:
    """Return -x log2(x)."""
    return -share * torch.log2(share.clamp(min=_RAREST))
