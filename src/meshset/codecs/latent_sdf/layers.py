"""Layers and activations of set networks, over numpy arrays or torch tensors, and how their weights start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi, sqrt

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.latent_sdf.network import Weights
from meshset.field.grid import Array

SHARPNESS = 100.0
"""beta of softplus (SAL and IGR): it bends within about 1 / beta of 0."""

_BEND = 20.0 / SHARPNESS

Spread = Callable[[Array], Array]
"""From one row for each code, (B, M, H), to one for each point, (B, P, H)."""


def dense(
    weights: Weights, name: str, features: Array, codes: Array | None = None, spread: Spread | None = None
) -> Array:
    """Apply the layer `name`.weight (H, C), `name`.bias (H,) to features (B, P, C) and codes; returns (B, P, H).

    With codes (B, M, L) the weight is (H, C + L). What it makes of a code is computed once for the code, then spread
    over the points that have it; where all have the same (M = 1), it broadcasts.
    """
    kernel, columns = weights[f"{name}.weight"], features.shape[-1]
    out = features @ kernel[:, :columns].T + weights[f"{name}.bias"]
    return out if codes is None or spread is None else out + spread(codes @ kernel[:, columns:].T)


def softplus(values: Array) -> Array:
    """Return log(1 + exp(beta v)) / beta, beta being `SHARPNESS`.

    Below -20 / beta it is 2e-11 and flat: what would come out otherwise is too small to be a normal float32, with which
    processors multiply matrices many times slower.
    """
    xp = array_api_compat.array_namespace(values)
    if array_api_compat.is_torch_array(values):
        import torch

        return torch.nn.functional.softplus(xp.clip(values, min=-_BEND), beta=SHARPNESS)
    small = np.exp(-np.float32(SHARPNESS) * np.minimum(np.abs(values), np.float32(_BEND)))
    return np.maximum(values, 0) + np.log(1 + small) / np.float32(SHARPNESS)


def relu(values: Array) -> Array:
    """Return max(values, 0)."""
    return array_api_compat.array_namespace(values).clip(values, min=0)


def sphere_start(
    tensors: Mapping[str, tuple[int, ...]], radius: float, rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    """Return weights with which a perceptron is about |x| - radius, x being all that goes in (SAL, theorem 1).

    Hidden weights are normal with a variance of 2 / outputs, biases 0; the last layer's weights are sqrt(pi / inputs),
    its bias is -radius.
    """
    start = {}
    for name, shape in tensors.items():
        if name.startswith("last."):
            last = np.full(shape, -radius) if name.endswith(".bias") else rng.normal(sqrt(pi / shape[1]), 1e-5, shape)
            start[name] = last.astype(np.float32)
        else:
            spread = sqrt(2.0 / shape[0]) if name.endswith(".weight") else 0.0
            start[name] = (spread * rng.standard_normal(shape)).astype(np.float32)
    return start
