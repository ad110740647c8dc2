"""Field networks that are plain multi-layer perceptrons of the point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.layers import MAX_WIDTH, check_size, layer_tensors, uniform_layers
from meshset.codecs.implicit.network import FieldNetwork, Frame, Weights, linear, relu
from meshset.field.grid import Array

_MAX_FREQUENCY = 1000
_MAX_DEVIATION = 100_000
_SKIP = 4
"""Layers of DeepSDF before the point comes in again."""


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


@dataclass(frozen=True)
class Siren(FieldNetwork):
    """SIREN: Sitzmann et al., "Implicit Neural Representations with Periodic Activation Functions" (2020).

    Sines of `frequency` times the layer (omega_0, section 3.2), and a linear layer at the end. 5 layers of 42 nodes
    have about as many parameters as NI; 5 of 256 have 264,449, the 1033 KB of the key spheres paper's Table 1.
    """

    rate: ClassVar[float] = 5e-4

    layers: int = 5
    width: int = 42
    frequency: int = 30

    def __post_init__(self) -> None:
        check_size(self.layers, self.width)
        if not 1 <= self.frequency <= _MAX_FREQUENCY:
            raise ValueError(f"a frequency of {self.frequency}")

    def tensors(self, frame: Frame) -> dict[str, tuple[int, ...]]:
        """Return names and shapes, as `FieldNetwork.tensors` says."""
        return perceptron_tensors(3, self.layers, self.width)

    def initial(self, frame: Frame, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a start by theorem 1.8: uniform in +-sqrt(6 / inputs) / omega_0, the first layer in +-1 / inputs.

        Biases are uniform in +-1 / sqrt(inputs), as in the released code.
        """
        start = uniform_layers(self.tensors(frame), rng, 6.0 / self.frequency**2)
        start["0.weight"] = rng.uniform(-1 / 3, 1 / 3, start["0.weight"].shape).astype(np.float32)
        for name in layer_names(self.layers):
            outputs, inputs = start[f"{name}.weight"].shape
            start[f"{name}.bias"] = rng.uniform(-(inputs**-0.5), inputs**-0.5, outputs).astype(np.float32)
        return start

    def distance(self, weights: Weights, frame: Frame, points: Array) -> Array:
        """Return signed distances (B, P) at points (B, 3, P)."""
        xp = array_api_compat.array_namespace(points)
        features = points
        for layer in range(self.layers):
            features = xp.sin(self.frequency * linear(features, weights, str(layer)))
        return linear(features, weights, "last")[:, 0]


@dataclass(frozen=True)
class FourierFeatures(FieldNetwork):
    """FFN: Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains".

    (2020.) The point v becomes cos(2 pi B v) and sin(2 pi B v), B being a random matrix of normal numbers (section 4),
    then goes through ReLU layers and a linear one. B follows from `seed`, so it takes no bytes. 32 frequencies and 4
    layers of 40 nodes have about as many parameters as NI; 256 and 7 layers of 256, with B, the 2059 KB of the key
    spheres paper.

    Attributes:
        deviation: of the numbers of B, in hundredths of a cycle per unit of the cube [-1, 1]^3.
    """

    frequencies: int = 32
    layers: int = 4
    width: int = 40
    deviation: int = 35
    seed: int = 0

    def __post_init__(self) -> None:
        check_size(self.layers, self.width)
        if not 1 <= self.frequencies <= MAX_WIDTH or not 1 <= self.deviation <= _MAX_DEVIATION:
            raise ValueError(f"{self.frequencies} Fourier features of a deviation of {self.deviation}")

    def tensors(self, frame: Frame) -> dict[str, tuple[int, ...]]:
        """Return names and shapes, as `FieldNetwork.tensors` says."""
        return perceptron_tensors(2 * self.frequencies, self.layers, self.width)

    def initial(self, frame: Frame, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a start after He et al. 2015."""
        return uniform_layers(self.tensors(frame), rng)

    def distance(self, weights: Weights, frame: Frame, points: Array) -> Array:
        """Return signed distances (B, P) at points (B, 3, P)."""
        xp = array_api_compat.array_namespace(points)
        matrix = xp.asarray(self.matrix(), device=array_api_compat.device(points))
        turns = matrix @ points
        features = xp.concat([xp.cos(turns), xp.sin(turns)], axis=1)
        for layer in range(self.layers):
            features = relu(linear(features, weights, str(layer)))
        return linear(features, weights, "last")[:, 0]

    def stored_floats(self, frame: Frame) -> int:
        """Return the parameters and the numbers of B, which the papers store."""
        return self.parameters(frame) + 3 * self.frequencies

    def matrix(self) -> NDArray[np.float32]:
        """Return 2 pi B, (frequencies, 3) float32."""
        normal = normal_numbers(3 * self.frequencies, self.seed).reshape(-1, 3)
        return (2.0 * np.pi * self.deviation / 100.0 * normal).astype(np.float32)


@dataclass(frozen=True)
class DeepSdf(FieldNetwork):
    """DeepSDF for one mesh: Park et al., "DeepSDF: Learning Continuous Signed Distance Functions" (2019), no latent.

    ReLU layers with the point appended to the output of the fourth, whose own width is 3 less, and a hyperbolic tangent
    at the end (section 5); the loss is clamped at 0.1 (Eq. 4). Without dropout and weight normalisation, which are for
    sets of shapes. 8 layers of 32 nodes have 7,454 parameters; 8 of 512 have the 7186 KB of the key spheres paper.
    """

    clamp: ClassVar[float | None] = 0.1

    layers: int = 8
    width: int = 32

    def __post_init__(self) -> None:
        check_size(self.layers, self.width)
        if self.layers <= _SKIP or self.width < 4:
            raise ValueError(f"{self.layers} layers of {self.width} nodes leave no room for the point")

    def tensors(self, frame: Frame) -> dict[str, tuple[int, ...]]:
        """Return names and shapes, as `FieldNetwork.tensors` says."""
        tensors = perceptron_tensors(3, self.layers, self.width)
        return tensors | layer_tensors(str(_SKIP - 1), self.width, self.width - 3)

    def initial(self, frame: Frame, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a start after He et al. 2015."""
        return uniform_layers(self.tensors(frame), rng)

    def distance(self, weights: Weights, frame: Frame, points: Array) -> Array:
        """Return signed distances (B, P) at points (B, 3, P)."""
        xp = array_api_compat.array_namespace(points)
        features = points
        for layer in range(self.layers):
            if layer == _SKIP:
                features = xp.concat([features, points], axis=1)
            features = relu(linear(features, weights, str(layer)))
        return xp.tanh(linear(features, weights, "last"))[:, 0]


def normal_numbers(count: int, seed: int) -> NDArray[np.float64]:
    """Return normal random numbers (count,) that every reader can make again (docs/SPEC.md).

    SplitMix64 (Steele et al. 2014) and the transform of Box and Muller; numpy does not promise its own for ever.
    """
    pairs = -(-count // 2)
    steps = np.arange(1, 2 * pairs + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    steps = (steps ^ (steps >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    steps = (steps ^ (steps >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    uniform = ((steps ^ (steps >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform[:pairs]))
    angle = 2.0 * np.pi * uniform[pairs:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]
