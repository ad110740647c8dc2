"""The bytes of a set in the paper's configuration: Huffman codes, the decoder once, one latent per mesh (SPEC.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.necgs.architecture import MAX_WIDTHS, Architecture, check_architecture
from meshset.codecs.necgs_paper.levels import HIGHEST
from meshset.coding import ByteReader, varint
from meshset.coding.huffman import HuffmanCode, decode, encode, fit, read_code
from meshset.errors import ArchiveError
from meshset.field.grid import ROOT


@dataclass(frozen=True)
class SharedPart:
    """What a set shares.

    Attributes:
        architecture: the decoder's shape; `expands` says which engine made it.
        weights: the levels, -128 to 128, of the tensors of `Architecture.tensors` by name.
        latent_code: the code of all latents.
    """

    architecture: Architecture
    weights: Mapping[str, NDArray[np.int32]]
    latent_code: HuffmanCode


def fit_latent_code(latents: Sequence[NDArray[np.int32]]) -> HuffmanCode:
    """Return the code of all latents (64, C) of a set."""
    return fit(np.concatenate(latents))


def pack_shared(part: SharedPart) -> bytes:
    """Return the shared chunk: architecture, the code of the latents, those of all tensors, and the coded tensors."""
    codes = [fit(tensor) for tensor in part.weights.values()]
    tables = b"".join(code.to_bytes() for code in (part.latent_code, *codes))
    return _pack_architecture(part.architecture) + tables + encode(list(zip(part.weights.values(), codes, strict=True)))


def unpack_shared(data: bytes) -> SharedPart:
    """Read a shared chunk. Raises ArchiveError where it is not one."""
    fields = ByteReader(data)
    architecture = _read_architecture(fields)
    latent_code = _read_code(fields)
    shapes = architecture.tensors()
    wanted = [(prod(shape), _read_code(fields)) for shape in shapes.values()]
    arrays = decode(fields.rest(), wanted)
    weights = {name: numbers.reshape(shape) for (name, shape), numbers in zip(shapes.items(), arrays, strict=True)}
    return SharedPart(architecture, weights, latent_code)


def pack_latent(numbers: NDArray[np.int32], code: HuffmanCode) -> bytes:
    """Return the payload of one mesh: its latent (64, C), row after row. Never empty."""
    return encode([(numbers, code)]) or bytes(1)


def unpack_latent(payload: bytes, code: HuffmanCode, channels: int) -> NDArray[np.int32]:
    """Read a payload to its latent (64, C). Raises ArchiveError where it is not one."""
    if len(code.lengths) == 1 and payload == bytes(1):
        payload = b""
    return decode(payload, [(ROOT**3 * channels, code)])[0].reshape(ROOT**3, channels)


def _pack_architecture(architecture: Architecture) -> bytes:
    numbers = (
        architecture.expands,
        architecture.resolution,
        architecture.latent_channels,
        architecture.field_channels,
        len(architecture.widths),
        *architecture.widths,
    )
    return b"".join(map(varint, numbers))


def _read_architecture(fields: ByteReader) -> Architecture:
    expands, resolution, latent_channels, field_channels, count = (fields.varint() for _ in range(5))
    if expands > 1 or count > MAX_WIDTHS:
        raise ArchiveError("invalid decoder parameters")
    widths = tuple(fields.varint() for _ in range(count))
    architecture = Architecture(resolution, widths, 0, latent_channels, field_channels, bool(expands))
    check_architecture(architecture)
    if not architecture.has_head:
        raise ArchiveError("invalid decoder parameters: it has no head")
    return architecture


def _read_code(fields: ByteReader) -> HuffmanCode:
    code = read_code(fields)
    if code.low < -HIGHEST or code.low + len(code.lengths) - 1 > HIGHEST:
        raise ArchiveError("a Huffman code has numbers outside of the quantiser's levels")
    return code
