"""The network of the key spheres paper: a perceptron of the point and of what the spheres inside the mesh say there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.layers import check_size, layer_tensors, uniform_layers
from meshset.codecs.common.samples import Samples
from meshset.codecs.implicit.codec import ImplicitCodec
from meshset.codecs.implicit.network import FieldNetwork, Frame, Weights, linear, relu
from meshset.codecs.implicit.perceptrons import perceptron_tensors
from meshset.coding import ByteReader, decode, encode, fit, read_model, varint
from meshset.errors import ArchiveError
from meshset.field.grid import Array
from meshset.geometry.key_spheres import key_spheres
from meshset.geometry.mesh import Mesh
from meshset.geometry.orientation import face_outward

FEATURES = 29
"""With three coordinates the first layer has 32 inputs."""

MAX_SPHERES = 1024
"""The distances of some thousand points to all of them are held at a time."""

_UNITS = 512
"""Centres and radii are whole multiples of 1 / 512. The network is trained on the spheres as they are stored."""


@dataclass(frozen=True)
class KeySpheres(FieldNetwork):
    """The network of the key spheres paper, section 2.3.

    A point x has 29 features beside its coordinates, the mean of those of the spheres under the weights of Eq. 3,

        d_j / sum of all d, with d_j = 2 r_j + |x - c_j|.

    Those of a sphere come from its centre and radius by one layer (the direct branch, DPFE), or are trained (the latent
    branch, LPFE). The paper leaves open what follows a layer. Here it is what NI has, ReLU, with a hyperbolic tangent
    at the end, but nothing after the layer of the spheres, as in the released code: with ReLU there the features would
    span more than 4 dimensions, but meshes came out less exact (docs/implicit.md).

    Attributes:
        spheres: M.
        layers: K, hidden layers.
        width: Q, nodes of each.
        latent: 0 for the direct branch, 1 for the latent one.
    """

    spheres: int = 128
    layers: int = 6
    width: int = 32
    latent: int = 0

    def __post_init__(self) -> None:
        check_size(self.layers, self.width)
        if not 1 <= self.spheres <= MAX_SPHERES or self.latent not in (0, 1):
            raise ValueError(f"{self.spheres} spheres, branch {self.latent}")

    def tensors(self, frame: Frame) -> dict[str, tuple[int, ...]]:
        """Return names and shapes, as `FieldNetwork.tensors` says."""
        return self._sphere_tensors() | perceptron_tensors(3 + FEATURES, self.layers, self.width)

    def initial(self, frame: Frame, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a start after He et al. 2015, latents from N(0, 0.01)."""
        start = uniform_layers(self.tensors(frame), rng)
        if self.latent:
            start["latent"] = rng.normal(0.0, 0.01, start["latent"].shape).astype(np.float32)
        return start

    def distance(self, weights: Weights, frame: Frame, points: Array) -> Array:
        """Return signed distances (B, P) at points (B, 3, P)."""
        xp = array_api_compat.array_namespace(points)
        features = xp.concat([points, self._point_features(weights, frame["spheres"], points)], axis=1)
        for layer in range(self.layers):
            features = relu(linear(features, weights, str(layer)))
        return xp.tanh(linear(features, weights, "last"))[:, 0]

    def frame_of(self, mesh: Mesh, samples: Samples, rng: np.random.Generator) -> Frame:
        """Return the spheres of a mesh, rounded, (M, 4) float32 in the order of their first coordinate."""
        found = key_spheres(face_outward(mesh)[0], self.spheres, int(rng.integers(1 << 31)))
        whole = np.rint(np.clip(found, -1.0, 1.0) * _UNITS).astype(np.int32)
        return {"spheres": _as_floats(whole[np.lexsort(whole.T[::-1])])}

    def pack_frame(self, frame: Frame) -> bytes:
        """Return the spheres: models and coded numbers of the steps along x, of y, z and of the radii."""
        columns = np.rint(frame["spheres"] * _UNITS).astype(np.int32).T.copy()
        columns[0] = np.diff(columns[0], prepend=-_UNITS)
        coded = [(column, fit(column)) for column in columns]
        words = encode(coded)
        return b"".join(model.to_bytes() for _, model in coded) + varint(len(words)) + words

    def read_frame(self, data: ByteReader) -> Frame:
        """Read what `pack_frame` wrote. Raises ArchiveError on anything else."""
        wanted = [(self.spheres, read_model(data)) for _ in range(4)]
        columns = np.stack(decode(data.take(data.varint()), wanted)).astype(np.int64)
        columns[0] = np.cumsum(columns[0]) - _UNITS
        if np.abs(columns).max() > _UNITS or columns[3].min() < 0:
            raise ArchiveError("invalid key spheres")
        return {"spheres": _as_floats(columns.T)}

    def stored_floats(self, frame: Frame) -> int:
        """Return the number of weights and four for each sphere: Eq. 4, in which (Q + 1) * 32 is (32 + 1) * Q."""
        return self.parameters(frame) + 4 * self.spheres

    def multiplications(self, frame: Frame) -> int:
        """Return about how many multiplications a point takes."""
        return self.parameters(frame) + (4 + FEATURES) * self.spheres

    def _sphere_tensors(self) -> dict[str, tuple[int, ...]]:
        return {"latent": (self.spheres, FEATURES)} if self.latent else layer_tensors("sphere", 4, FEATURES)

    def _point_features(self, weights: Weights, spheres: Array, points: Array) -> Array:
        """Return the features (B, 29, P) of points (B, 3, P) among spheres (B, M, 4)."""
        xp = array_api_compat.array_namespace(points)
        if self.latent:
            of_spheres = xp.matrix_transpose(weights["latent"])
        else:
            of_spheres = linear(xp.matrix_transpose(spheres), weights, "sphere")
        centres, radii = spheres[:, :, :3], spheres[:, :, 3:]
        squared = xp.sum(centres**2, axis=2)[:, :, None] + xp.sum(points**2, axis=1)[:, None]
        away = xp.sqrt(xp.clip(squared - 2 * (centres @ points), min=0.0))
        shares = 2 * radii + away
        return (of_spheres @ shares) / xp.sum(shares, axis=1)[:, None]


def _as_floats(whole: NDArray[Any]) -> NDArray[np.float32]:
    return whole.astype(np.float32) / np.float32(_UNITS)


@dataclass(frozen=True)
class KeySpheresCodec(ImplicitCodec):
    """The key spheres paper: a network with spheres inside of the mesh among its inputs."""

    id: ClassVar[int] = 9
    name: ClassVar[str] = "key-spheres"
    network: FieldNetwork = field(default_factory=KeySpheres)
