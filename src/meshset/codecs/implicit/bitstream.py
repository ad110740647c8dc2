"""The bytes of a set of field networks: a header for the set, one network for each mesh (docs/SPEC.md)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.implicit.network import FieldNetwork, Frame
from meshset.coding import ByteReader, decode, encode, fit, read_model, varint
from meshset.errors import ArchiveError

RESOLUTIONS = (32, 64, 128, 256)
BITS = range(2, 17)
"""Bits of a weight before entropy coding."""

_MAX_HYPER_PARAMETERS = 16
_MAX_PARAMETERS = 1 << 24
_MAX_MODELLED = 1 << 20
"""Most numbers that all models of a mesh may cover: a few bytes describe 2^16 of them, each of which takes time."""


@dataclass(frozen=True)
class Header:
    """What a set shares.

    Attributes:
        resolution: K, grid points a side of the surface.
        bits: of a weight before entropy coding, for meshes that join the set.
        network: kind and size of the networks.
    """

    resolution: int
    bits: int
    network: FieldNetwork


@dataclass(frozen=True)
class QuantisedTensor:
    """Whole numbers and their step: the value is `numbers * step`, in float32."""

    numbers: NDArray[np.int32]
    step: np.float32

    @property
    def values(self) -> NDArray[np.float32]:
        """Return the numbers times the step, float32."""
        return self.numbers.astype(np.float32) * self.step


def pack_header(header: Header) -> bytes:
    """Return the shared chunk."""
    numbers = astuple(header.network)
    return b"".join(map(varint, (header.resolution, header.bits, len(numbers), *numbers)))


def read_header(data: bytes, kind: type[FieldNetwork]) -> Header:
    """Read a shared chunk of networks of a kind. Raises ArchiveError where it is not one."""
    fields = ByteReader(data)
    resolution, bits, count = (fields.varint() for _ in range(3))
    if resolution not in RESOLUTIONS or bits not in BITS:
        raise ArchiveError(f"unknown resolution {resolution} or {bits} bits a weight")
    if count > _MAX_HYPER_PARAMETERS:
        raise ArchiveError("impossible field network")
    network = kind.read([fields.varint() for _ in range(count)])
    if fields.rest():
        raise ArchiveError("a shared chunk is longer than its contents")
    return Header(resolution, bits, network)


def pack_mesh(network: FieldNetwork, frame: Frame, weights: Mapping[str, QuantisedTensor]) -> bytes:
    """Return the payload of one mesh: the frame, then steps, models and coded numbers of all tensors."""
    out = bytearray(network.pack_frame(frame))
    coded = []
    for tensor in weights.values():
        model = fit(tensor.numbers)
        out += struct.pack("<f", tensor.step) + model.to_bytes()
        coded.append((tensor.numbers, model))
    return bytes(out) + encode(coded)


def read_mesh(payload: bytes, network: FieldNetwork) -> tuple[Frame, dict[str, NDArray[np.float32]]]:
    """Read a payload to frame and weights. Raises ArchiveError where it is not one."""
    fields = ByteReader(payload)
    frame = network.read_frame(fields)
    shapes = network.tensors(frame)
    if sum(map(prod, shapes.values())) > _MAX_PARAMETERS:
        raise ArchiveError("impossible field network: too many parameters")
    steps, wanted = [], []
    for shape in shapes.values():
        step = fields.float32()
        if not 0.0 < step < 1e6:
            raise ArchiveError("impossible quantisation step")
        steps.append(np.float32(step))
        wanted.append((prod(shape), read_model(fields)))
    if sum(model.size for _, model in wanted) > _MAX_MODELLED:
        raise ArchiveError("impossible field network: its probability models cover too many numbers")
    arrays = decode(fields.rest(), wanted)
    return frame, {
        name: QuantisedTensor(numbers.reshape(shape), step).values
        for (name, shape), numbers, step in zip(shapes.items(), arrays, steps, strict=True)
    }
