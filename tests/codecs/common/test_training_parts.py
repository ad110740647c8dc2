"""What all trainers share: schedules, the order of visits, refusals, and the running average."""

from __future__ import annotations

import itertools

import pytest

from meshset.codecs.common.losses import require_finite, running_average
from meshset.codecs.common.outcomes import joined, make_each, usable
from meshset.codecs.common.presets import epochs_for
from meshset.codecs.common.schedules import half_cosine, warmed_cosine
from meshset.codecs.common.torch_guard import memory_guarded, torch_needed
from meshset.codecs.common.visits import shuffled
from meshset.codecs.protocol import Refusal, Settings
from meshset.errors import MeshFileError, MeshsetError, MissingExtraError


def test_rates_rise_to_their_peak_and_fall_to_their_last() -> None:
    assert (half_cosine(0.0), half_cosine(1.5, 3.0), half_cosine(1.0)) == pytest.approx((1.0, 0.5, 0.0))
    rates = [warmed_cosine(done / 10, 0.2, last=0.1, first=0.5, peak=2.0) for done in range(11)]
    assert (rates[0], rates[2], rates[6], rates[10]) == pytest.approx((1.0, 2.0, 1.05, 0.1))
    assert rates[2:] == sorted(rates[2:], reverse=True)


def test_every_mesh_is_visited_before_any_is_again() -> None:
    steps = shuffled(5, 2, 10, seed=0)
    visited = list(itertools.chain(*steps))
    assert [len(step) for step in steps] == [2] * 10
    assert all(sorted(visited[first : first + 5]) == [0, 1, 2, 3, 4] for first in range(0, 20, 5))
    assert steps == shuffled(5, 2, 10, seed=0) != shuffled(5, 2, 10, seed=1)


def test_refusals_keep_their_places() -> None:
    def half(place: int) -> int:
        if place % 2:
            raise MeshFileError(f"{place} is odd")
        return place // 2

    made = make_each("halving", range(2, 6), half)
    assert made == [1, Refusal("3 is odd"), 2, Refusal("5 is odd")]
    assert joined(made, ["one", "two"]) == ("one", Refusal("3 is odd"), "two", Refusal("5 is odd"))
    assert usable(made) == [1, 2]


def test_the_running_average_starts_at_the_first_loss() -> None:
    assert running_average(None, 3.0) == 3.0
    assert running_average(3.0, 8.0) == pytest.approx(3.1)
    with pytest.raises(MeshsetError, match="training diverged"):
        require_finite(float("nan"))


def test_small_sets_are_visited_more_often() -> None:
    assert [epochs_for(Settings(preset="fast"), meshes) for meshes in (1, 50, 1000)] == [10_000, 200, 100]


def test_what_is_missing_is_one_line() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(MissingExtraError, match=r"^juggling needs the 'compress' extra"), torch_needed("juggling"):
        raise ImportError
    with pytest.raises(MeshsetError, match=r"^device cuda:3 ran out of memory in training$"), memory_guarded("cuda:3"):
        raise torch.OutOfMemoryError
