"""The paper's decoder on the whole grid, over arrays: numpy to read an archive anywhere, torch on a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import array_api_compat
from array_api_compat import device as _device

from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.decoder import MAX_NUMBERS, gelu
from meshset.errors import ArchiveError
from meshset.field.grid import ROOT, Array

_SLAB = 1 << 24
"""Numbers that are made at a time, at most, so that little is needed beside the volumes themselves."""


def decode_grid(latent: Array, weights: Mapping[str, Array], architecture: Architecture) -> Array:
    """Decode one mesh's latent to the field on every grid point, (K, K, K, channels) float32.

    Args:
        latent: (64, C) float32, in the order of `meshset.field.grid.root_coords`.
        weights: tensors named and shaped as `Architecture.tensors` says, without expansion logits, float32.

    Raises:
        ArchiveError: a level needs more than `MAX_NUMBERS` numbers.
    """
    volume, side = _root(latent), ROOT
    for block in range(architecture.blocks):
        columns = weights[f"{block}.shuffle"].shape[1]
        if side**3 * columns > MAX_NUMBERS:
            raise ArchiveError("decodes to more numbers than any mesh should need")
        volume = _convolved(volume, weights[f"{block}.shuffle"], weights[f"{block}.shuffle_bias"], shuffle=True)
        side *= 2
    return _convolved(volume, weights["head"], weights["head_bias"], shuffle=False)


def _root(latent: Array) -> Array:
    """Arrange a latent (64, C) as a volume (4, 4, 4, C): two levels of octants whose first axis runs fastest."""
    xp = array_api_compat.array_namespace(latent)
    octants = xp.reshape(latent, (2, 2, 2, 2, 2, 2, -1))
    return xp.reshape(xp.permute_dims(octants, (2, 5, 1, 4, 0, 3, 6)), (ROOT, ROOT, ROOT, -1))


def _convolved(volume: Array, matrix: Array, bias: Array, shuffle: bool) -> Array:
    """Apply a 3 x 3 x 3 kernel (27 C, H) to a volume (R, R, R, C) padded with zeros.

    With `shuffle` the H = 8 C' results go to the eight children and through the activation: (2 R, 2 R, 2 R, C').
    """
    xp = array_api_compat.array_namespace(volume)
    side, channels, columns = volume.shape[0], volume.shape[3], matrix.shape[1]
    padded = xp.zeros((side + 2, side + 2, side + 2, channels), dtype=volume.dtype, device=_device(volume))
    padded[1:-1, 1:-1, 1:-1, :] = volume
    kernels = xp.reshape(matrix, (3, 3, 3, channels, columns))
    deep = max(1, _SLAB // (side * side * max(columns, channels)))
    slabs = []
    for first in range(0, side, deep):
        depth = min(deep, side - first)
        out = xp.zeros((depth * side * side, columns), dtype=volume.dtype, device=_device(volume)) + bias
        for x, y, z in product(range(3), repeat=3):
            part = padded[first + x : first + x + depth, y : y + side, z : z + side, :]
            out = out + xp.reshape(part, (-1, channels)) @ kernels[x, y, z, ...]
        slabs.append(gelu(_spread(out, depth, side)) if shuffle else xp.reshape(out, (depth, side, side, columns)))
    return xp.concat(slabs)


def _spread(out: Array, depth: int, side: int) -> Array:
    """Move what voxels say of their children, (depth side^2, 8 C), to the children, (2 depth, 2 side, 2 side, C)."""
    xp = array_api_compat.array_namespace(out)
    octants = xp.reshape(out, (depth, side, side, 2, 2, 2, -1))
    return xp.reshape(xp.permute_dims(octants, (0, 5, 1, 4, 2, 3, 6)), (2 * depth, 2 * side, 2 * side, -1))
