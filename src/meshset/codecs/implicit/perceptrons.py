"""Field networks that are plain multi-layer perceptrons of the point."""

from __future__ import annotations

from dataclasses import dataclass

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.implicit.network import (
    FieldNetwork,
    Frame,
    Weights,
    layer_tensors,
    linear,
    relu,
    uniform_layers,
)
from meshset.field.grid import Array

MAX_LAYERS = 64
MAX_WIDTH = 1024


def check_size(layers: int, width: int) -> None:
    """Raise ValueError where a perceptron would have no layer or node, or too many."""
    if not 1 <= layers <= MAX_LAYERS or not 1 <= width <= MAX_WIDTH:
        raise ValueError(f"{layers} layers of {width} nodes")


def layer_names(layers: int) -> list[str]:
    """Return the names of the hidden layers, then of the one that gives the distance."""
    return [*map(str, range(layers)), "last"]


def perceptron_tensors(inputs: int, layers: int, width: int) -> dict[str, tuple[int, ...]]:
    """Return the tensors of `layers` hidden layers of `width` nodes and a last one of a single node."""
    tensors: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        tensors |= layer_tensors(str(layer), width if layer else inputs, width)
    return tensors | layer_tensors("last", width, 1)


@dataclass(frozen=True)
class NeuralImplicit(FieldNetwork):
    """NI: Davies, Nowrouzezahrai, Jacobson, "On the Effectiveness of Weight-Encoded Neural Implicit 3D Shapes" (2021).

    ReLU layers and a hyperbolic tangent at the end; 8 layers of 32 nodes have 7,553 parameters (key spheres, Figure 1).
    """

    layers: int = 8
    width: int = 32

    def __post_init__(self) -> None:
        check_size(self.layers, self.width)

    def tensors(self, frame: Frame) -> dict[str, tuple[int, ...]]:
        """Return names and shapes, as `FieldNetwork.tensors` says."""
        return perceptron_tensors(3, self.layers, self.width)

    def initial(self, frame: Frame, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a start after He et al. 2015."""
        return uniform_layers(self.tensors(frame), rng)

    def distance(self, weights: Weights, frame: Frame, points: Array) -> Array:
        """Return signed distances (B, P) at points (B, 3, P)."""
        features = points
        for layer in range(self.layers):
            features = relu(linear(features, weights, str(layer)))
        xp = array_api_compat.array_namespace(features)
        return xp.tanh(linear(features, weights, "last"))[:, 0]
