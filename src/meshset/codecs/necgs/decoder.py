"""The narrow-band decoder: from a latent to a field, evaluated only where the surface is.

Written once over arrays: numpy to read an archive anywhere, torch to decode on a GPU and to train. Every voxel of a
level carries a logit, "some point below me is in the band"; only voxels whose logit is above -FADE are expanded into
their eight children. The features of a voxel are multiplied by a gate that rises from 0 at that threshold to 1 at a
logit of 0: where two machines differ in the last bit of a logit and one of them expands a voxel that the other leaves
out, the field next to it hardly changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import array_api_compat
from array_api_compat import device as _device

from meshset.codecs.necgs.architecture import CROSS, NEIGHBOURS, Architecture
from meshset.errors import ArchiveError
from meshset.field.grid import ROOT, Array, RowLookup, children, root_coords

_CUBE = tuple((dx, dy, dz) for dx, dy, dz in product((-1, 0, 1), repeat=3))
OFFSETS = {NEIGHBOURS: _CUBE, CROSS: tuple(offset for offset in _CUBE if sum(map(abs, offset)) <= 1)}
"""The neighbourhood of a kernel by the number of its voxels; the opposite of the k-th offset is the k-th last."""

FADE = 2.0
"""A voxel exists from a logit of -FADE on, and fully from 0 on: wary, since a voxel left out is a hole."""

_CHUNK = 1 << 23
"""Numbers gathered at a time, at most: they stay near the processor, and memory stays small."""

MAX_NUMBERS = 1 << 28
"""No level may have more numbers than this (1 GiB): a hostile archive must not take all memory."""

_HEAD_NUMBERS = 4 * NEIGHBOURS
"""Numbers that a head needs for every voxel that exists: what it gives to its 27 neighbours."""

Convolution = Callable[[Array, Array, Array], Array]
"""(features (M, C), neighbours (N, T), weights (T C, H)) to (N, H), T voxels being under the kernel."""


def gelu(x: Array) -> Array:
    """Gaussian error linear unit, by its tanh approximation."""
    if array_api_compat.is_torch_array(x):
        from torch.nn.functional import gelu as torch_gelu

        return torch_gelu(x, approximate="tanh")
    xp = array_api_compat.array_namespace(x)
    return 0.5 * x * (1.0 + xp.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def convolve(features: Array, neighbours: Array, weights: Array) -> Array:
    """Apply a 3 x 3 x 3 kernel at listed voxels only: a gather and one matrix product.

    With fewer outputs than inputs the product comes first, on all voxels, so that less is gathered.

    Args:
        features: (M, C) of all voxels that exist at a level.
        neighbours: (N, T) rows of `features` around each voxel asked for, -1 where there is none.
        weights: (T C, H), rows ordered by neighbour, then channel.
    """
    xp = array_api_compat.array_namespace(features)
    absent = xp.zeros((1, features.shape[1]), dtype=features.dtype, device=_device(features))
    padded = xp.concat([features, absent])
    neighbours = xp.where(neighbours < 0, features.shape[0], neighbours)
    taps, outputs = neighbours.shape[1], weights.shape[1]
    if outputs < features.shape[1]:
        projected = xp.reshape(padded @ by_neighbour(weights, taps), (-1, outputs))
        places = neighbours * taps + xp.arange(taps, dtype=neighbours.dtype, device=_device(features))
        given = xp.take(projected, xp.reshape(places, (-1,)), axis=0)
        return xp.sum(xp.reshape(given, (neighbours.shape[0], taps, outputs)), axis=1)
    out = []
    count = max(_CHUNK // weights.shape[0], 1)
    for first in range(0, neighbours.shape[0], count):
        rows = neighbours[first : first + count]
        gathered = xp.take(padded, xp.reshape(rows, (-1,)), axis=0)
        out.append(xp.reshape(gathered, (rows.shape[0], weights.shape[0])) @ weights)
    return xp.concat(out) if out else absent[:0] @ weights[: features.shape[1]]


def by_neighbour(weights: Array, taps: int) -> Array:
    """Turn (T C, H) into (C, T H): what a voxel gives to each of the T that have it as a neighbour."""
    xp = array_api_compat.array_namespace(weights)
    outputs = weights.shape[1]
    apart = xp.reshape(weights, (taps, -1, outputs))
    return xp.reshape(xp.permute_dims(apart, (1, 0, 2)), (-1, taps * outputs))


def neighbour_rows(coords: Array, rows: Array, resolution: int, taps: int) -> Array:
    """Return the rows in `coords` of what is under a kernel at each voxel `coords[rows]`, (N, T), -1 where absent."""
    xp = array_api_compat.array_namespace(coords)
    lookup = RowLookup(coords, resolution)
    strides = xp.asarray([lookup.stride(o) for o in OFFSETS[taps]], device=_device(coords))
    return lookup.at(lookup.keys[rows][:, None] + strides[None, :])


def upsample(
    features: Array,
    neighbours: Array,
    weights: Mapping[str, Array],
    block: int,
    convolution: Convolution = convolve,
) -> Array:
    """Run one block: from the features of a level to what it says of the children of the expanded voxels.

    Returns:
        (8 N, C' + 1) features before activation and, last, the logit; or (8 N, channels) field values.
    """
    xp = array_api_compat.array_namespace(features)
    if f"{block}.kernel" in weights:
        inner = gelu(convolution(features, neighbours, weights[f"{block}.kernel"]) + weights[f"{block}.kernel_bias"])
        out = inner @ weights[f"{block}.shuffle"]
    else:
        out = convolution(features, neighbours, weights[f"{block}.shuffle"])
    return xp.reshape(out + weights[f"{block}.shuffle_bias"], (8 * out.shape[0], out.shape[1] // 8))


def activate(out: Array) -> Array:
    """Split off the logit of a block's output and return features (M, C'), faded in by it."""
    xp = array_api_compat.array_namespace(out)
    return gelu(out[:, :-1]) * xp.clip(1.0 + out[:, -1:] / FADE, min=0.0, max=1.0)


def decode_field(latent: Array, weights: Mapping[str, Array], architecture: Architecture) -> tuple[Array, Array]:
    """Decode one mesh's latent to its field.

    Args:
        latent: (64, C) float32, in the order of `root_coords`.
        weights: tensors named and shaped as `Architecture.tensors` says, float32.

    Returns:
        Grid points (N, 3) int32, and the field there (N, channels) float32.

    Raises:
        ArchiveError: a level needs more than `MAX_NUMBERS` numbers.
    """
    xp = array_api_compat.array_namespace(latent)
    coords, features, side = root_coords(latent), latent, ROOT
    expanded = xp.arange(coords.shape[0], device=_device(latent))
    for block in range(architecture.blocks):
        widest = max(architecture.hidden, weights[f"{block}.shuffle"].shape[1])
        if expanded.shape[0] * widest > MAX_NUMBERS:
            raise ArchiveError("decodes to more numbers than any mesh should need")
        neighbours = neighbour_rows(coords, expanded, side, architecture.taps(block))
        out = upsample(features, neighbours, weights, block)
        coords, side = children(coords[expanded]), 2 * side
        if block == len(architecture.widths):
            return coords, out
        features = activate(out)
        (expanded,) = xp.nonzero(out[:, -1] > -FADE)
    if coords.shape[0] * _HEAD_NUMBERS > MAX_NUMBERS:
        raise ArchiveError("decodes to more numbers than any mesh should need")
    neighbours = neighbour_rows(coords, expanded, side, NEIGHBOURS)
    return coords[expanded], convolve(features, neighbours, weights["head"]) + weights["head_bias"]
