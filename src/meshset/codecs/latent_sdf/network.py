"""What a network of a set says of itself; trainer, evaluator and bitstream do the rest.

One network serves all meshes of a set; each mesh has a latent, and what the network is to know of the mesh beside it:
its key points, often none. The forward pass is written once, over arrays with a leading axis of meshes: torch trains
on batches, numpy decodes one. Channels come last, (B, P, C), so that all points of a batch are one matrix product.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from meshset.coding import ByteReader, varint
from meshset.errors import ArchiveError
from meshset.field.grid import Array
from meshset.geometry.mesh import Mesh

Weights = Mapping[str, Array]
"""Tensors of a network by name, shared by the set."""


@dataclass(frozen=True)
class LatentNetwork(ABC):
    """A kind of network and its size.

    A subclass is a frozen dataclass, whose `__post_init__` raises ValueError for impossible sizes, since they may come
    from hostile bytes. Where its fields are not all whole numbers, it has its own `pack` and `read`.
    """

    channels: ClassVar[int] = 1
    """1 for signed distances, 4 for the TSDF-Def on a grid."""

    clamp: ClassVar[float | None] = None
    """Distance beyond which neither the loss nor the evaluator looks at the value; None where all of it counts."""

    latent_spread: ClassVar[float] = 0.01
    """Standard deviation of the latents before training (DeepSDF's and IGR's released codes)."""

    @property
    @abstractmethod
    def latent_size(self) -> int:
        """Numbers in the latent of a mesh."""

    @property
    def key_points(self) -> int:
        """Points of each mesh that its payload keeps."""
        return 0

    @abstractmethod
    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Return names and shapes of the tensors, in stored order."""

    @abstractmethod
    def initial(self, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a random start for the tensors."""

    def codes(self, weights: Weights, latents: Array) -> Array:
        """Return what points are given of latents (B, L): (B, M, C), by default the one latent itself, M = 1."""
        return latents[:, None, :]

    @abstractmethod
    def values(self, weights: Weights, codes: Array, keys: Array, points: Array) -> Array:
        """Return values (B, P, channels) at points (B, P, 3), for codes from `codes` and key points (B, N, 3)."""

    def key_numbers(self, mesh: Mesh) -> NDArray[np.int32]:
        """Return the key points of a mesh as whole numbers (N, 3), to be stored and given to `key_values`.

        Raises:
            MeshFileError: the network cannot represent this mesh.
        """
        return np.zeros((0, 3), dtype=np.int32)

    def key_values(self, numbers: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the key points (N, 3) in the cube that `key_numbers` stored."""
        return np.zeros((0, 3), dtype=np.float32)

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(prod(shape) for shape in self.tensors().values())

    @property
    def multiplications(self) -> int:
        """About how many multiplications a point takes; an evaluator's work is bounded by it."""
        return self.parameters

    def pack(self) -> bytes:
        """Return kind and size as bytes, for `read`."""
        return b"".join(map(varint, astuple(self)))

    @classmethod
    def read(cls, data: ByteReader) -> LatentNetwork:
        """Read what `pack` wrote. Raises ArchiveError for anything else."""
        try:
            return cls(*(data.varint() for _ in fields(cls)))
        except ValueError as error:
            raise ArchiveError(f"invalid network: {error}") from None
