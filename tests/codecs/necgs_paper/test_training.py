"""The paper's quantiser, SSIM and loss, and the two engines against each other."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from meshset.codecs.common.dense import dense_values
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.dense import decode_dense
from meshset.codecs.necgs_paper.examples import make_example
from meshset.codecs.necgs_paper.grid import decode_grid
from meshset.codecs.necgs_paper.levels import HIGHEST, values
from meshset.codecs.necgs_paper.loss import field_loss
from meshset.codecs.necgs_paper.network import PaperNetwork
from meshset.codecs.necgs_paper.quantiser import numbers, quantise
from meshset.codecs.necgs_paper.recipe import Recipe
from meshset.codecs.necgs_paper.ssim import ssim_map
from meshset.codecs.necgs_paper.training import batch_loss, learning_rate
from meshset.field import Field, compute_field
from meshset.field.grid import children, root_coords
from tests.field import shapes


def test_the_quantiser_has_257_levels_with_0_and_both_ends() -> None:
    fine = torch.linspace(-1.5, 1.5, 30_001, dtype=torch.float64)
    levels = torch.unique(quantise(fine))
    assert len(levels) == 2**8 + 1
    assert {-1.0, 0.0, 1.0} <= set(levels.tolist())
    assert torch.allclose(levels.diff(), torch.tensor(1 / 128, dtype=torch.float64))


def test_quantised_values_are_those_of_the_equation() -> None:
    """Q(x) = Round((Clamp(x, a, b) - a) / s) s + a, with a = -1, b = 1 and s = (b - a) / 2^8."""
    x = np.random.default_rng(0).normal(0, 0.6, 10_000)
    step = 2 / 2**8
    expected = np.round((np.clip(x, -1, 1) + 1) / step) * step - 1
    assert np.array_equal(quantise(torch.from_numpy(x)).numpy(), expected)
    assert np.array_equal(values(numbers(torch.from_numpy(x)).numpy()), expected.astype(np.float32))


def test_gradients_go_straight_through_the_rounding_and_stop_at_the_ends() -> None:
    x = torch.tensor([-2.0, -1.0, -0.3, 0.001, 0.996, 1.0, 1.2], requires_grad=True)
    (quantise(x) * torch.arange(1.0, 8.0)).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad.tolist() == [0, 2, 3, 4, 5, 6, 0]


def volumes(seed: int, shape: tuple[int, ...] = (2, 9, 8, 7)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(seed)
    first = generator.uniform(-1, 1, shape)
    second = np.clip(first + generator.normal(0, 0.4, shape), -1, 1)
    return torch.from_numpy(first), torch.from_numpy(second)


def ssim_by_definition(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weighted means, variances and covariance in every window, as Wang et al. define them."""
    offsets = np.array(list(itertools.product(range(-2, 3), repeat=3)))
    window = np.exp(-(offsets**2).sum(axis=1) / (2 * 1.5**2)).reshape(5, 5, 5)
    window /= window.sum()

    def mean(a: np.ndarray) -> np.ndarray:
        return correlate(a, window)[2:-2, 2:-2, 2:-2]

    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    return (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))


def test_ssim_is_that_of_the_definition() -> None:
    first, second = volumes(0)
    expected = np.stack([ssim_by_definition(x, y) for x, y in zip(first.numpy(), second.numpy(), strict=True)])
    assert np.abs(ssim_map(first, second).numpy() - expected).max() < 1e-12


def test_ssim_in_closed_forms() -> None:
    first, _ = volumes(1)
    assert torch.allclose(ssim_map(first, first), torch.ones((), dtype=torch.float64))
    a, b = torch.full((1, 6, 6, 6), 0.7), torch.full((1, 6, 6, 6), -0.2)
    c1 = 0.02**2
    assert torch.allclose(ssim_map(a, b), torch.tensor((2 * 0.7 * -0.2 + c1) / (0.7**2 + 0.2**2 + c1)), atol=1e-4)
    zero_mean = first - 10 * first
    assert float(ssim_map(first, zero_mean).max()) < 1.0


def test_gradients_of_ssim_and_of_the_loss() -> None:
    first, second = volumes(2, (1, 6, 5, 7))
    assert torch.autograd.gradcheck(lambda p: ssim_map(p, second), (first.requires_grad_(),))
    first, second = volumes(3, (4, 5, 5, 6))
    loss = partial(field_loss, target=second, resolution=8, recipe=Recipe(epochs=1))
    assert torch.autograd.gradcheck(loss, (first.requires_grad_(),), fast_mode=True)


def test_the_loss_is_the_sum_of_its_terms() -> None:
    target = torch.zeros(4, 8, 8, 8)
    target[0] = 1.0
    target[0, 3, 3, 3] = 0.5
    prediction = target.clone()
    prediction[1, 3, 3, 3] = 0.3
    prediction[0, 0, 0, 0] = 0.8
    recipe = Recipe(epochs=1, near_weight=5.0, ssim_weight=10.0)
    unlike = 1 - ssim_map(prediction, target)
    expected = (0.3 + 0.2) / (4 * 512) + 5 * 0.3 + 10 * (unlike[0].mean() + unlike[1:].mean())
    assert torch.isclose(field_loss(prediction, target, 8, recipe), expected)
    assert float(field_loss(target, target, 8, recipe)) == pytest.approx(0.0, abs=1e-5)


@pytest.fixture(scope="module")
def field() -> Field:
    return compute_field(shapes.torus(rows=48, columns=24), 32)[0]


