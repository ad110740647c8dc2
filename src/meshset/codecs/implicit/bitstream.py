"""The bytes of a set of field networks: a header for the set, one network for each mesh (docs/SPEC.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.resolutions import known_resolution
from meshset.codecs.common.tensors import BITS, QuantisedTensor, pack_tensors, read_tensors
from meshset.codecs.implicit.network import FieldNetwork, Frame
from meshset.coding import ByteReader, varint
from meshset.errors import ArchiveError
from meshset.vocabulary import Resolution

_MAX_HYPER_PARAMETERS = 16
_MAX_PARAMETERS = 1 << 24


@dataclass(frozen=True)
class Header:
    """What a set shares.

    Attributes:
        resolution: K, grid points a side of the surface.
        bits: of a weight before entropy coding, for meshes that join the set.
        network: kind and size of the networks.
    """

    resolution: Resolution
    bits: int
    network: FieldNetwork


def pack_header(header: Header) -> bytes:
    """Return the shared chunk."""
    numbers = astuple(header.network)
    return b"".join(map(varint, (header.resolution, header.bits, len(numbers), *numbers)))


def read_header(data: bytes, kind: type[FieldNetwork]) -> Header:
    """Read a shared chunk of networks of a kind. Raises ArchiveError where it is not one."""
    fields = ByteReader(data)
    resolution, bits, count = (fields.varint() for _ in range(3))
    resolution = known_resolution(resolution)
    if bits not in BITS:
        raise ArchiveError(f"invalid weights of {bits} bits")
    if count > _MAX_HYPER_PARAMETERS:
        raise ArchiveError("invalid field network")
    network = kind.read([fields.varint() for _ in range(count)])
    if fields.rest():
        raise ArchiveError("a shared chunk is longer than its contents")
    return Header(resolution, bits, network)


def pack_mesh(network: FieldNetwork, frame: Frame, weights: Mapping[str, QuantisedTensor]) -> bytes:
    """Return the payload of one mesh: the frame, then steps, models and coded numbers of all tensors."""
    return network.pack_frame(frame) + pack_tensors(weights.values())


def read_mesh(payload: bytes, network: FieldNetwork) -> tuple[Frame, dict[str, NDArray[np.float32]]]:
    """Read a payload to frame and weights. Raises ArchiveError where it is not one."""
    fields = ByteReader(payload)
    frame = network.read_frame(fields)
    shapes = network.tensors(frame)
    if sum(map(prod, shapes.values())) > _MAX_PARAMETERS:
        raise ArchiveError("invalid field network: too many parameters")
    tensors = read_tensors(fields, shapes, "field network")
    return frame, {name: tensor.values for name, tensor in tensors.items()}
