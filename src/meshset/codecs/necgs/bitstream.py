"""The bytes of a NeCGS set: the decoder once, and one latent per mesh (NeCGS section 3.2; docs/SPEC.md)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.necgs.architecture import Architecture
from meshset.coding import ByteReader, Model, decode, encode, fit, read_model, varint
from meshset.errors import ArchiveError
from meshset.field.grid import ROOT

_RESOLUTIONS = (32, 64, 128, 256)
_FIELD_CHANNELS = (1, 4)
MAX_WIDTHS = 8
"""No decoder has more blocks."""

_CROSSES = 16
"""Added to the number of widths where kernels are crosses."""

_MAX_MODELLED = 1 << 20
"""Most numbers that all models of a set may cover: a few bytes describe 2^16 of them, each of which takes time."""

_MAX_WIDTH = 1024
_MAX_PARAMETERS = 1 << 26


@dataclass(frozen=True)
class QuantisedTensor:
    """Whole numbers and their step: the value is `numbers * step`, in float32."""

    numbers: NDArray[np.int32]
    step: NDArray[np.float32]

    @property
    def values(self) -> NDArray[np.float32]:
        """Return the numbers times the step, float32."""
        return self.numbers.astype(np.float32) * self.step


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
    out = bytearray(_pack_architecture(part.architecture))
    for step, model in zip(part.latent_steps, part.latent_models, strict=True):
        out += struct.pack("<f", step) + model.to_bytes()
    coded = []
    for tensor in part.weights.values():
        model = fit(tensor.numbers)
        out += struct.pack("<f", tensor.step) + model.to_bytes()
        coded.append((tensor.numbers, model))
    return bytes(out) + encode(coded)


def unpack_shared(data: bytes) -> SharedPart:
    """Read a shared chunk. Raises ArchiveError where it is not one."""
    fields = ByteReader(data)
    architecture = _read_architecture(fields)
    latent = [(_read_step(fields), read_model(fields)) for _ in range(architecture.latent_channels)]
    shapes = architecture.tensors()
    steps, wanted = [], []
    for shape in shapes.values():
        steps.append(np.float32(_read_step(fields)))
        wanted.append((prod(shape), read_model(fields)))
    if sum(model.size for _, model in (*latent, *wanted)) > _MAX_MODELLED:
        raise ArchiveError("impossible decoder: its probability models cover too many numbers")
    arrays = decode(fields.rest(), wanted)
    weights = {
        name: QuantisedTensor(numbers.reshape(shape), np.asarray(step))
        for (name, shape), numbers, step in zip(shapes.items(), arrays, steps, strict=True)
    }
    latent_steps = np.array([step for step, _ in latent], dtype=np.float32)
    return SharedPart(architecture, weights, latent_steps, tuple(model for _, model in latent))


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
        raise ArchiveError("impossible decoder")
    widths = tuple(fields.varint() for _ in range(count))
    architecture = Architecture(resolution, widths, hidden, latent_channels, field_channels, crosses=crosses)
    check_architecture(architecture)
    return architecture


def check_architecture(architecture: Architecture) -> None:
    """Raise ArchiveError where a decoder read from an archive has an impossible shape."""
    if architecture.resolution not in _RESOLUTIONS:
        raise ArchiveError(f"unknown resolution {architecture.resolution}")
    if not 1 <= architecture.latent_channels <= _MAX_WIDTH or architecture.hidden > _MAX_WIDTH:
        raise ArchiveError("impossible decoder")
    if architecture.field_channels not in _FIELD_CHANNELS:
        raise ArchiveError(f"unknown field of {architecture.field_channels} channels")
    if not all(1 <= width <= _MAX_WIDTH for width in architecture.widths):
        raise ArchiveError("impossible decoder")
    if len(architecture.widths) not in (architecture.blocks - 1, architecture.blocks):
        raise ArchiveError("impossible decoder: its widths do not fit its resolution")
    if architecture.parameters > _MAX_PARAMETERS:
        raise ArchiveError("impossible decoder: too many parameters")


def _read_step(fields: ByteReader) -> float:
    step = fields.float32()
    if not 0.0 < step < 1e6:
        raise ArchiveError("impossible quantisation step")
    return step
