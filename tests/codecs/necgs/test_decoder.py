"""The narrow-band decoder against dense convolutions, numpy against torch, and its behaviour at the threshold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.convolution import trained_convolution
from meshset.codecs.necgs.decoder import FADE, convolve, decode_field
from meshset.codecs.necgs.dense import decode_dense
from meshset.codecs.necgs.network import SetNetwork, geometric_bits, quantise
from meshset.codecs.necgs.structure import batch_level, field_levels
from meshset.field import compute_field, extract_surface
from tests.field import shapes

ARCHITECTURES = [
    Architecture(32, (6, 5), hidden=7, latent_channels=4),
    Architecture(32, (6, 5), hidden=0, latent_channels=4),
    Architecture(32, (6, 5, 4), hidden=0, latent_channels=4),
    Architecture(32, (6, 5), hidden=7, latent_channels=4, crosses=True),
    Architecture(32, (6, 5, 4), hidden=0, latent_channels=4, crosses=True),
]


def random_decoder(architecture: Architecture, logit: float) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Weights and a latent; the logits of all voxels are `logit` plus noise."""
    generator = np.random.default_rng(0)
    weights = {}
    for name, shape in architecture.tensors().items():
        scale = np.sqrt(2 / shape[0]) if len(shape) == 2 else 0.1
        weights[name] = generator.normal(0, scale, shape).astype(np.float32)
        if name.endswith("shuffle_bias") and int(name[0]) < len(architecture.widths):
            weights[name].reshape(8, -1)[:, -1] = logit
    latent = generator.normal(0, 1, (64, architecture.latent_channels)).astype(np.float32)
    return weights, latent


def as_torch(weights: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(w) for name, w in weights.items()}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_agrees_with_dense_convolutions_where_everything_is_expanded(architecture: Architecture) -> None:
    weights, latent = random_decoder(architecture, logit=50.0)
    coords, values = decode_field(latent, weights, architecture)
    assert len(coords) == 32**3
    dense = decode_dense(torch.from_numpy(latent), as_torch(weights), architecture).numpy()
    assert np.abs(dense[tuple(coords.T)] - values).max() < 1e-4


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_numpy_and_torch_agree(architecture: Architecture) -> None:
    weights, latent = random_decoder(architecture, logit=-1.0)
    coords, values = decode_field(latent, weights, architecture)
    torch_coords, torch_values = decode_field(torch.from_numpy(latent), as_torch(weights), architecture)
    assert 0 < len(coords) < 32**3
    assert np.array_equal(coords, torch_coords.numpy())
    assert np.abs(values - torch_values.numpy()).max() < 1e-4
    faces = extract_surface(coords, values[:, 0], 32)[1]
    assert len(faces) == len(extract_surface(torch_coords, torch_values[:, 0], 32)[1])


def test_nothing_expanded_gives_an_empty_field() -> None:
    weights, latent = random_decoder(ARCHITECTURES[0], logit=-50.0)
    coords, values = decode_field(latent, weights, ARCHITECTURES[0])
    assert coords.shape == (0, 3)
    assert values.shape == (0, 4)


def test_field_hardly_changes_where_a_voxel_starts_to_exist() -> None:
    """Two machines may disagree about a logit at the threshold; what both have must agree all the same."""
    architecture = ARCHITECTURES[0]
    weights, latent = random_decoder(architecture, logit=0.0)
    logits = []
    for shift in (-1e-5, 1e-5):
        moved = {name: w.copy() for name, w in weights.items()}
        for block in (0, 1):
            moved[f"{block}.shuffle_bias"].reshape(8, -1)[:, -1] += shift - FADE
        coords, values = decode_field(latent, moved, architecture)
        logits.append({tuple(c): v for c, v in zip(coords.tolist(), values[:, 0], strict=True)})
    fewer, more = logits
    both = fewer.keys() & more.keys()
    assert len(both) > 500
    assert max(abs(fewer[c] - more[c]) for c in both) < 1e-3


@pytest.mark.parametrize("outputs", [1, 5])
@pytest.mark.parametrize("architecture", [ARCHITECTURES[0], ARCHITECTURES[3]])
def test_backward_pass_agrees_with_autograd(outputs: int, architecture: Architecture) -> None:
    """The gathers of the backward pass give the gradients that differentiating the forward pass gives."""
    field, _ = compute_field(shapes.torus(rows=48, columns=24), 32)
    for block, level in enumerate(field_levels(field, architecture)):
        batch = batch_level([level, level], torch.device("cpu"))
        generator = torch.Generator().manual_seed(0)
        features = torch.randn(2 * level.size, 3, generator=generator)
        exists = torch.zeros(len(features), 1)
        exists[batch.expanded] = 1.0
        weights = torch.randn(architecture.taps(block) * 3, outputs, generator=generator)
        target = torch.randn(len(batch.neighbours), outputs, generator=generator)
        ours = gradients(trained_convolution(batch), features, exists, batch.neighbours, weights, target)
        reference = gradients(convolve, features, exists, batch.neighbours - 1, weights, target)
        for mine, theirs in zip(ours, reference, strict=True):
            assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-4)


def gradients(convolution, features, exists, neighbours, weights, target):  # type: ignore[no-untyped-def]
    features, weights = features.clone().requires_grad_(), weights.clone().requires_grad_()
    out = convolution(features * exists, neighbours, weights)
    return (out.detach(), *torch.autograd.grad((out * target).sum(), (features, weights)))


def test_levels_follow_the_field() -> None:
    """Training visits, level by level, just the voxels that have a part of the band below them."""
    field, _ = compute_field(shapes.torus(rows=48, columns=24), 32)
    levels = field_levels(field, ARCHITECTURES[0])
    blocks = np.unique(field.coords >> 1, axis=0)
    assert [level.size for level in levels[:2]] == [64, 512]
    assert len(levels[0].expanded) == 64
    assert len(levels[1].expanded) == len(np.unique(field.coords >> 2, axis=0))
    assert len(levels[2].expanded) == len(blocks)
    assert levels[2].size == 8 * len(levels[1].expanded)


def test_quantiser_passes_gradients_through() -> None:
    values = torch.tensor([0.26, -1.4, 3.0], requires_grad=True)
    step = torch.tensor(0.5, requires_grad=True)
    numbers = quantise(values, step)
    assert numbers.tolist() == [1.0, -3.0, 6.0]
    (numbers * step).sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == [1.0, 1.0, 1.0]
    assert step.grad is not None
    assert step.grad.item() == pytest.approx((1 - 0.52) + (-3 + 2.8) + 0.0, abs=1e-6)


@pytest.mark.parametrize("mean", [0.01, 0.5, 3.0, 40.0])
def test_estimated_bits_are_the_entropy_of_the_geometric_model(mean: float) -> None:
    base, slope = geometric_bits(torch.tensor(mean))
    t = 2.0 ** -slope.item()
    k = np.arange(-4000, 4001)
    p = (1 - t) / (1 + t) * t ** np.abs(k)
    assert p.sum() == pytest.approx(1.0, abs=1e-4)
    assert (p * np.abs(k)).sum() == pytest.approx(mean, rel=1e-3)
    assert -np.log2(p[4000]) == pytest.approx(base.item(), rel=1e-3)


def test_gates_start_open() -> None:
    network = SetNetwork(ARCHITECTURES[0], 1, seed=0)
    weights = dict(zip(network.names, network.tensors, strict=True))
    assert weights["0.shuffle_bias"].view(8, -1)[:, -1].eq(1.0).all()
    assert weights["2.shuffle_bias"].eq(0.0).all()
