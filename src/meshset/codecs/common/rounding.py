"""Rounding that can be trained through."""

from __future__ import annotations

from torch import Tensor


def straight_through(values: Tensor, stored: Tensor) -> Tensor:
    """Return `stored`, what `values` are rounded to, with gradients as if they were not (Bengio et al. 2013)."""
    return values + (stored - values).detach()
