"""LGCL's network: a graph network makes local codes of the global one, a small perceptron local distances of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.latent_sdf.layers import sphere_start
from meshset.codecs.latent_sdf.network import LatentNetwork, Weights
from meshset.codecs.latent_sdf.perceptrons import SoftplusSdf
from meshset.codecs.lgcl.graph import chebyshev, elu, varying
from meshset.codecs.lgcl.scaffold import Scaffold, read_scaffold
from meshset.coding import ByteReader, varint
from meshset.errors import ArchiveError
from meshset.field.grid import Array
from meshset.geometry.mesh import Mesh

CONVOLUTIONS = ("cheb", "vc")

CODE = 8
"""Numbers of the global code for each key point."""

CHANNELS = (CODE, 8, 16, 32, 64)
ORDERS = {"cheb": (6, 6, 6, 6), "vc": (8, 16, 32, 64)}
"""The last numbers of Table 1: terms of the Chebyshev filters, or common kernels."""

HEAD = SoftplusSdf(CHANNELS[-1], 3, 128)
"""SDF-4."""

_NEAREST = 1 << 22
"""Distances to key points that are held at a time."""


@dataclass(frozen=True, eq=False)
class Lgcl(LatentNetwork):
    """Local geometry code learning: Yao et al., "3D Shapes Local Geometry Codes Learning with SDF" (2021).

    The global code is split evenly over the key points, 8 numbers each; four graph convolutions make a local code of 64
    of them. The distance at a point is that of SDF-4 for the local code of the nearest key point (Eq. 2 and 3), with
    the point seen from there, in units of the scaffold's mean distance of neighbours.

    Attributes:
        scaffold: key points and their neighbours.
        convolution: "cheb" or "vc".
        one_code: whether all key points are given the same 8 numbers (Figure 4b).

    Raises:
        ValueError: there is no such convolution.
    """

    latent_spread: ClassVar[float] = 0.1

    scaffold: Scaffold
    convolution: str = "cheb"
    one_code: bool = False

    def __post_init__(self) -> None:
        if self.convolution not in CONVOLUTIONS:
            raise ValueError(f"there is no convolution {self.convolution!r}, only {', '.join(CONVOLUTIONS)}")

    @property
    def key_points(self) -> int:
        """Points of each mesh that its payload keeps."""
        return len(self.scaffold.chosen)

    @property
    def latent_size(self) -> int:
        """Numbers in the latent of a mesh."""
        return CODE if self.one_code else CODE * self.key_points

    @property
    def multiplications(self) -> int:
        """About how many multiplications a point takes: the nearest key point, then SDF-4."""
        return 3 * self.key_points + HEAD.multiplications

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Return names and shapes: graph convolutions "g0" to "g3", the last without bias, then SDF-4."""
        tensors: dict[str, tuple[int, ...]] = {}
        for layer, order in enumerate(ORDERS[self.convolution]):
            inputs, outputs = CHANNELS[layer : layer + 2]
            tensors[f"g{layer}.kernel"] = (order * inputs, outputs)
            if self.convolution == "vc":
                tensors[f"g{layer}.mixture"] = (self.key_points + 2 * len(self.scaffold.edges), order)
            if layer + 1 < len(CHANNELS) - 1:
                tensors[f"g{layer}.bias"] = (outputs,)
        return tensors | HEAD.tensors()

    def initial(self, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a start: SDF-4 as the distance to a sphere of radius 1, convolutions that keep the variance."""
        start = {}
        around = 1.0 + 2.0 * len(self.scaffold.edges) / self.key_points
        for name, shape in self.tensors().items():
            if name.endswith(".kernel"):
                spread = 1.0 / sqrt(shape[0])
            elif name.endswith(".mixture"):
                spread = 1.0 / sqrt(around)
            else:
                spread = 0.0
            start[name] = (spread * rng.standard_normal(shape)).astype(np.float32)
        return start | sphere_start(HEAD.tensors(), 1.0, rng)

    def codes(self, weights: Weights, latents: Array) -> Array:
        """Return local codes (B, N, 64) of global ones (B, L)."""
        xp = array_api_compat.array_namespace(latents)
        features = xp.reshape(latents, (latents.shape[0], -1, CODE))
        if self.one_code:
            features = xp.concat([features] * self.key_points, axis=1)
        convolve = chebyshev if self.convolution == "cheb" else varying
        last = len(CHANNELS) - 2
        for layer in range(last + 1):
            features = convolve(self.scaffold, weights, f"g{layer}", features)
            features = features if layer == last else elu(features)
        return features

    def values(self, weights: Weights, codes: Array, keys: Array, points: Array) -> Array:
        """Return distances (B, P, 1) at points (B, P, 3), for local codes (B, N, 64) and key points (B, N, 3)."""
        xp = array_api_compat.array_namespace(points)
        batch, count = points.shape[:2]
        regions = xp.stack([nearest(keys[i], points[i]) + i * self.key_points for i in range(batch)])
        rows = xp.reshape(regions, (-1,))

        def spread(values: Array) -> Array:
            flat = xp.reshape(values, (-1, values.shape[-1]))
            return xp.reshape(xp.take(flat, rows, axis=0), (batch, count, -1))

        unit = float(self.scaffold.unit)
        return unit * HEAD.run(weights, codes, (points - spread(keys)) / unit, spread)

    def key_numbers(self, mesh: Mesh) -> NDArray[np.int32]:
        """Return the key points of a mesh to be stored. Raises MeshFileError for another connectivity."""
        return self.scaffold.key_numbers(mesh)

    def key_values(self, numbers: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the key points (N, 3) in the cube that were stored."""
        return self.scaffold.key_values(numbers)

    def pack(self) -> bytes:
        """Return the network as bytes, for `read`."""
        return varint(CONVOLUTIONS.index(self.convolution)) + varint(int(self.one_code)) + self.scaffold.pack()

    @classmethod
    def read(cls, data: ByteReader) -> Lgcl:
        """Read what `pack` wrote. Raises ArchiveError for anything else."""
        convolution, one_code = data.varint(), data.varint()
        if convolution >= len(CONVOLUTIONS) or one_code > 1:
            raise ArchiveError("invalid network: an unknown convolution")
        return cls(read_scaffold(data), CONVOLUTIONS[convolution], bool(one_code))


def nearest(keys: Array, points: Array) -> Array:
    """Return the number of the key point (N, 3) that is nearest to each point (P, 3), (P,) (Eq. 3)."""
    xp = array_api_compat.array_namespace(points)
    squared = xp.sum(keys * keys, axis=1)
    rows = max(1, _NEAREST // keys.shape[0])
    parts = []
    for first in range(0, points.shape[0], rows):
        some = points[first : first + rows]
        some = some.detach() if array_api_compat.is_torch_array(some) else some
        parts.append(xp.argmin(squared - 2.0 * (some @ keys.T), axis=1))
    return xp.concat(parts) if parts else xp.zeros(0, dtype=xp.int64)
