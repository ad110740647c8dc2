"""How long training is, and how the weight of bits finds a size: without any network."""

from __future__ import annotations

import math

import pytest

from meshset.codecs.necgs.steering import Steering
from meshset.codecs.necgs.training_length import Plateau, TrainingLength


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run(
    length: TrainingLength, clock: Clock, seconds_a_step: float, steps: int = 10**6, cost: float = math.inf
) -> list[float]:
    """Return the share after each step; the cost falls quickly unless one is given."""
    shares = []
    while length.left and len(shares) < steps:
        clock.now += seconds_a_step
        length.advance(1.0 / (1 + length.done) if math.isinf(cost) else cost)
        shares.append(length.share)
    return shares


def test_a_number_of_steps_takes_so_many() -> None:
    shares = run(TrainingLength(50), Clock(), 1.0)
    assert shares == pytest.approx([(i + 1) / 50 for i in range(50)])


@pytest.mark.parametrize("guess", [10_000, 37])
def test_a_time_is_kept_whatever_was_guessed(guess: int) -> None:
    clock = Clock()
    length = TrainingLength(guess, 60.0, clock)
    shares = run(length, clock, 0.25)
    assert clock.now - 100 == pytest.approx(60, abs=0.5)
    assert shares[-1] == 1.0
    assert shares[len(shares) // 2] == pytest.approx(0.5, abs=0.05)


def test_an_interrupted_time_is_kept_in_all() -> None:
    clock = Clock()
    first = TrainingLength(100, 60.0, clock)
    run(first, clock, 0.5, steps=40)
    state = first.state()
    clock.now += 1e6
    second = TrainingLength(100, 60.0, clock)
    second.restore(state)
    assert second.share == first.share
    run(second, clock, 1.0)
    assert clock.now - 100 - 1e6 == pytest.approx(60, abs=1.5)


def test_time_ends_before_where_nothing_is_gained() -> None:
    clock = Clock()
    length = TrainingLength(100, 10_000.0, clock)
    shares = run(length, clock, 1.0, cost=0.3)
    assert length.ended == "nothing more to gain"
    assert shares[-1] == 1.0
    assert length.done < 1000


def test_told_to_end_the_rate_falls_in_a_few_steps() -> None:
    clock = Clock()
    length = TrainingLength(1000, None, clock)
    run(length, clock, 0.01, steps=200)
    before = length.share
    assert length.end() == 20
    shares = run(length, clock, 0.01)
    assert shares[0] == pytest.approx(before + (1 - before) / 20)
    assert shares[-1] == 1.0
    assert (length.done, length.planned, length.ended) == (220, 1000, "interrupted")


def test_slow_steps_end_within_seconds() -> None:
    clock = Clock()
    length = TrainingLength(1000, None, clock)
    run(length, clock, 5.0, steps=500)
    assert length.end() == 4


def test_a_cost_that_falls_is_no_plateau() -> None:
    falling, flat = Plateau(), Plateau()
    assert not any(falling.reached(i, 1 / math.sqrt(i)) for i in range(1, 5000))
    assert any(flat.reached(i, 1.0 + 0.05 * (i % 3)) for i in range(1, 1000))


@pytest.mark.parametrize("target", [20_000.0, 150_000.0])
def test_the_weight_of_bits_finds_a_size(target: float) -> None:
    """A set whose bytes creep towards what the weight of bits would lead to in the end."""
    steering, size = Steering(7e-7, target), 300_000.0
    for step in range(600):
        weight = steering.weight(step / 600, lambda size=size: size)
        size *= (60_000 * (7e-7 / weight) ** 0.4 / size) ** 0.03
    assert size == pytest.approx(target, rel=0.05)


def test_without_a_target_the_weight_stays() -> None:
    assert Steering(7e-7, None).weight(0.5, lambda: pytest.fail("not needed")) == 7e-7


def test_a_bar_runs_in_steps_or_in_the_seconds_that_training_may_take() -> None:
    by_steps, clock = TrainingLength(1000, None), Clock()
    by_time = TrainingLength(15_000, 60.0, clock)
    assert (by_steps.scale, by_time.scale) == (1000, 60)
    run(by_steps, clock, 0.0, 40)
    run(by_time, clock, 0.5, 40)
    assert (by_steps.reached, by_time.reached) == (40, 20)
    clock.now += 100.0
    assert (by_time.scale, by_time.reached) == (60, 60)
