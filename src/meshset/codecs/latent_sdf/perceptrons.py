"""Set networks that are plain perceptrons of the point and one latent."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.layers import check_size, layer_tensors, uniform_layers
from meshset.codecs.latent_sdf.layers import Spread, dense, relu, softplus, sphere_start
from meshset.codecs.latent_sdf.network import LatentNetwork, Weights
from meshset.field.grid import Array

SKIP = 4
"""Layers before point and latent come in again."""

MAX_LATENT = 4096

RADIUS = 0.5
"""Of the sphere that softplus networks start from, in the cube [-1, 1]^3."""


@dataclass(frozen=True)
class Perceptron(LatentNetwork):
    """Hidden layers on point and latent, which come in again behind the fourth, and a last layer.

    Attributes:
        latent: numbers in the latent of a mesh.
        layers: hidden ones; there is no skip in a network of at most four.
        width: nodes a layer.
    """

    latent: int
    layers: int
    width: int

    narrowed: ClassVar[bool] = True
    """Whether the fourth layer gives up nodes for point and latent, so that the fifth has `width` inputs (DeepSDF)."""

    skip_scale: ClassVar[float] = 1.0
    """Factor of all that goes into the fifth layer."""

    def __post_init__(self) -> None:
        check_size(self.layers, self.width)
        if not 1 <= self.latent <= MAX_LATENT:
            raise ValueError(f"a latent of {self.latent} numbers")
        if self.narrowed and self.layers > SKIP and self.width <= 3 + self.latent:
            raise ValueError(f"layers of {self.width} nodes leave no room for a latent of {self.latent}")

    @property
    def latent_size(self) -> int:
        """Numbers in the latent of a mesh."""
        return self.latent

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Return names and shapes: hidden layers by number, then "last"."""
        given = 3 + self.latent
        tensors: dict[str, tuple[int, ...]] = {}
        inputs = given
        for layer in range(self.layers):
            meets = layer + 1 == SKIP < self.layers
            outputs = self.width - given if meets and self.narrowed else self.width
            tensors |= layer_tensors(str(layer), inputs, outputs)
            inputs = outputs + given if meets else outputs
        return tensors | layer_tensors("last", inputs, self.channels)

    def values(self, weights: Weights, codes: Array, keys: Array, points: Array) -> Array:
        """Return values (B, P, channels) at points (B, P, 3), for codes (B, 1, latent); there are no key points."""
        return self.run(weights, codes, points, lambda rows: rows)

    def run(self, weights: Weights, codes: Array, points: Array, spread: Spread) -> Array:
        """Return values (B, P, channels) at points (B, P, 3), `spread` giving each of them what is made of its code."""
        xp = array_api_compat.array_namespace(points)
        out = self.activate(dense(weights, "0", points, codes, spread))
        for layer in range(1, self.layers):
            if layer == SKIP:
                given = xp.concat([out, points], axis=-1) * self.skip_scale
                out = self.activate(dense(weights, str(layer), given, self.skip_scale * codes, spread))
            else:
                out = self.activate(dense(weights, str(layer), out))
        return self.finish(dense(weights, "last", out))

    @staticmethod
    def activate(values: Array) -> Array:
        """Return what a hidden layer passes on."""
        return relu(values)

    @staticmethod
    def finish(values: Array) -> Array:
        """Return what the last layer's numbers mean."""
        return array_api_compat.array_namespace(values).tanh(values)

    def initial(self, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a start after He et al. 2015."""
        return uniform_layers(self.tensors(), rng)


@dataclass(frozen=True)
class DeepSdf(Perceptron):
    """DeepSDF: Park et al., "DeepSDF: Learning Continuous Signed Distance Functions for Shape Representation" (2019).

    ReLU layers and a hyperbolic tangent, the loss clamped at 0.1 (Eq. 4). As published, `DeepSdf(256, 8, 512)`, it has
    1.84 M parameters; without dropout and weight normalisation.
    """

    clamp: ClassVar[float | None] = 0.1

    latent: int = 64
    layers: int = 8
    width: int = 128


@dataclass(frozen=True)
class SoftplusSdf(Perceptron):
    """SDF-8 and SDF-4 of LGCL: softplus layers that start as the distance to a sphere, and a linear last layer.

    SDF-8 as published is `SoftplusSdf(256, 7, 512)`, 1.58 M parameters; SDF-4 `SoftplusSdf(64, 3, 128)`, 41.86 K: LGCL
    counts the last layer, DeepSDF does not.
    """

    skip_scale: ClassVar[float] = sqrt(0.5)

    latent: int = 64
    layers: int = 7
    width: int = 128

    @staticmethod
    def activate(values: Array) -> Array:
        """Return what a hidden layer passes on."""
        return softplus(values)

    @staticmethod
    def finish(values: Array) -> Array:
        """Return the distance as it is."""
        return values

    def initial(self, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a start as the distance to a sphere in the middle of the cube."""
        return sphere_start(self.tensors(), RADIUS, rng)


@dataclass(frozen=True)
class QuantDeepSdf(Perceptron):
    """QuantDeepSDF: DeepSDF with quantised weights and TSDF-Def values (NeCGS, supplement 3.2).

    The width sets the rate. Point and latent come in again beside the whole of the fourth layer: narrow ones have no
    nodes to give up.
    """

    channels: ClassVar[int] = 4
    narrowed: ClassVar[bool] = False

    latent: int = 256
    layers: int = 8
    width: int = 128
