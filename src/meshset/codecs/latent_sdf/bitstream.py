"""The bytes of a set network and of its latents (docs/SPEC.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from struct import pack

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.implicit.bitstream import RESOLUTIONS, QuantisedTensor
from meshset.codecs.latent_sdf.network import LatentNetwork
from meshset.coding import ByteReader, Model, decode, encode, fit, read_model, varint
from meshset.errors import ArchiveError

MAX_PARAMETERS = 1 << 24
MAX_MODELLED = 1 << 20
"""Most numbers that all models of a chunk may cover: a few bytes describe 2^16 of them, each of which takes time."""

MAX_LATENT = 1 << 20


@dataclass(frozen=True)
class SharedPart:
    """What a set shares.

    Attributes:
        resolution: K, grid points a side of the surface.
        network: kind and size.
        weights: its tensors.
        latent_step: quantisation step of all latents.
        latent_model: of their numbers.
    """

    resolution: int
    network: LatentNetwork
    weights: Mapping[str, QuantisedTensor]
    latent_step: np.float32
    latent_model: Model


@dataclass(frozen=True)
class Payload:
    """What one mesh has for itself.

    Attributes:
        latent: (L,) whole numbers of steps.
        keys: (N, 3) whole numbers, as `LatentNetwork.key_numbers` makes them.
    """

    latent: NDArray[np.int32]
    keys: NDArray[np.int32]


def pack_shared(part: SharedPart) -> bytes:
    """Return the shared chunk."""
    out = bytearray(varint(part.resolution) + part.network.pack())
    out += pack("<f", part.latent_step) + part.latent_model.to_bytes()
    coded = []
    for tensor in part.weights.values():
        model = fit(tensor.numbers)
        out += pack("<f", tensor.step) + model.to_bytes()
        coded.append((tensor.numbers, model))
    return bytes(out) + encode(coded)


def read_shared(data: bytes, kind: type[LatentNetwork]) -> SharedPart:
    """Read a shared chunk of a kind of network. Raises ArchiveError where it is not one."""
    fields = ByteReader(data)
    resolution = fields.varint()
    if resolution not in RESOLUTIONS:
        raise ArchiveError(f"unknown resolution {resolution}")
    network = kind.read(fields)
    if network.parameters > MAX_PARAMETERS or not 1 <= network.latent_size <= MAX_LATENT:
        raise ArchiveError("impossible network: too many parameters")
    latent_step, latent_model = _read_step(fields), read_model(fields)
    steps, wanted = [], []
    for shape in network.tensors().values():
        steps.append(_read_step(fields))
        wanted.append((prod(shape), read_model(fields)))
    if sum(model.size for _, model in wanted) > MAX_MODELLED:
        raise ArchiveError("impossible network: its probability models cover too many numbers")
    arrays = decode(fields.rest(), wanted)
    weights = {
        name: QuantisedTensor(numbers.reshape(shape), step)
        for (name, shape), numbers, step in zip(network.tensors().items(), arrays, steps, strict=True)
    }
    return SharedPart(resolution, network, weights, latent_step, latent_model)


def pack_payload(payload: Payload, part: SharedPart) -> bytes:
    """Return the payload of one mesh. The latent must lie in the range of the set's model."""
    count, coded = varint(len(payload.keys)), [(payload.latent, part.latent_model)]
    if not len(payload.keys):
        return count + encode(coded)
    model = fit(payload.keys)
    return count + model.to_bytes() + encode([*coded, (payload.keys, model)])


def read_payload(data: bytes, part: SharedPart) -> Payload:
    """Read a payload. Raises ArchiveError where it is not one."""
    fields, network = ByteReader(data), part.network
    wanted = [(network.latent_size, part.latent_model)]
    if fields.varint() != network.key_points:
        raise ArchiveError("a mesh has the wrong number of key points")
    if network.key_points:
        wanted.append((3 * network.key_points, read_model(fields)))
    latent, *keys = decode(fields.rest(), wanted)
    return Payload(latent, keys[0].reshape(-1, 3) if keys else np.zeros((0, 3), dtype=np.int32))


def _read_step(fields: ByteReader) -> np.float32:
    step = fields.float32()
    if not 0.0 < step < 1e6:
        raise ArchiveError("impossible quantisation step")
    return np.float32(step)
