"""Tensors as they are stored: whole numbers and a step, coded by a model each (docs/SPEC.md)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from meshset.coding import ByteReader, Model, decode, encode, fit, read_model
from meshset.errors import ArchiveError

BITS = range(2, 17)
"""Bits of a number before entropy coding, where a codec lets its user choose."""

MAX_MODELLED = 1 << 20
"""Most numbers that all models of a chunk may cover: a few bytes describe 2^16 of them, each of which takes time."""


@dataclass(frozen=True)
class QuantisedTensor:
    """Whole numbers and their step: the value is `numbers * step`, in float32.

    Attributes:
        numbers: of any shape.
        step: one for all numbers, or an array that is broadcast over them.
    """

    numbers: NDArray[np.int32]
    step: NDArray[np.float32] | np.float32

    @property
    def values(self) -> NDArray[np.float32]:
        """Return the numbers times the step, float32."""
        return self.numbers.astype(np.float32) * self.step


def check_bits(bits: int) -> None:
    """Raise ValueError where numbers cannot have so many bits."""
    if bits not in BITS:
        raise ValueError(f"weights have {BITS.start} to {BITS.stop - 1} bits, not {bits}")


def largest_number(bits: int) -> int:
    """Return the largest of the numbers of so many bits, which lie symmetrically around 0."""
    return (1 << (bits - 1)) - 1


def pack_scale(step: np.float32 | NDArray[np.float32], model: Model) -> bytes:
    """Return a step and the model of the numbers that it scales, for `read_step` and then `read_model`."""
    return struct.pack("<f", step) + model.to_bytes()


def read_step(fields: ByteReader) -> np.float32:
    """Read a quantisation step. Raises ArchiveError for one that no codec can have written."""
    step = fields.float32()
    if not 0.0 < step < 1e6:
        raise ArchiveError("invalid quantisation step")
    return np.float32(step)


def pack_tensors(tensors: Iterable[QuantisedTensor]) -> bytes:
    """Return steps and models of tensors of one step each, then the coded numbers of all."""
    out, coded = bytearray(), []
    for tensor in tensors:
        model = fit(tensor.numbers)
        out += pack_scale(tensor.step, model)
        coded.append((tensor.numbers, model))
    return bytes(out) + encode(coded)


def read_tensors(
    fields: ByteReader, shapes: Mapping[str, tuple[int, ...]], owner: str, modelled: int = 0
) -> dict[str, QuantisedTensor]:
    """Read what `pack_tensors` wrote, up to the end of the chunk.

    Args:
        fields: the chunk.
        shapes: of the tensors by name, in stored order.
        owner: of the tensors, as messages call it.
        modelled: numbers that other models of the chunk cover.

    Raises:
        ArchiveError: the bytes are something else.
    """
    steps, wanted = [], []
    for shape in shapes.values():
        steps.append(read_step(fields))
        wanted.append((prod(shape), read_model(fields)))
    if modelled + sum(model.size for _, model in wanted) > MAX_MODELLED:
        raise ArchiveError(f"invalid {owner}: its probability models cover too many numbers")
    arrays = decode(fields.rest(), wanted)
    return {
        name: QuantisedTensor(numbers.reshape(shape), step)
        for (name, shape), numbers, step in zip(shapes.items(), arrays, steps, strict=True)
    }
