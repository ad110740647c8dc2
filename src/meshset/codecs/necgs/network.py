"""What is trained: decoder weights and latents, each behind a quantiser with a learned step, and their cost in bits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from meshset.codecs.common.rounding import straight_through
from meshset.codecs.common.tensors import QuantisedTensor
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.bitstream import SharedPart
from meshset.codecs.necgs.rate import estimated_bits
from meshset.coding import Model
from meshset.field.grid import ROOT

_FIRST_LEVELS = 16.0
"""Quantisation levels per standard deviation before training; the rate term coarsens the steps from there."""

_MODEL_BYTES = 10
"""Bytes of a step and the usual model of a tensor or latent channel."""

_PADDING = 2
"""Bytes by which payloads, made of words of four, are longer than their bits on average."""


def quantise(values: Tensor, step: Tensor) -> Tensor:
    """Round to multiples of `step` and return them in units of it (whole numbers), with straight-through gradients.

    Dequantised, `quantise(w, s) * s` passes the gradient to `w` unchanged and to `s` as the rounding error in steps.
    """
    scaled = values / step
    return straight_through(scaled, torch.round(scaled))


def geometric_bits(magnitude: Tensor) -> tuple[Tensor, Tensor]:
    """Code length of whole numbers under the two-sided geometric model that fits their mean magnitude.

    With P(k) = (1 - t) / (1 + t) t^|k|, a number k costs `base + slope * |k|` bits, t chosen so that the mean of |k| is
    `magnitude`. Returns (base, slope), shaped like `magnitude`.
    """
    m = magnitude.clamp(min=1e-4)
    t = m / (1.0 + torch.sqrt(1.0 + m * m))
    return torch.log2((1.0 + t) / (1.0 - t)), -torch.log2(t)


class SetNetwork(nn.Module):
    """A decoder shared by a set, and one latent per mesh.

    Args:
        architecture: the decoder's shape.
        count: number of meshes.
        seed: start of the random initial values.
    """

    def __init__(self, architecture: Architecture, count: int, seed: int) -> None:
        super().__init__()
        self.architecture = architecture
        generator = torch.Generator().manual_seed(seed)
        self.names = list(architecture.tensors())
        self.tensors = nn.ParameterList(
            _initial(name, shape, architecture, generator) for name, shape in architecture.tensors().items()
        )
        deviations = [math.sqrt(2.0 / t.shape[0]) if t.dim() == 2 else 0.25 for t in self.tensors]
        self.log_steps = nn.Parameter(torch.log(torch.tensor(deviations) / _FIRST_LEVELS))
        shape = (ROOT**3, architecture.latent_channels)
        self.latents = nn.ParameterList(torch.randn(shape, generator=generator) / 3 for _ in range(count))
        self.latent_log_steps = nn.Parameter(torch.full((shape[1],), math.log(1.0 / _FIRST_LEVELS)))
        self.latent_magnitude: Tensor
        self.register_buffer("latent_magnitude", torch.full((shape[1],), _FIRST_LEVELS / 3))

    def quantised_weights(self) -> tuple[dict[str, Tensor], Tensor]:
        """Return the dequantised tensors by name, and their estimated bits in all."""
        weights, bits = {}, torch.zeros((), device=self.log_steps.device)
        for name, tensor, step in zip(self.names, self.tensors, self.log_steps.exp(), strict=True):
            numbers = quantise(tensor, step)
            magnitude = numbers.abs().mean()
            base, slope = geometric_bits(magnitude.detach())
            bits = bits + tensor.numel() * (base + slope * magnitude)
            weights[name] = numbers * step
        return weights, bits

    def quantised_latents(self, chosen: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the dequantised latents (B * 64, C) of the chosen meshes, and their estimated bits in all."""
        step = self.latent_log_steps.exp()
        numbers = quantise(torch.cat([self.latents[i] for i in chosen]), step)
        magnitude = numbers.abs().mean(dim=0)
        if self.training:
            self.latent_magnitude.lerp_(magnitude.detach(), 0.05)
        base, slope = geometric_bits(self.latent_magnitude)
        return numbers * step, len(numbers) * (base + slope * magnitude).sum()

    @torch.no_grad()
    def estimated_bytes(self, coarser: float = 1.0) -> float:
        """Return what the decoder and all latents as they are now will take, tables included, without coding them.

        All quantisation steps are taken `coarser` times as large.
        """
        tensors = [(tensor.view(-1, 1), step) for tensor, step in zip(self.tensors, self.log_steps, strict=True)]
        tensors.append((torch.cat(list(self.latents)), self.latent_log_steps))
        bits = sum(estimated_bits(torch.round(values / (coarser * step.exp()))).item() for values, step in tensors)
        models = len(self.names) + len(self.latent_log_steps)
        return bits / 8 + _MODEL_BYTES * models + _PADDING * len(self.latents)

    @torch.no_grad()
    def final_weights(self, coarser: float = 1.0) -> dict[str, QuantisedTensor]:
        """Return the whole numbers and steps of the decoder's tensors, the steps `coarser` times as large."""
        return {
            name: _final(tensor, coarser * log_step.exp())
            for name, tensor, log_step in zip(self.names, self.tensors, self.log_steps, strict=True)
        }

    @torch.no_grad()
    def final_latent(self, index: int, coarser: float = 1.0) -> QuantisedTensor:
        """Return the whole numbers (64, C) and steps (C,) of one mesh's latent, the steps `coarser` times as large."""
        return _final(self.latents[index], coarser * self.latent_log_steps.exp())


def stored_network(
    part: SharedPart, count: int, seed: int, latents: Sequence[NDArray[np.int32]] | None = None
) -> SetNetwork:
    """Return a network whose decoder, steps and latent statistics are those of a stored set, without gradients.

    The latents of its `count` meshes start as those of a new set do, or at stored ones, (64, C) each.
    """
    network = SetNetwork(part.architecture, count, seed).requires_grad_(False)
    for tensor, stored in zip(network.tensors, part.weights.values(), strict=True):
        tensor.copy_(torch.from_numpy(stored.values))
    network.log_steps.copy_(torch.tensor([math.log(stored.step) for stored in part.weights.values()]))
    network.latent_log_steps.copy_(torch.from_numpy(part.latent_steps).log())
    network.latent_magnitude.copy_(torch.tensor([_mean_magnitude(model) for model in part.latent_models]))
    for latent, numbers in zip(network.latents, latents or (), strict=latents is not None):
        latent.copy_(torch.from_numpy(numbers * part.latent_steps))
    return network


def _mean_magnitude(model: Model) -> float:
    """Return the mean of |k| that a model expects."""
    numbers = np.arange(model.low, model.low + model.size)
    return float(np.average(np.abs(numbers), weights=model.frequencies()))


def _initial(name: str, shape: tuple[int, ...], architecture: Architecture, generator: torch.Generator) -> Tensor:
    if len(shape) == 2:
        return torch.randn(shape, generator=generator) * math.sqrt(2.0 / shape[0])
    bias = torch.zeros(shape)
    if name.endswith("shuffle_bias") and int(name.split(".")[0]) < len(architecture.widths):
        # Every gate starts open: a closed one would pass no gradient to what lies below it.
        bias.view(8, -1)[:, -1] = 1.0
    return bias


def _final(values: Tensor, step: Tensor) -> QuantisedTensor:
    step = step.float().cpu()
    return QuantisedTensor(torch.round(values.cpu() / step).int().numpy(), step.numpy())
