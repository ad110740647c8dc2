"""What is trained: the decoder's weights and one latent per mesh, both behind the paper's quantiser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs_paper.quantiser import numbers, quantise
from meshset.field.grid import ROOT


class PaperNetwork(nn.Module):
    """A decoder shared by a set, and the latents of all of its meshes.

    All latents are one tensor, so that Adam's momentum moves a mesh's latent also in the steps after its visit, as in
    the released code; where a mesh is seen every hundredth step, that carries its latent much further.

    Args:
        architecture: the decoder's shape.
        count: number of meshes.
        seed: start of the random initial values.
    """

    def __init__(self, architecture: Architecture, count: int, seed: int) -> None:
        super().__init__()
        self.architecture = architecture
        generator = torch.Generator().manual_seed(seed)
        shapes = architecture.tensors()
        self.names = list(shapes)
        initial = _initial(architecture, generator)
        self.tensors = nn.ParameterList(initial[name] for name in shapes)
        shape = (count, ROOT**3, architecture.latent_channels)
        self.latents = nn.Parameter(torch.randn(shape, generator=generator) / 3)
        self.project()

    def quantised_weights(self) -> dict[str, Tensor]:
        """Return the quantised tensors by name."""
        return {name: quantise(tensor) for name, tensor in zip(self.names, self.tensors, strict=True)}

    def quantised_latents(self, chosen: Sequence[int]) -> Tensor:
        """Return the quantised latents (B, 64, C) of the chosen meshes."""
        return quantise(self.latents[list(chosen)])

    @torch.no_grad()
    def project(self) -> None:
        """Move everything back to [-1, 1]: beyond it the quantiser has no gradient, and nothing would come back."""
        for parameter in self.parameters():
            parameter.clamp_(-1.0, 1.0)

    def final_weights(self) -> dict[str, NDArray[np.int32]]:
        """Return the levels of the decoder's tensors."""
        return {name: numbers(t.detach()).cpu().numpy() for name, t in zip(self.names, self.tensors, strict=True)}

    def final_latent(self, index: int) -> NDArray[np.int32]:
        """Return the levels (64, C) of one mesh's latent."""
        levels: NDArray[np.int32] = numbers(self.latents[index].detach()).cpu().numpy()
        return levels


def _initial(architecture: Architecture, generator: torch.Generator) -> dict[str, Tensor]:
    """Return torch's own initial values of a convolution: uniform within 1 / sqrt(inputs), biases like weights."""
    tensors: dict[str, Tensor] = {}
    bound = 0.0
    for name, shape in architecture.tensors().items():
        if len(shape) == 2:
            bound = shape[0] ** -0.5
        tensors[name] = (2.0 * torch.rand(shape, generator=generator) - 1.0) * bound
        if architecture.expands and name.endswith("shuffle_bias"):
            # Every gate starts open: a closed one would pass no gradient to what lies below it.
            tensors[name].view(8, -1)[:, -1] = 1.0
    return tensors
