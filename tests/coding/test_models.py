"""Probability models: integer tables that fit the numbers, and survive their own bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshset.coding import ByteReader, Gaussian, Histogram, Laplace, Model, fit, read_model
from meshset.errors import ArchiveError


def entropy_bits(numbers: np.ndarray) -> float:
    counts = np.unique(numbers, return_counts=True)[1]
    return float(-(counts * np.log2(counts / counts.sum())).sum())


models = st.one_of(
    st.builds(Laplace, st.integers(-300, 0), st.integers(301, 600), st.integers(1, 65535)),
    st.builds(Gaussian, st.integers(-300, 0), st.integers(301, 600), st.integers(1, 65535)),
    st.binary(min_size=1, max_size=300).filter(any).map(lambda codes: Histogram(-5, len(codes), codes)),
)


@given(models)
def test_frequencies_are_positive_and_sum_to_the_precision(model: Model) -> None:
    frequencies = model.frequencies()
    assert frequencies.shape == (model.size,)
    assert frequencies.min() >= 1
    assert frequencies.sum() == 1 << 24


@given(models)
def test_bytes_give_the_same_model(model: Model) -> None:
    fields = ByteReader(model.to_bytes())
    assert read_model(fields) == model
    assert fields.rest() == b""


@given(models, st.data())
def test_truncated_bytes_are_refused(model: Model, data: st.DataObject) -> None:
    whole = model.to_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ArchiveError):
        read_model(ByteReader(whole[:cut]))


@given(st.binary(max_size=40))
def test_arbitrary_bytes_are_a_model_or_refused(data: bytes) -> None:
    try:
        model = read_model(ByteReader(data))
    except ArchiveError:
        return
    assert model.frequencies().sum() == 1 << 24


@pytest.mark.parametrize(
    ("draw", "kind"),
    [
        (lambda g: g.laplace(0, 2, 20_000), Laplace),
        (lambda g: g.normal(0, 6, 20_000), Gaussian),
        (lambda g: g.choice([-7, 2, 3], 20_000), Histogram),
    ],
)
def test_the_model_that_fits_is_chosen_and_is_near_the_entropy(draw, kind) -> None:  # type: ignore[no-untyped-def]
    numbers = np.round(draw(np.random.default_rng(0))).astype(np.int32)
    model = fit(numbers)
    assert isinstance(model, kind)
    assert model.bits(numbers) < 1.01 * entropy_bits(numbers)


def test_a_model_never_costs_much_more_than_the_entropy() -> None:
    generator = np.random.default_rng(1)
    numbers = np.concatenate([generator.integers(0, 40, 3000), np.full(9000, 5)]).astype(np.int32)
    model = fit(numbers)
    assert model.bits(numbers) + 8 * len(model.to_bytes()) < 1.02 * entropy_bits(numbers) + 400


@pytest.mark.parametrize("numbers", [np.zeros(0, np.int32), np.array([0, 1 << 17], np.int32)])
def test_numbers_that_no_model_holds_are_refused(numbers: np.ndarray) -> None:
    with pytest.raises(ValueError, match="range"):
        fit(numbers)
