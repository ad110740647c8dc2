"""Fitting the paper's decoder and all latents of a set to its fields, by any engine (NeCGS sections 3.2, 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from meshset.codecs.common.examples import ExampleCache
from meshset.codecs.common.losses import require_finite, running_average
from meshset.codecs.common.schedules import warmed_cosine
from meshset.codecs.common.visits import shuffled
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.blocks import run_blocks
from meshset.codecs.necgs.dense import decode_dense_batch
from meshset.codecs.necgs_paper.examples import Example, load_example
from meshset.codecs.necgs_paper.loss import field_loss
from meshset.codecs.necgs_paper.network import PaperNetwork
from meshset.codecs.necgs_paper.recipe import Recipe
from meshset.codecs.protocol import Settings
from meshset.progress import advance, stage, tell

_FIRST_RATE = 0.1
"""Share of the peak learning rate with which the warm-up begins."""


def train(
    fields: Sequence[Path], architecture: Architecture, recipe: Recipe, engine: str, settings: Settings
) -> tuple[PaperNetwork, float]:
    """Train a network on stored fields.

    Args:
        fields: where they are.
        architecture: the decoder's shape.
        recipe: the knobs of training.
        engine: one of `ENGINES`.
        settings: its device and seed are used.

    Returns:
        The trained network, on the device, and the running average of the loss at the end.

    Raises:
        MeshsetError: the loss is no longer a number.
    """
    network = PaperNetwork(architecture, len(fields), settings.seed).to(settings.device)
    examples = ExampleCache(fields, partial(load_example, architecture=architecture))
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.rate)
    batch = min(recipe.batch, len(fields))
    steps = -(-recipe.epochs * len(fields) // batch)
    average = 0.0
    stage("training", steps)
    for step, chosen in enumerate(shuffled(len(fields), batch, steps, settings.seed)):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step / steps, recipe)
        optimiser.zero_grad(set_to_none=True)
        loss = batch_loss(network, chosen, [examples[i] for i in chosen], recipe, engine == "dense-mixed")
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        network.project()
        now = loss.item()
        require_finite(now)
        average = running_average(average if step else None, now)
        advance(1, f"loss {average:.4f}")
    tell(f"trained in {steps:,} steps: loss {average:.4f}")
    return network, average


def batch_loss(
    network: PaperNetwork, chosen: Sequence[int], examples: Sequence[Example], recipe: Recipe, mixed: bool = False
) -> Tensor:
    """Run the network on a batch of meshes; return the mean of Eq. 3 and what the latents and the expansion add.

    With `mixed`, the layers of a dense decoder take and give bfloat16. The levels of the quantiser are exact in it.
    """
    latents, weights = network.quantised_latents(chosen), network.quantised_weights()
    if network.architecture.expands:
        predictions, expansion = _near_the_surface(network.architecture, weights, latents, examples)
    else:
        with torch.autocast(latents.device.type, torch.bfloat16, enabled=mixed):
            predictions = list(decode_dense_batch(latents, weights, network.architecture).float())
        expansion = latents.new_zeros(())
    losses = [
        field_loss(prediction, example.target.to(prediction), network.architecture.resolution, recipe)
        for prediction, example in zip(predictions, examples, strict=True)
    ]
    regular = recipe.latent_weight * latents.abs().mean()
    return torch.stack(losses).mean() + regular + recipe.expansion_weight * expansion


def _near_the_surface(
    architecture: Architecture, weights: dict[str, Tensor], latents: Tensor, examples: Sequence[Example]
) -> tuple[list[Tensor], Tensor]:
    """Return each mesh's predicted box, with the true values where nothing is predicted, and the expansion loss."""
    out, expansion = run_blocks(architecture, weights, latents.flatten(0, 1), [example.levels for example in examples])
    predictions = []
    parts = torch.split(out, [len(example.places) for example in examples])
    for values, example in zip(parts, examples, strict=True):
        box = example.target.to(values).flatten(1)
        filled = box.index_copy(1, example.places.to(values.device), values.t())
        predictions.append(filled.view(example.target.shape))
    return predictions, expansion


def learning_rate(done: float, recipe: Recipe) -> float:
    """Return the learning rate after a share of all steps: a linear warm-up, then half a cosine."""
    return warmed_cosine(done, recipe.warm_up, recipe.last_rate, first=_FIRST_RATE, peak=recipe.rate)
