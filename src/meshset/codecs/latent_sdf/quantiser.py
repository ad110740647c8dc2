"""Weights and latents as they will be stored: whole numbers times one step a tensor."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from meshset.codecs.implicit.bitstream import QuantisedTensor


def step_of(tensor: Tensor, bits: int) -> Tensor:
    """Return the step that makes the largest value the largest number of so many bits, a float32 scalar."""
    largest = tensor.detach().abs().max().clamp(min=1e-6)
    step: Tensor = largest / (2 ** (bits - 1) - 1)
    return step


def rounded(tensor: Tensor, step: Tensor) -> Tensor:
    """Return the values as they will be stored; gradients pass as if they were not rounded."""
    return tensor + ((tensor / step).round() * step - tensor).detach()


def quantised(tensor: Tensor, step: Tensor) -> QuantisedTensor:
    """Return the numbers and the step to store. Values that grew since the step was found have larger numbers."""
    whole = (tensor.detach() / step).round().to(torch.int32).cpu().numpy()
    return QuantisedTensor(whole, np.float32(step.item()))
