"""The bytes of a set network and of its latents (docs/SPEC.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.resolutions import known_resolution
from meshset.codecs.common.tensors import QuantisedTensor, pack_scale, pack_tensors, read_step, read_tensors
from meshset.codecs.latent_sdf.network import LatentNetwork
from meshset.coding import ByteReader, Model, decode, encode, fit, read_model, varint
from meshset.errors import ArchiveError
from meshset.vocabulary import Resolution

MAX_PARAMETERS = 1 << 24
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

    resolution: Resolution
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
    latents = pack_scale(part.latent_step, part.latent_model)
    return varint(part.resolution) + part.network.pack() + latents + pack_tensors(part.weights.values())


def read_shared(data: bytes, kind: type[LatentNetwork]) -> SharedPart:
    """Read a shared chunk of a kind of network. Raises ArchiveError where it is not one."""
    fields = ByteReader(data)
    resolution = known_resolution(fields.varint())
    network = kind.read(fields)
    if network.parameters > MAX_PARAMETERS or not 1 <= network.latent_size <= MAX_LATENT:
        raise ArchiveError("invalid network: too many parameters")
    latent_step, latent_model = read_step(fields), read_model(fields)
    weights = read_tensors(fields, network.tensors(), "network")
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
