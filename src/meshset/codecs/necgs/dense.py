"""The same network on the whole grid, as the paper evaluates it: the narrow band's reference in tests and timings."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import conv3d

from meshset.codecs.necgs.architecture import NEIGHBOURS, Architecture
from meshset.codecs.necgs.decoder import FADE, OFFSETS, gelu
from meshset.field.grid import ROOT, root_coords


def decode_dense(latent: Tensor, weights: Mapping[str, Tensor], architecture: Architecture) -> Tensor:
    """Decode a latent (64, C) to the field on every grid point, (K, K, K, channels)."""
    return decode_dense_batch(latent[None], weights, architecture)[0].permute(1, 2, 3, 0)


def decode_dense_batch(latents: Tensor, weights: Mapping[str, Tensor], architecture: Architecture) -> Tensor:
    """Decode latents (B, 64, C) to their fields on every grid point, (B, channels, K, K, K)."""
    x, y, z = root_coords(latents).long().T
    # Where the row of a voxel lies among the latent's rows, to gather them in the order of the volume.
    rows = torch.empty(ROOT, ROOT, ROOT, dtype=torch.int64, device=latents.device)
    rows[x, y, z] = torch.arange(ROOT**3, device=latents.device)
    features = latents[:, rows].permute(0, 4, 1, 2, 3)
    for block in range(architecture.blocks):
        out = _shuffled(_convolved(features, weights, block, architecture.taps(block)), block)
        if block == len(architecture.widths):
            return out
        features = _activated(out) if architecture.expands else gelu(out)
    return conv3d(features, _kernel(weights["head"], NEIGHBOURS), weights["head_bias"], padding=1)


def _activated(out: Tensor) -> Tensor:
    activated: Tensor = gelu(out[:, :-1]) * torch.clip(1.0 + out[:, -1:] / FADE, 0.0, 1.0)
    return activated


def _kernel(matrix: Tensor, taps: int) -> Tensor:
    """Turn (T C, H) into a convolution kernel (H, C, 3, 3, 3), 0 where no voxel is under it."""
    places = [(dx + 1, dy + 1, dz + 1) for dx, dy, dz in OFFSETS[taps]]
    kernel = matrix.new_zeros(3, 3, 3, len(matrix) // taps, matrix.shape[1])
    kernel[tuple(zip(*places, strict=True))] = matrix.view(taps, -1, matrix.shape[1])
    return kernel.permute(4, 3, 0, 1, 2)


def _convolved(features: Tensor, weights: Mapping[str, Tensor], block: int, taps: int) -> Tensor:
    shuffle, bias = weights[f"{block}.shuffle"], weights[f"{block}.shuffle_bias"]
    if f"{block}.kernel" not in weights:
        return conv3d(features, _kernel(shuffle, taps), bias, padding=1)
    kernel = _kernel(weights[f"{block}.kernel"], taps)
    inner = gelu(conv3d(features, kernel, weights[f"{block}.kernel_bias"], padding=1))
    return conv3d(inner, shuffle.t()[:, :, None, None, None], bias)


def _shuffled(out: Tensor, block: int) -> Tensor:
    """Move the channels of the eight children to their places: (B, 8 C, R, R, R) to (B, C, 2 R, 2 R, 2 R)."""
    side = ROOT << block
    octants = out.view(len(out), 2, 2, 2, -1, side, side, side)
    return octants.permute(0, 4, 5, 3, 6, 2, 7, 1).reshape(len(out), -1, 2 * side, 2 * side, 2 * side)
