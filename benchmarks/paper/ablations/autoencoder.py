"""The auto-encoder of NeCGS section 4.3 and supplement 3.3: latents are what an encoder makes of the fields.

The paper says: a ConvNeXt block with 3D convolutions in place of 2D ones as the encoder, the decoder unchanged, both
trained together; the bits are those of the latents and of the decoder. Not stated, chosen here: the encoder is ConvNeXt
(Liu et al. 2022) as it is, with one block a stage: a stem that takes patches of 4^3, and a halving before each further
stage, until 4^3 is reached, which at K = 128 are ConvNeXt's own four stages; 32 channels, doubled at each halving; a
linear layer to the latent's channels; and tanh, which keeps latents within the quantiser's range with a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from meshset.codecs.common.dense import dense_values
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs_paper.network import PaperNetwork
from meshset.codecs.necgs_paper.quantiser import numbers, quantise
from meshset.field import Field
from meshset.field.grid import ROOT, root_coords

CHANNELS = 32
"""Of the first stage."""

PATCH = 4
KERNEL = 7
EXPANSION = 4
LAYER_SCALE = 1e-6
"""All four as in ConvNeXt; the last is the start of a learned factor."""


class ChannelNorm(nn.LayerNorm):
    """Normalises the channels of each voxel of a volume (B, C, X, Y, Z)."""

    def forward(self, volume: Tensor) -> Tensor:
        return super().forward(volume.movedim(1, -1)).movedim(-1, 1)


class Block(nn.Module):
    """A ConvNeXt block in 3D: depthwise convolution, norm, two linear layers with GELU between, scaled, added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv3d(channels, channels, KERNEL, padding=KERNEL // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, EXPANSION * channels)
        self.narrow = nn.Linear(EXPANSION * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), LAYER_SCALE))

    def forward(self, volume: Tensor) -> Tensor:
        inner = self.norm(self.depthwise(volume).movedim(1, -1))
        inner = self.scale * self.narrow(nn.functional.gelu(self.widen(inner)))
        return volume + inner.movedim(-1, 1)


class Encoder(nn.Module):
    """Fields (B, channels, K, K, K) to latents (B, 64, C) in (-1, 1), rows in the order of the decoder's."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        channels, side = CHANNELS, architecture.resolution // PATCH
        stem = nn.Conv3d(architecture.field_channels, channels, PATCH, stride=PATCH)
        layers: list[nn.Module] = [stem, ChannelNorm(channels), Block(channels)]
        while side > ROOT:
            layers += [ChannelNorm(channels), nn.Conv3d(channels, 2 * channels, 2, stride=2), Block(2 * channels)]
            channels, side = 2 * channels, side // 2
        self.stages = nn.Sequential(*layers)
        self.last = nn.Linear(channels, architecture.latent_channels)

    def forward(self, fields: Tensor) -> Tensor:
        volume = self.stages(fields)
        x, y, z = root_coords(volume).long().T
        latents: Tensor = torch.tanh(self.last(volume[:, :, x, y, z].transpose(1, 2)))
        return latents


class AutoEncoderNetwork(PaperNetwork):
    """The paper's decoder, with an encoder in place of free latents.

    All fields stay in memory, 2 K^3 x 4 bytes each.

    Args:
        fields: where the fields of the set are stored.
        architecture: the decoder's shape.
        count: number of meshes.
        seed: start of the random initial values.
    """

    def __init__(self, fields: Sequence[Path], architecture: Architecture, count: int, seed: int) -> None:
        super().__init__(architecture, count, seed)
        del self.latents
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = Encoder(architecture)
        dense = [dense_values(Field.load(path), architecture.field_channels) for path in fields]
        self.register_buffer("inputs", torch.from_numpy(np.stack(dense).astype(np.float16)))

    def quantised_latents(self, chosen: Sequence[int]) -> Tensor:
        return quantise(self._encoded(chosen))

    @torch.no_grad()
    def project(self) -> None:
        for parameter in self.tensors:
            parameter.clamp_(-1.0, 1.0)

    @torch.no_grad()
    def final_latent(self, index: int) -> NDArray[np.int32]:
        levels: NDArray[np.int32] = numbers(self._encoded([index])[0]).cpu().numpy()
        return levels

    def _encoded(self, chosen: Sequence[int]) -> Tensor:
        latents: Tensor = self.encoder(self.inputs[list(chosen)].float())
        return latents