def test_a_box_around_the_band_has_the_loss_of_the_whole_grid(field: Field) -> None:
    example = make_example(field, Architecture(32, (3, 3, 3), 0, 4))
    whole = torch.from_numpy(dense_values(field, 4))
    assert example.target.numel() < whole.numel()
    generator = torch.Generator().manual_seed(0)
    active = field.coords[np.abs(field.tsdf) < 1].astype(np.int64)
    predicted = torch.rand(4, len(active), generator=generator)
    in_whole, in_box = whole.clone(), example.target.float().flatten(1)
    in_whole[(slice(None), *active.T)] = predicted
    in_box[:, example.places] = predicted
    recipe = Recipe(epochs=1)
    by_box = field_loss(in_box.view(example.target.shape), example.target.float(), 32, recipe)
    assert torch.isclose(by_box, field_loss(in_whole, whole.half().float(), 32, recipe), rtol=1e-5)


def full_field(seed: int) -> Field:
    """A field without a surface worth the name, all of whose points are in the band."""
    coords = root_coords(np.empty(0))
    for _ in range(3):
        coords = children(coords)
    generator = np.random.default_rng(seed)
    tsdf = generator.uniform(-0.9, 0.9, len(coords)).astype(np.float16).astype(np.float32)
    deformation = generator.uniform(-1, 1, (len(coords), 3)).astype(np.float16).astype(np.float32)
    return Field(32, coords.astype(np.int16), tsdf, deformation)


def twins() -> tuple[PaperNetwork, PaperNetwork]:
    """The same network for both engines; the logits of the narrow band's are 1 everywhere."""
    dense = PaperNetwork(Architecture(32, (5, 4, 3), 0, expands=False), 2, 0)
    narrow = PaperNetwork(Architecture(32, (5, 4, 3), 0), 2, 0)
    with torch.no_grad():
        narrow.latents.copy_(dense.latents)
        for ours, theirs in zip(narrow.tensors, dense.tensors, strict=True):
            if ours.shape == theirs.shape:
                ours.copy_(theirs)
            else:
                octants = ours.view(*ours.shape[:-1], 8, -1)
                octants[..., :-1] = theirs.view(*theirs.shape[:-1], 8, -1)
                octants[..., -1] = 1.0 if ours.dim() == 1 else 0.0
    return dense, narrow


def test_both_engines_have_the_same_loss_and_gradients_where_everything_is_active() -> None:
    dense, narrow = twins()
    fields = [full_field(0), full_field(1)]
    recipe = Recipe(epochs=1, expansion_weight=0.0)
    losses = []
    for network in (dense, narrow):
        examples = [make_example(field, network.architecture) for field in fields]
        losses.append(batch_loss(network, [0, 1], examples, recipe))
        losses[-1].backward()  # type: ignore[no-untyped-call]
    assert torch.isclose(*losses, rtol=1e-5)
    gradients = [(narrow.latents.grad, dense.latents.grad)]
    for ours, theirs in zip(narrow.tensors, dense.tensors, strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        same = ours.shape == theirs.shape
        shared = ours.grad if same else ours.grad.view(*ours.shape[:-1], 8, -1)[..., :-1].reshape(theirs.shape)
        gradients.append((shared, theirs.grad))
    for ours, theirs in gradients:
        assert torch.allclose(ours, theirs, atol=1e-4 * float(theirs.abs().max()))


def test_bfloat16_layers_change_the_loss_and_its_gradients_little() -> None:
    losses, gradients = [], []
    for mixed in (False, True):
        network = PaperNetwork(Architecture(32, (5, 4, 3), 0, expands=False), 2, 0)
        examples = [make_example(full_field(seed), network.architecture) for seed in (0, 1)]
        loss = batch_loss(network, [0, 1], examples, Recipe(epochs=1), mixed)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.item())
        gradients.append(torch.cat([t.grad.flatten() for t in network.parameters() if t.grad is not None]))
    assert losses[0] != losses[1] == pytest.approx(losses[0], rel=1e-3)
    assert torch.cosine_similarity(*gradients, dim=0) > 0.99


@pytest.mark.parametrize("slab", [1, 1 << 24])
def test_the_decoder_on_the_grid_is_that_of_training(slab: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshset.codecs.necgs_paper.grid._SLAB", slab)
    architecture = Architecture(32, (5, 4, 3), 0, latent_channels=4, expands=False)
    network = PaperNetwork(architecture, 1, 0)
    with torch.no_grad():
        for tensor in network.tensors:
            tensor.mul_(3)
    weights = {name: tensor.detach() for name, tensor in zip(network.names, network.tensors, strict=True)}
    latent = network.latents[0].detach()
    expected = decode_dense(latent, weights, architecture).numpy()
    by_torch = decode_grid(latent, weights, architecture).numpy()
    by_numpy = decode_grid(latent.numpy(), {name: w.numpy() for name, w in weights.items()}, architecture)
    assert by_numpy.shape == (32, 32, 32, 4)
    assert np.abs(expected).max() > 0.1
    assert np.abs(by_numpy - expected).max() < 1e-4
    assert np.abs(by_torch - expected).max() < 1e-4


def test_the_learning_rate_warms_up_for_a_fifth_and_ends_at_its_last() -> None:
    recipe = Recipe(epochs=400)
    assert learning_rate(0.0, recipe) == pytest.approx(1e-4)
    assert learning_rate(0.2, recipe) == pytest.approx(1e-3)
    assert learning_rate(0.6, recipe) == pytest.approx((1e-3 + 1e-5) / 2)
    assert learning_rate(1.0, recipe) == pytest.approx(1e-5)


def test_nothing_leaves_the_range_of_the_quantiser() -> None:
    network = PaperNetwork(Architecture(32, (5, 4, 3), 0), 1, 0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(100)
    network.project()
    assert all(float(parameter.detach().abs().max()) <= 1.0 for parameter in network.parameters())
    assert np.abs(network.final_latent(0)).max() == HIGHEST
