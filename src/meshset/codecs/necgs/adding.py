"""Fitting latents to fields, the decoder frozen: how meshes join a set that is stored already (NeCGS section 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from meshset.codecs.necgs.bitstream import SharedPart
from meshset.codecs.necgs.examples import load_example
from meshset.codecs.necgs.network import SetNetwork, stored_network
from meshset.codecs.necgs.recipe import ADDING, REFINING, Recipe
from meshset.codecs.necgs.training import batch_losses, learning_share
from meshset.errors import MeshsetError
from meshset.progress import advance, stage

_TOGETHER = 4
"""Meshes fitted at a time; each for itself, but matrix products are faster on more rows."""


def fit_latents(
    fields: Sequence[Path], part: SharedPart, device: str, seed: int, start: Sequence[NDArray[np.int32]] | None = None
) -> list[NDArray[np.int32]]:
    """Fit a latent to each stored field.

    Args:
        fields: fields of the resolution and kind that `part` decodes to.
        part: the shared part of the set; its latent models say which numbers can be stored.
        device: torch device.
        seed: start of the random initial values.
        start: latents to go on from, one for each field; otherwise random ones.

    Returns:
        For each field the whole numbers (64, C), all within the ranges of the models.

    Raises:
        MeshsetError: the loss is no longer a number.
    """
    recipe = ADDING if start is None else REFINING
    firsts = range(0, len(fields), _TOGETHER)
    stage("fitting latents" if start is None else "refining latents", recipe.visits * len(firsts))
    latents: list[NDArray[np.int32]] = []
    for first in firsts:
        group = fields[first : first + _TOGETHER]
        known = None if start is None else start[first : first + _TOGETHER]
        network = stored_network(part, len(group), seed, known).to(device).eval()
        network.latents.requires_grad_(True)
        _fit(network, group, _bounds(part, network), recipe)
        latents += [_storable(network.final_latent(i).numbers, part) for i in range(len(group))]
    return latents


def _fit(network: SetNetwork, fields: Sequence[Path], bounds: tuple[Tensor, Tensor], recipe: Recipe) -> None:
    examples = [load_example(path, network.architecture) for path in fields]
    chosen = range(len(fields))
    # The mean over a batch divides every gradient by its size, which Adam does not notice.
    optimiser = torch.optim.Adam(network.latents, betas=(0.9, 0.99))
    peak = recipe.latent_rate(1)
    for step in range(recipe.visits):
        for group in optimiser.param_groups:
            group["lr"] = peak * learning_share(step / recipe.visits)
        optimiser.zero_grad(set_to_none=True)
        losses = batch_losses(network, chosen, examples, recipe)
        losses.total(recipe).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        with torch.no_grad():
            for latent in network.latents:
                latent.clamp_(*bounds)
        error = losses.distortion.item()
        if not np.isfinite(error):
            raise MeshsetError("fitting diverged: the loss is not a number; the decoder may be damaged")
        advance(1, f"field error {error:.4f}")


def _bounds(part: SharedPart, network: SetNetwork) -> tuple[Tensor, Tensor]:
    """Return the smallest and largest value of each latent channel that the models can store, (C,) each."""
    step = network.latent_log_steps.exp()
    lowest, highest = (torch.tensor(limits, device=step.device) for limits in _ranges(part))
    return lowest * step, highest * step


def _storable(numbers: NDArray[np.int32], part: SharedPart) -> NDArray[np.int32]:
    return np.clip(numbers, *_ranges(part)).astype(np.int32)


def _ranges(part: SharedPart) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the smallest and the largest whole number of each latent channel's model, (C,) each."""
    lowest = np.array([model.low for model in part.latent_models], dtype=np.int32)
    highest = np.array([model.low + model.size - 1 for model in part.latent_models], dtype=np.int32)
    return lowest, highest
