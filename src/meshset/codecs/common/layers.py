"""Layers of perceptrons: their tensors by name, how they start, and how large they may be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

MAX_LAYERS = 64
MAX_WIDTH = 1024


def check_size(layers: int, width: int) -> None:
    """Raise ValueError where a perceptron would have no layer or node, or too many."""
    if not 1 <= layers <= MAX_LAYERS or not 1 <= width <= MAX_WIDTH:
        raise ValueError(f"{layers} layers of {width} nodes")


def layer_tensors(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the two tensors of a layer."""
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def uniform_layers(
    tensors: Mapping[str, tuple[int, ...]], rng: np.random.Generator, gain: float = 6.0
) -> dict[str, NDArray[np.float32]]:
    """Return weights uniform in +-sqrt(gain / inputs), He et al. 2015 for a gain of 6, and biases of 0."""
    start = {}
    for name, shape in tensors.items():
        reach = np.sqrt(gain / shape[1]) if name.endswith(".weight") else 0.0
        start[name] = rng.uniform(-reach, reach, shape).astype(np.float32)
    return start
