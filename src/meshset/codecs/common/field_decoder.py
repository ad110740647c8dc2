"""Decoders of payloads that hold a field, whose surface is the mesh."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.arrays import on_device, surface_of
from meshset.field.grid import Array
from meshset.geometry.mesh import Mesh


class FieldDecoder(ABC):
    """A decoder with the weights of a set, ready for payloads.

    Args:
        resolution: K, grid points a side of the fields.
        weights: tensors by name.
        device: None for numpy, or the torch device that holds weights and features.
    """

    def __init__(self, resolution: int, weights: Mapping[str, NDArray[np.float32]], device: str | None) -> None:
        self._resolution = resolution
        self._device = device
        self._weights = {name: on_device(values, device) for name, values in weights.items()}

    def decode(self, payload: bytes) -> Mesh:
        """Return the normalised mesh, vertices (V, 3) float32. Raises ArchiveError on invalid bytes."""
        return surface_of(*self.decode_field(payload), self._resolution)

    @abstractmethod
    def decode_field(self, payload: bytes) -> tuple[Array, Array]:
        """Return grid points (N, 3) int32 and the field there (N, channels) float32, as arrays of the chosen device."""
