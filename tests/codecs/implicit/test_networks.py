"""Field networks: sizes as the papers have them, one forward pass for numpy and torch, training in any company."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from meshset.codecs.common.samples import Samples
from meshset.codecs.implicit.network import FieldNetwork, stacked
from meshset.codecs.implicit.perceptrons import DeepSdf, FourierFeatures, NeuralImplicit, Siren, normal_numbers
from meshset.codecs.implicit.recipe import Recipe
from meshset.codecs.implicit.training import TrainedMesh, rate_factor, train
from meshset.codecs.protocol import Settings
from meshset.errors import ArchiveError

SMALL = (
    NeuralImplicit(3, 8),
    Siren(2, 16, frequency=5),
    FourierFeatures(frequencies=8, layers=2, width=16),
    DeepSdf(5, 8),
)


def ball(radius: float, count: int = 4000) -> Samples:
    """Return samples of a ball, whose distance is known."""
    points = np.random.default_rng(0).integers(-32767, 32768, (3, count)).astype(np.int16)
    distance = np.linalg.norm(points / 32767.0, axis=0) - radius
    return Samples(points, distance.astype(np.float16), ())


def trained(network: FieldNetwork, radii: list[float], recipe: Recipe, bits: int = 12) -> list[TrainedMesh]:
    samples = [ball(radius) for radius in radii]
    return train(network, [{}] * len(radii), samples, recipe, bits, Settings())


@pytest.mark.parametrize(
    ("network", "floats", "kilobytes"),
    [
        (NeuralImplicit(), 7553, 30),
        (Siren(5, 256), 264_449, 1033),
        (FourierFeatures(256, 7, 256), 527_105, 2059),
        (DeepSdf(8, 512), 1_839_614, 7186),
    ],
)
def test_sizes_are_those_of_the_papers(network: FieldNetwork, floats: int, kilobytes: int) -> None:
    """Kilobytes of float32 numbers in Table 1 of the key spheres paper, of 1024 bytes."""
    assert network.stored_floats({}) == floats
    assert round(4 * floats / 1024) == kilobytes


@pytest.mark.parametrize("network", [Siren(), FourierFeatures(), DeepSdf()])
def test_default_networks_are_about_as_large_as_ni(network: FieldNetwork) -> None:
    assert network.parameters({}) == pytest.approx(7553, rel=0.02)


@pytest.mark.parametrize("network", SMALL)
def test_numpy_and_torch_see_the_same_field(network: FieldNetwork) -> None:
    start = stacked([network.initial({}, np.random.default_rng(seed)) for seed in range(3)])
    points = np.random.default_rng(9).uniform(-1, 1, (3, 3, 50)).astype(np.float32)
    ours = network.distance(start, {}, points.copy())
    tensors = {name: torch.from_numpy(values) for name, values in start.items()}
    theirs = network.distance(tensors, {}, torch.from_numpy(points)).numpy()
    assert ours.shape == (3, 50)
    assert ours.dtype == np.float32
    assert np.ptp(ours) > 0.01
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("network", SMALL)
def test_a_mesh_comes_out_the_same_in_any_company(network: FieldNetwork) -> None:
    recipe, radii = Recipe(steps=8, batch=64), [0.3, 0.5, 0.7]
    together = trained(network, radii, recipe)
    alone = [trained(network, [radius], recipe)[0] for radius in radii]
    for one, other in zip(together, alone, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-4)
        for name, tensor in one.weights.items():
            np.testing.assert_allclose(tensor.values, other.weights[name].values, atol=2 * tensor.step)
    assert not np.array_equal(together[0].weights["last.weight"].values, together[2].weights["last.weight"].values)


@pytest.mark.parametrize("network", SMALL)
def test_networks_learn_a_ball(network: FieldNetwork) -> None:
    (result,) = trained(network, [0.6], Recipe(steps=400, batch=256))
    weights = {name: tensor.values[None] for name, tensor in result.weights.items()}
    points = np.random.default_rng(3).normal(size=(3, 500))
    points *= 0.6 / np.linalg.norm(points, axis=0)
    assert np.abs(network.distance(weights, {}, points[None].astype(np.float32))).mean() < 0.08


def test_fewer_bits_make_smaller_numbers() -> None:
    for bits in (3, 8):
        (result,) = trained(NeuralImplicit(2, 8), [0.6], Recipe(steps=5, batch=64), bits)
        largest = [int(np.abs(tensor.numbers).max()) for tensor in result.weights.values()]
        assert max(largest) == 2 ** (bits - 1) - 1


def test_loss_that_is_no_number_stays_with_its_mesh() -> None:
    good, bad = ball(0.5), ball(0.5)
    bad.half_distance[:] = np.nan
    results = train(NeuralImplicit(2, 4), [{}, {}], [good, bad], Recipe(steps=5, batch=64), 8, Settings())
    assert np.isfinite(results[0].loss)
    assert not np.isfinite(results[1].loss)
    assert all(np.isfinite(tensor.values).all() for tensor in results[0].weights.values())


def test_arrays_of_unequal_length_are_padded() -> None:
    together = stacked([{"a": np.ones((2, 3))}, {"a": np.ones((4, 3))}])
    assert together["a"].shape == (2, 4, 3)
    assert together["a"].sum(axis=(1, 2)).tolist() == [6, 12]


def test_random_matrix_of_a_seed_is_the_same_for_ever() -> None:
    expected = [2.044272163028782, 1.045091417389922, 0.34268650712041837, -0.1933658650337396]
    np.testing.assert_allclose(normal_numbers(4, 0), expected, rtol=1e-12)
    many = normal_numbers(20_001, 7)
    assert many.shape == (20_001,)
    assert abs(many.mean()) < 0.02
    assert many.std() == pytest.approx(1.0, abs=0.02)
    assert not np.array_equal(normal_numbers(4, 0), normal_numbers(4, 1))


def test_learning_rate_rises_and_falls() -> None:
    recipe = Recipe(steps=10, warm_up=0.1, last_rate=0.01)
    assert rate_factor(0.0, recipe) == 0.0
    assert rate_factor(0.1, recipe) == pytest.approx(1.0)
    assert rate_factor(1.0, recipe) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (NeuralImplicit, (0, 32)),
        (NeuralImplicit, (8, 2000)),
        (NeuralImplicit, (8,)),
        (Siren, (5, 42, 0)),
        (FourierFeatures, (0, 4, 40, 50, 0)),
        (DeepSdf, (4, 32)),
    ],
)
def test_impossible_sizes_are_refused(kind: type[FieldNetwork], numbers: tuple[int, ...]) -> None:
    with pytest.raises(ArchiveError):
        kind.read(numbers)
