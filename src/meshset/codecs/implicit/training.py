"""One trainer for all field networks: many meshes at a time, as batched matrix products.

The meshes of a batch share nothing: each has weights, samples and a loss of its own, Adam works number by number, and
all start from the same seed and see their samples in the same order. So a mesh comes out the same in any company.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from meshset.codecs.common.losses import running_average
from meshset.codecs.common.rounding import straight_through
from meshset.codecs.common.samples import UNIT, Samples
from meshset.codecs.common.schedules import half_cosine
from meshset.codecs.common.tensors import QuantisedTensor, largest_number
from meshset.codecs.implicit.network import FieldNetwork, Frame, stacked
from meshset.codecs.implicit.recipe import Recipe
from meshset.codecs.protocol import Settings
from meshset.progress import advance

_REPORT = 50
"""Steps between two reports."""


@dataclass(frozen=True)
class TrainedMesh:
    """The network of one mesh.

    Attributes:
        weights: tensors as `FieldNetwork.tensors` names them.
        loss: running average of the loss at the end; not finite where training diverged.
    """

    weights: dict[str, QuantisedTensor]
    loss: float


def train(
    network: FieldNetwork,
    frames: Sequence[Frame],
    samples: Sequence[Samples],
    recipe: Recipe,
    bits: int,
    settings: Settings,
) -> list[TrainedMesh]:
    """Train a network for each mesh, all of them together.

    Args:
        network: kind and size.
        frames: of the meshes.
        samples: of the meshes, equally many of each.
        recipe: the knobs.
        bits: of a weight.
        settings: its device and seed are used.
    """
    device = settings.device
    start = [network.initial(frame, np.random.default_rng(settings.seed)) for frame in frames]
    weights = {name: torch.from_numpy(a).to(device).requires_grad_() for name, a in stacked(start).items()}
    frame = {name: torch.from_numpy(a).to(device) for name, a in stacked([dict(f) for f in frames]).items()}
    points = torch.stack([torch.from_numpy(one.whole_points) for one in samples]).to(device)
    distance = torch.stack([torch.from_numpy(one.half_distance) for one in samples]).to(device)
    optimiser = torch.optim.Adam(weights.values(), lr=network.rate, fused=True)
    first_rounded = recipe.steps - round(recipe.rounded * recipe.steps)
    steps: dict[str, Tensor] = {}
    average = torch.zeros(len(frames), device=device)
    order = np.random.default_rng(settings.seed)
    for step in range(recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = network.rate * rate_factor(step / recipe.steps, recipe)
        if step == first_rounded:
            steps = {name: _step(tensor.detach(), bits) for name, tensor in weights.items()}
        first = int(order.integers(max(distance.shape[1] - recipe.batch, 0) + 1))
        seen = {name: _rounded(tensor, steps[name], bits) for name, tensor in weights.items()} if steps else weights
        optimiser.zero_grad(set_to_none=True)
        loss = _losses(network, seen, frame, *_batch(points, distance, first, recipe.batch))
        loss.sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        average = running_average(average if step else None, loss.detach())
        if step % _REPORT == _REPORT - 1 or step == recipe.steps - 1:
            advance(step % _REPORT + 1, f"loss {float(average.mean()):.5f}")
    steps = steps or {name: _step(tensor.detach(), bits) for name, tensor in weights.items()}
    return [_trained(network, frames[i], i, weights, steps, bits, float(average[i])) for i in range(len(frames))]


def rate_factor(done: float, recipe: Recipe) -> float:
    """Return the share of the peak learning rate after a share of all steps: a linear warm-up, then half a cosine."""
    if done < recipe.warm_up:
        return done / recipe.warm_up
    # Unlike in `warmed_cosine` the quotient comes first: the last bit of a rate decides about the bytes of an archive.
    rest = (done - recipe.warm_up) / (1.0 - recipe.warm_up)
    return recipe.last_rate + (1.0 - recipe.last_rate) * half_cosine(rest)


def _batch(points: Tensor, distance: Tensor, first: int, count: int) -> tuple[Tensor, Tensor]:
    """Return some samples of every mesh: points (B, 3, P) and distances (B, P), float32."""
    chosen = slice(first, first + count)
    return points[:, :, chosen].float() * UNIT, distance[:, chosen].float()


def _losses(
    network: FieldNetwork, weights: dict[str, Tensor], frame: dict[str, Tensor], points: Tensor, distance: Tensor
) -> Tensor:
    """Return the mean absolute error of each mesh, (B,).

    With a clamp, targets beyond it are moved there, and a prediction still further out is right. Unlike in Eq. 4 of
    DeepSDF a prediction beyond the clamp on the wrong side counts in full: clamped, it would have no gradient, and a
    small network that starts there never leaves.
    """
    found: Tensor = network.distance(weights, frame, points)
    error: Tensor = found - distance
    if network.clamp is not None:
        target = distance.clamp(-network.clamp, network.clamp)
        error = found - target
        error = error.masked_fill((target.abs() >= network.clamp) & (error * target > 0), 0.0)
    losses: Tensor = error.abs().mean(dim=1)
    return losses


def _step(tensor: Tensor, bits: int) -> Tensor:
    """Return for each mesh of (B, ...) the step that makes its largest weight the largest number, (B, 1, ...)."""
    largest = tensor.abs().flatten(1).amax(dim=1).clamp(min=1e-6)
    return (largest / largest_number(bits)).reshape(-1, *[1] * (tensor.dim() - 1))


def _numbers(tensor: Tensor, step: Tensor, bits: int) -> Tensor:
    highest = largest_number(bits)
    return (tensor / step).round().clamp(-highest, highest)


def _rounded(tensor: Tensor, step: Tensor, bits: int) -> Tensor:
    """Return the weights as they will be stored; gradients pass as if they were not rounded."""
    return straight_through(tensor, _numbers(tensor, step, bits) * step)


def _trained(
    network: FieldNetwork,
    frame: Frame,
    row: int,
    weights: dict[str, Tensor],
    steps: dict[str, Tensor],
    bits: int,
    loss: float,
) -> TrainedMesh:
    out = {}
    for name, shape in network.tensors(frame).items():
        # Where training diverged there are no numbers to keep; the loss tells.
        numbers = _numbers(weights[name].detach()[row], steps[name][row], bits)[: shape[0]].nan_to_num()
        step = np.float32(steps[name][row].item())
        out[name] = QuantisedTensor(numbers.cpu().numpy().astype(np.int32).reshape(shape), step)
    return TrainedMesh(out, loss)
