"""What a field network says of itself; trainer, evaluator and bitstream do the rest.

A network maps points to signed distances, negative inside, and has few weights. Its forward pass is written once, over
arrays with a leading axis of meshes: torch trains many meshes together, numpy decodes one. Channels come before points,
(B, C, P), which keeps the long axis of small matrix products contiguous.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import prod
from typing import Any, ClassVar

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.samples import Samples
from meshset.coding import ByteReader
from meshset.errors import ArchiveError
from meshset.field.grid import Array
from meshset.geometry.mesh import Mesh

Weights = Mapping[str, Array]
"""Trained tensors by name; stacked over meshes they have a leading axis B."""

Frame = Mapping[str, Array]
"""What a mesh's network has beside weights and does not train: arrays by name, often none."""


@dataclass(frozen=True)
class FieldNetwork(ABC):
    """A kind of network and its size.

    A subclass is a frozen dataclass whose fields are whole numbers from 0 to 2^31, its hyper-parameters: a shared chunk
    stores them in their order. `__post_init__` raises ValueError for impossible ones, since they may come from hostile
    bytes.
    """

    rate: ClassVar[float] = 5e-3
    """Peak learning rate of Adam."""

    clamp: ClassVar[float | None] = None
    """Distance beyond which neither the loss nor the evaluator looks at the value; None where all of it counts."""

    @abstractmethod
    def tensors(self, frame: Frame) -> dict[str, tuple[int, ...]]:
        """Return names and shapes of the trained tensors of one mesh, in stored order.

        Only the first axis may depend on the frame; in a batch shorter tensors are padded with zeros there.
        """

    @abstractmethod
    def initial(self, frame: Frame, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a random start for the tensors of one mesh."""

    @abstractmethod
    def distance(self, weights: Weights, frame: Frame, points: Array) -> Array:
        """Return signed distances (B, P) at points (B, 3, P), for weights and frames stacked over B meshes."""

    def frame_of(self, mesh: Mesh, samples: Samples, rng: np.random.Generator) -> Frame:
        """Return what a mesh's network has beside its weights, as it will be read back from the payload.

        Raises:
            MeshFileError: the network cannot represent this mesh.
        """
        return {}

    def pack_frame(self, frame: Frame) -> bytes:
        """Return a frame as bytes, which stand at the beginning of the payload."""
        return b""

    def read_frame(self, data: ByteReader) -> Frame:
        """Read what `pack_frame` wrote. Raises ArchiveError on anything else."""
        return {}

    def stored_floats(self, frame: Frame) -> int:
        """Return how many float32 numbers the papers would count for one mesh, frame included."""
        return self.parameters(frame)

    def parameters(self, frame: Frame) -> int:
        """Return the number of trained weights of one mesh."""
        return sum(prod(shape) for shape in self.tensors(frame).values())

    def multiplications(self, frame: Frame) -> int:
        """Return about how many multiplications a point takes; an evaluator's work is bounded by it."""
        return self.parameters(frame)

    @classmethod
    def read(cls, numbers: Sequence[int]) -> FieldNetwork:
        """Return the network with these hyper-parameters. Raises ArchiveError for impossible ones."""
        if len(numbers) != len(fields(cls)):
            raise ArchiveError("a field network has the wrong number of hyper-parameters")
        try:
            return cls(*numbers)
        except ValueError as error:
            raise ArchiveError(f"invalid field network: {error}") from None


def stacked(arrays: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Stack arrays of equal names over meshes, those with a shorter first axis padded with zeros at its end."""
    together = {}
    for name, first in arrays[0].items():
        own = [np.asarray(mesh[name]) for mesh in arrays]
        longest = max((len(array) for array in own), default=0) if first.ndim else 0
        out = np.zeros((len(own), longest, *first.shape[1:]) if first.ndim else (len(own),), dtype=first.dtype)
        for row, array in zip(out, own, strict=True):
            row[: len(array)] = array
        together[name] = out
    return together


def linear(features: Array, weights: Weights, name: str) -> Array:
    """Apply the layer `name`.weight (B, H, C), `name`.bias (B, H) to features (B, C, P); returns (B, H, P)."""
    kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"][:, :, None]
    if array_api_compat.is_torch_array(features):
        import torch

        return torch.baddbmm(bias, kernel, features)
    return kernel @ features + bias


def relu(values: Array) -> Array:
    """Return max(values, 0); torch does it in place, so `values` must be a result that nobody else needs."""
    if array_api_compat.is_torch_array(values):
        return values.relu_()
    return np.maximum(values, 0, out=values)
