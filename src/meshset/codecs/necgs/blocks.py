"""The decoder over the voxels of a batch of meshes that are known to exist, as training runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.convolution import trained_convolution
from meshset.codecs.necgs.decoder import activate, upsample
from meshset.codecs.necgs.structure import BatchLevel, Level, batch_level


def run_blocks(
    architecture: Architecture,
    weights: Mapping[str, Tensor],
    latents: Tensor,
    levels: Sequence[Sequence[Level]],
    margin: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Run a decoder over the true voxels of a batch of meshes.

    Args:
        architecture: its shape.
        weights: tensors by name.
        latents: (B * 64, C) of the meshes one after the other.
        levels: the voxels of each mesh to visit at each level.
        margin: how much lower expansion logits shall be than the odds are.

    Returns:
        The field (N, channels) at the voxels of all meshes, and the cross-entropy of the expansion logits, summed over
        levels.
    """
    joined = [batch_level([mesh[i] for mesh in levels], latents.device) for i in range(len(levels[0]))]
    features, expansion = latents, torch.zeros((), device=latents.device)
    for block in range(architecture.blocks):
        level = joined[block]
        out = upsample(features, level.neighbours, weights, block, trained_convolution(level))
        if block < len(architecture.widths):
            expansion = expansion + binary_cross_entropy_with_logits(out[:, -1] + margin, joined[block + 1].wanted)
            features = activate(out)
    if architecture.has_head:
        out = _head(features, joined[-1], weights)
    return out, expansion


def _head(features: Tensor, level: BatchLevel, weights: Mapping[str, Tensor]) -> Tensor:
    return trained_convolution(level)(features, level.neighbours, weights["head"]) + weights["head_bias"]
