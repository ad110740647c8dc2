"""The bytes of a NeCGS set: the decoder once, and one latent per mesh (NeCGS section 3.2; docs/SPEC.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.tensors import QuantisedTensor, pack_scale, pack_tensors, read_step, read_tensors
from meshset.codecs.necgs.architecture import MAX_WIDTHS, Architecture, check_architecture
from meshset.coding import ByteReader, Model, decode, encode, fit, read_model, varint
from meshset.errors import ArchiveError
from meshset.field.grid import ROOT

_CROSSES = 16
"""Added to the number of widths where kernels are crosses."""


@dataclass(frozen=True)
class SharedPart:
    """What a set shares.

    Attributes:
        architecture: the decoder's shape.
        weights: the tensors of `Architecture.tensors` by name, each with one step.
        latent_steps: (C,) float32, one step per latent channel.
        latent_models: C models, one per latent channel.
    """

    architecture: Architecture
    weights: Mapping[str, QuantisedTensor]
    latent_steps: NDArray[np.float32]
    latent_models: tuple[Model, ...]


def fit_latent_models(latents: Sequence[NDArray[np.int32]]) -> tuple[Model, ...]:
    """Return for each channel the model of all latents (64, C) of a set."""
    together = np.concatenate(latents)
    return tuple(fit(np.ascontiguousarray(channel)) for channel in together.T)


def pack_shared(part: SharedPart) -> bytes:
    """Return the shared chunk: architecture, latent models, then steps, models and coded numbers of all tensors."""
    latents = b"".join(map(pack_scale, part.latent_steps, part.latent_models))
    return _pack_architecture(part.architecture) + latents + pack_tensors(part.weights.values())


def unpack_shared(data: bytes) -> SharedPart:
    """Read a shared chunk. Raises ArchiveError where it is not one."""
    fields = ByteReader(data)
    architecture = _read_architecture(fields)
    latents = [(read_step(fields), read_model(fields)) for _ in range(architecture.latent_channels)]
    steps, models = np.array([step for step, _ in latents]), tuple(model for _, model in latents)
    weights = read_tensors(fields, architecture.tensors(), "decoder", modelled=sum(model.size for model in models))
    return SharedPart(architecture, weights, steps, models)


def pack_latent(numbers: NDArray[np.int32], models: Sequence[Model]) -> bytes:
    """Return the payload of one mesh: its latent (64, C), channel after channel. Never empty."""
    coded = encode([(np.ascontiguousarray(c), model) for c, model in zip(numbers.T, models, strict=True)])
    return coded or bytes(4)


def unpack_latent(payload: bytes, models: Sequence[Model]) -> NDArray[np.int32]:
    """Read a payload to its latent (64, C). Raises ArchiveError where it is not one."""
    return np.stack(decode(payload, [(ROOT**3, model) for model in models]), axis=1)


def _pack_architecture(architecture: Architecture) -> bytes:
    numbers = (
        architecture.resolution,
        architecture.latent_channels,
        architecture.field_channels,
        architecture.hidden,
        len(architecture.widths) + _CROSSES * architecture.crosses,
        *architecture.widths,
    )
    return b"".join(map(varint, numbers))


def _read_architecture(fields: ByteReader) -> Architecture:
    resolution, latent_channels, field_channels, hidden, count = (fields.varint() for _ in range(5))
    crosses = count >= _CROSSES
    count -= _CROSSES * crosses
    if count > MAX_WIDTHS:
        raise ArchiveError("invalid decoder parameters")
    widths = tuple(fields.varint() for _ in range(count))
    architecture = Architecture(resolution, widths, hidden, latent_channels, field_channels, crosses=crosses)
    check_architecture(architecture)
    return architecture
