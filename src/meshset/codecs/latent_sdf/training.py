"""Fitting a network and the latents of a set together, or latents alone to a network that is frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from meshset.codecs.common.losses import require_finite, running_average
from meshset.codecs.common.rounding import straight_through
from meshset.codecs.common.tensors import QuantisedTensor, largest_number
from meshset.codecs.common.visits import shuffled
from meshset.codecs.latent_sdf.bitstream import SharedPart
from meshset.codecs.latent_sdf.network import LatentNetwork
from meshset.codecs.latent_sdf.objectives import Example, Objective
from meshset.codecs.latent_sdf.recipe import Recipe
from meshset.codecs.protocol import Settings
from meshset.progress import advance, stage

_LATENTS = "latents"
"""Their name among the tensors; those of a network are named by layer and kind."""


@dataclass(frozen=True)
class Problem:
    """What a network is fitted to.

    Attributes:
        network: kind and size.
        objective: the loss.
        examples: of the meshes, as the objective made them.
        keys: (n, N, 3) float32 key points of the meshes.
    """

    network: LatentNetwork
    objective: Objective
    examples: Sequence[Example]
    keys: NDArray[np.float32]


@dataclass(frozen=True)
class Fitted:
    """What came out.

    Attributes:
        weights: tensors as `LatentNetwork.tensors` names them.
        latents: (n, L).
        loss: running average of the loss at the end.
    """

    weights: dict[str, QuantisedTensor]
    latents: QuantisedTensor
    loss: float


def fit(problem: Problem, recipe: Recipe, bits: int, settings: Settings, part: SharedPart | None = None) -> Fitted:
    """Fit a network and all latents, or latents alone.

    Args:
        problem: the meshes.
        recipe: the knobs.
        bits: of a weight and of a number of a latent.
        settings: its device and seed are used.
        part: a set that exists, whose network is kept, and whose model says which latents can be stored.

    Raises:
        MeshsetError: the loss is no longer a number.
    """
    rng = np.random.default_rng(settings.seed)
    tensors = _started(problem, rng, settings.device, part)
    trained = {name: tensor for name, tensor in tensors.items() if tensor.requires_grad}
    latents = tensors[_LATENTS]
    groups = [{"params": [latents], "peak": recipe.latent_rate}]
    if part is None:
        groups.append({"params": [tensors[name] for name in trained if name != _LATENTS], "peak": recipe.rate})
    optimiser = torch.optim.Adam(groups)
    total = recipe.steps(len(problem.examples))
    steps = {} if part is None else {_LATENTS: torch.tensor(part.latent_step, device=settings.device)}
    average = 0.0
    stage("training" if part is None else "fitting latents", total)
    batch = min(recipe.batch, len(latents))
    for step, chosen in enumerate(shuffled(len(latents), batch, total, settings.seed)):
        if part is None and step == total - round(recipe.rounded * total):
            steps = {name: _step(tensor, bits) for name, tensor in trained.items()}
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * recipe.learning_share(step / total)
        seen = {name: _rounded(t, steps[name]) if name in steps else t for name, t in tensors.items()}
        optimiser.zero_grad(set_to_none=True)
        loss = _loss(problem, seen, chosen, recipe, rng)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if part is not None:
            _keep_storable(latents, part)
        now = loss.item()
        require_finite(now)
        average = running_average(average if step else None, now)
        advance(1, f"loss {average:.4f}")
    steps = steps or {name: _step(tensor, bits) for name, tensor in trained.items()}
    stored = {name: _quantised(tensor, steps[name]) for name, tensor in trained.items()}
    return Fitted(latents=stored.pop(_LATENTS), weights=stored, loss=average)


def _started(problem: Problem, rng: np.random.Generator, device: str, part: SharedPart | None) -> dict[str, Tensor]:
    """Return the tensors of the network, trainable unless a set has them already, and trainable latents (n, L)."""
    network = problem.network
    arrays = network.initial(rng) if part is None else {name: one.values for name, one in part.weights.items()}
    shape = (len(problem.examples), network.latent_size)
    latents = (network.latent_spread * rng.standard_normal(shape)).astype(np.float32)
    tensors = {name: torch.from_numpy(array).to(device) for name, array in {**arrays, _LATENTS: latents}.items()}
    for name, tensor in tensors.items():
        tensor.requires_grad_(part is None or name == _LATENTS)
    return tensors


def _loss(
    problem: Problem, seen: Mapping[str, Tensor], chosen: Sequence[int], recipe: Recipe, rng: np.random.Generator
) -> Tensor:
    """Return the mean loss of some meshes, and what their latents add."""
    latents = seen[_LATENTS][list(chosen)]
    device = latents.device
    keys = torch.from_numpy(problem.keys[list(chosen)]).to(device)
    batch = {name: torch.from_numpy(part).to(device) for name, part in _visit(problem, chosen, recipe, rng).items()}
    codes = problem.network.codes(seen, latents)
    losses = problem.objective.losses(problem.network, seen, codes, keys, batch)
    lengths = torch.linalg.vector_norm(latents, dim=1)
    total: Tensor = losses.mean() + recipe.latent_weight * lengths.mean()
    return total


def _visit(
    problem: Problem, chosen: Sequence[int], recipe: Recipe, rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    """Return a slice of the examples of some meshes, (B, P, ...) each."""
    slices = []
    for i in chosen:
        known = len(problem.examples[i]["points"])
        first = int(rng.integers(max(known - recipe.points, 0) + 1))
        slices.append({name: a[first : first + recipe.points] for name, a in problem.examples[i].items()})
    return {name: np.stack([one[name] for one in slices]) for name in slices[0]}


@torch.no_grad()
def _keep_storable(latents: Tensor, part: SharedPart) -> None:
    model, step = part.latent_model, float(part.latent_step)
    latents.clamp_(model.low * step, (model.low + model.size - 1) * step)


def _step(tensor: Tensor, bits: int) -> Tensor:
    """Return the step that makes the largest value the largest number of so many bits, a float32 scalar."""
    largest = tensor.detach().abs().max().clamp(min=1e-6)
    step: Tensor = largest / largest_number(bits)
    return step


def _rounded(tensor: Tensor, step: Tensor) -> Tensor:
    """Return the values as they will be stored; gradients pass as if they were not rounded."""
    return straight_through(tensor, (tensor / step).round() * step)


def _quantised(tensor: Tensor, step: Tensor) -> QuantisedTensor:
    """Return the numbers and the step to store. Values that grew since the step was found have larger numbers."""
    whole = (tensor.detach() / step).round().to(torch.int32).cpu().numpy()
    return QuantisedTensor(whole, np.float32(step.item()))
