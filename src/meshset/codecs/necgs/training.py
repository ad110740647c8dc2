"""Fitting a decoder and all latents of a set to its fields (NeCGS section 3.2), on the narrow band only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from meshset.codecs.common.examples import ExampleCache
from meshset.codecs.common.losses import require_finite, running_average
from meshset.codecs.common.schedules import half_cosine
from meshset.codecs.common.visits import visit_order
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.blocks import run_blocks
from meshset.codecs.necgs.checkpoint import Continued, TrainingState
from meshset.codecs.necgs.examples import Example, load_example
from meshset.codecs.necgs.network import SetNetwork
from meshset.codecs.necgs.recipe import Plan, Recipe
from meshset.codecs.necgs.steering import Steering
from meshset.codecs.necgs.training_length import TrainingLength
from meshset.codecs.protocol import Checkpoint
from meshset.progress import advance, stage, tell

_WARM_UP = 0.05
_LAST_RATE = 0.01


@dataclass(frozen=True)
class Losses:
    """The terms of the loss for one batch, each a scalar tensor.

    Attributes:
        distortion: mean absolute error of the field, points in the band weighing more (the first two terms of NeCGS
            Eq. 3).
        expansion: cross-entropy of the expansion logits, summed over levels.
        bits: estimated bits of a mesh: its latent and its share of the decoder.
    """

    distortion: Tensor
    expansion: Tensor
    bits: Tensor

    def total(self, recipe: Recipe) -> Tensor:
        """Return distortion + expansion + lambda bits, weighted."""
        return self.distortion + recipe.expansion_weight * self.expansion + recipe.rate_weight * self.bits


def batch_losses(network: SetNetwork, chosen: Sequence[int], examples: Sequence[Example], recipe: Recipe) -> Losses:
    """Run the network on a batch of meshes and compare it with their fields."""
    device = network.log_steps.device
    weights, weight_bits = network.quantised_weights()
    features, latent_bits = network.quantised_latents(chosen)
    levels = [example.levels for example in examples]
    out, expansion = run_blocks(network.architecture, weights, features, levels, recipe.expansion_margin)
    target = torch.cat([example.target for example in examples]).to(device)
    error = (out - target).abs()
    weight = 1.0 + recipe.near_weight * (target[:, 0].abs() < 1.0)
    distortion = (weight * error[:, 0]).sum() / weight.sum()
    if error.shape[1] > 1:
        matters = torch.cat([example.matters for example in examples]).to(device)
        weight = 0.1 + recipe.near_weight * matters
        distortion = distortion + recipe.deformation_weight * (weight * error[:, 1:].sum(dim=1)).sum() / weight.sum()
    bits = weight_bits / len(network.latents) + latent_bits / len(chosen)
    return Losses(distortion, expansion, bits)


def train(
    fields: Sequence[Path],
    architecture: Architecture,
    plan: Plan,
    device: str,
    seed: int,
    checkpoint: Checkpoint | None = None,
    start: SetNetwork | None = None,
) -> tuple[SetNetwork, dict[str, Any]]:
    """Train a network on stored fields.

    It begins with random weights, or with those of `start`, or with the state in `checkpoint` if there is one.

    Returns:
        The trained network, on `device`, and a report: the running average of the distortion at the end (units of the
        truncation distance), lambda and the number of steps.

    Raises:
        MeshsetError: the loss is no longer a number.
    """
    recipe, count = plan.recipe, len(fields)
    network = (start or SetNetwork(architecture, count, seed)).to(device)
    examples = ExampleCache(fields, partial(load_example, architecture=architecture))
    optimisers = _optimisers(network, recipe)
    length = TrainingLength(recipe.steps(count), plan.goal.seconds)
    steering = Steering(recipe.rate_weight, plan.target)
    # "course" is what states that were saved before call the length.
    others: dict[str, Continued] = {"course": length, "steering": steering}
    state = TrainingState(checkpoint, network, [optimiser for optimiser, _ in optimisers], others)
    averages = state.restore()
    visits = islice(visit_order(count, recipe.batch(count), seed), length.done, None)
    stage("training", length.scale)
    shown = length.reached
    advance(shown)
    with plan.goal.stopping() as told_to_end:
        while length.left:
            _set_rates(optimisers, length, recipe.steps(count))
            chosen = next(visits)
            losses = batch_losses(network, chosen, [examples[i] for i in chosen], recipe)
            now = np.array([losses.distortion.item(), losses.bits.item()])
            require_finite(now.sum())
            weight = steering.weight(length.share, network.estimated_bytes)
            losses.total(replace(recipe, rate_weight=weight)).backward()  # type: ignore[no-untyped-call]
            for optimiser, _ in optimisers:
                optimiser.step()
            averages = running_average(averages, now)
            length.advance(now[0] + recipe.rate_weight * now[1])
            if told_to_end() and not length.ended:
                state.save(averages)
                tell(f"interrupted: training ends in {length.end()} steps; interrupt again to give up")
            elif not (length.ended and length.left):
                state.save_if_due(averages, last=not length.left)
            advance(length.reached - shown, f"field error {averages[0]:.4f}, {averages[1] / 8:,.0f} bytes a mesh")
            shown = length.reached
    return network.eval(), _report(length, steering, 0.0 if averages is None else averages[0])


def _report(length: TrainingLength, steering: Steering, error: float) -> dict[str, Any]:
    ended = f" of {length.planned:,} ({length.ended})" if length.ended else ""
    tell(f"trained in {length.done:,} steps{ended}: field error {error:.4f} of the truncation distance")
    return {
        "field_error": float(f"{error:.4g}"),
        "rate_weight": float(f"{steering.last:.3g}"),
        "steps": length.done,
        **({"ended": length.ended} if length.ended else {}),
    }


def _set_rates(
    optimisers: Sequence[tuple[torch.optim.Optimizer, Sequence[float]]], length: TrainingLength, usual_steps: int
) -> None:
    """Set learning rates for the next step and clear gradients.

    The rates of latents are for `usual_steps`; where there are more or fewer, a latent goes as far in all.
    """
    share = learning_share(length.share)
    for optimiser, peaks in optimisers:
        for group, peak in zip(optimiser.param_groups, peaks, strict=True):
            group["lr"] = peak * share * (usual_steps / length.planned if group.get("latents") else 1.0)
        optimiser.zero_grad(set_to_none=True)


def _optimisers(network: SetNetwork, recipe: Recipe) -> list[tuple[torch.optim.Optimizer, list[float]]]:
    """Return the optimisers with the peak learning rate of each of their groups.

    Muon makes every direction of a matrix learn at the same speed, which here takes far fewer steps than Adam alone.
    """
    matrices = [t for t in network.tensors if t.dim() == 2]
    vectors = [t for t in network.tensors if t.dim() == 1]
    muon = torch.optim.Muon(matrices, lr=recipe.matrix_rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.Adam(
        [
            {"params": vectors, "lr": recipe.rate},
            {"params": list(network.latents), "lr": recipe.latent_rate(len(network.latents)), "latents": True},
            {"params": [network.log_steps, network.latent_log_steps], "lr": recipe.step_rate},
        ],
        betas=(0.9, 0.99),
    )
    return [(o, [group["lr"] for group in o.param_groups]) for o in (muon, adam)]


def learning_share(done: float) -> float:
    """Return the share of the peak learning rate at a share of all steps: a short warm-up, then half a cosine."""
    falling = _LAST_RATE + (1.0 - _LAST_RATE) * half_cosine(done)
    return min((done + 1e-3) / _WARM_UP, 1.0) * falling
