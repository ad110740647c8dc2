"""Fitting a decoder and all latents of a set to its fields (NeCGS section 3.2), on the narrow band only."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.checkpoint import TrainingState
from meshset.codecs.necgs.convolution import trained_convolution
from meshset.codecs.necgs.decoder import activate, upsample
from meshset.codecs.necgs.network import SetNetwork
from meshset.codecs.necgs.recipe import Plan, Recipe
from meshset.codecs.necgs.steering import Steering
from meshset.codecs.necgs.structure import BatchLevel, Level, batch_level, field_levels
from meshset.codecs.necgs.training_length import TrainingLength
from meshset.codecs.protocol import Checkpoint
from meshset.errors import MeshsetError
from meshset.field import Field
from meshset.field.marching_cubes import surface_topology
from meshset.progress import advance, stage, tell

_WARM_UP = 0.05
_LAST_RATE = 0.01
_CACHED_BYTES = 1 << 30
_MOMENTUM = 0.98
"""How much of the running averages of distortion and bits is kept each step."""


@dataclass(frozen=True)
class Example:
    """One field, ready for training.

    Attributes:
        levels: the voxels to visit at each level.
        target: (N, channels) values to reach.
        matters: (N,) 1 where the deformation moves a vertex (at both ends of crossed grid edges), else 0.
    """

    levels: list[Level]
    target: Tensor
    matters: Tensor

    @property
    def size(self) -> int:
        """Bytes held."""
        return 4 * (self.target.numel() + self.matters.numel()) + sum(
            8 * level.neighbours.size for level in self.levels
        )


def load_example(path: Path, architecture: Architecture) -> Example:
    """Prepare the field stored at `path`."""
    field = Field.load(path)
    values = torch.from_numpy(np.column_stack([field.tsdf, field.deformation]))[:, : architecture.field_channels]
    matters = torch.zeros(len(values))
    topology = surface_topology(torch.from_numpy(field.coords.astype(np.int64)), values[:, 0], field.resolution)
    matters[topology.low] = matters[topology.high] = 1.0
    if architecture.has_head:
        in_band = values[:, 0].abs() < 1.0
        values, matters = values[in_band], matters[in_band]
    return Example(field_levels(field, architecture), values, matters)


class Sized(Protocol):
    """An example that knows how much memory it takes."""

    @property
    def size(self) -> int:
        """Bytes held."""
        ...


AnyExample = TypeVar("AnyExample", bound=Sized)


class ExampleCache(Generic[AnyExample]):
    """The examples of a set: as many as fit into 1 GiB stay in memory, the others are prepared anew each time.

    Args:
        fields: where the fields of the set are stored.
        load: prepares the example of a stored field.
    """

    def __init__(self, fields: Sequence[Path], load: Callable[[Path], AnyExample]) -> None:
        self._fields = fields
        self._load = load
        self._held: dict[int, AnyExample] = {}
        self._free = _CACHED_BYTES

    def __getitem__(self, index: int) -> AnyExample:
        """Return one example."""
        if index in self._held:
            return self._held[index]
        example = self._load(self._fields[index])
        if example.size <= self._free:
            self._held[index] = example
            self._free -= example.size
        return example


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
    course = TrainingLength(recipe.steps(count), plan.goal.seconds)
    steering = Steering(recipe.rate_weight, plan.target)
    state = TrainingState(
        checkpoint, network, [optimiser for optimiser, _ in optimisers], {"course": course, "steering": steering}
    )
    averages = state.restore()
    visits = islice(visit_order(count, recipe.batch(count), seed), course.done, None)
    stage("training", course.planned)
    advance(course.done)
    with plan.goal.stopping() as told_to_end:
        while course.left:
            _set_rates(optimisers, course, recipe.steps(count))
            chosen = next(visits)
            losses = batch_losses(network, chosen, [examples[i] for i in chosen], recipe)
            now = np.array([losses.distortion.item(), losses.bits.item()])
            if not np.isfinite(now).all():
                raise MeshsetError("training diverged: the loss is not a number; try another --seed")
            weight = steering.weight(course.share, network.estimated_bytes)
            losses.total(replace(recipe, rate_weight=weight)).backward()  # type: ignore[no-untyped-call]
            for optimiser, _ in optimisers:
                optimiser.step()
            averages = now if averages is None else _MOMENTUM * averages + (1 - _MOMENTUM) * now
            course.advance(now[0] + recipe.rate_weight * now[1])
            if told_to_end() and not course.ended:
                state.save(averages)
                tell(f"interrupted: training ends in {course.end()} steps; interrupt again to give up")
            elif not (course.ended and course.left):
                state.save_if_due(averages, last=not course.left)
            advance(1, f"field error {averages[0]:.4f}, {averages[1] / 8:,.0f} bytes a mesh")
    return network.eval(), _report(network, course, steering, 0.0 if averages is None else averages[0])


def _report(network: SetNetwork, course: TrainingLength, steering: Steering, error: float) -> dict[str, Any]:
    ended = f" of {course.planned:,} ({course.ended})" if course.ended else ""
    tell(f"trained in {course.done:,} steps{ended}: field error {error:.4f} of the truncation distance")
    return {
        "field_error": float(error),
        "rate_weight": float(f"{steering.last:.3g}"),
        "steps": course.done,
        **({"ended": course.ended} if course.ended else {}),
    }


def _set_rates(
    optimisers: Sequence[tuple[torch.optim.Optimizer, Sequence[float]]], course: TrainingLength, usual_steps: int
) -> None:
    """Set learning rates for the next step and clear gradients.

    The rates of latents are for `usual_steps`; where there are more or fewer, a latent goes as far in all.
    """
    share = learning_share(course.share)
    for optimiser, peaks in optimisers:
        for group, peak in zip(optimiser.param_groups, peaks, strict=True):
            group["lr"] = peak * share * (usual_steps / course.planned if group.get("latents") else 1.0)
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
    falling = _LAST_RATE + (1.0 - _LAST_RATE) * 0.5 * (1.0 + math.cos(math.pi * done))
    return min((done + 1e-3) / _WARM_UP, 1.0) * falling


def shuffled(count: int, batch: int, steps: int, seed: int) -> list[list[int]]:
    """Return the meshes of each step; every mesh is visited once before any is visited again."""
    return list(islice(visit_order(count, batch, seed), steps))


def visit_order(count: int, batch: int, seed: int) -> Iterator[list[int]]:
    """Yield the meshes of each step without end, as `shuffled` has them."""
    generator = np.random.default_rng(seed)
    waiting: list[int] = []
    while True:
        while len(waiting) < batch:
            waiting += generator.permutation(count).tolist()
        yield waiting[:batch]
        waiting = waiting[batch:]
