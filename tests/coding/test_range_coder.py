"""The range coder: round trips, sizes, hostile bytes, and a second decoder written from docs/SPEC.md alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from meshset.coding import Laplace, Model, decode, encode, fit
from meshset.errors import ArchiveError

int_arrays = arrays(np.int32, st.integers(1, 200), elements=st.integers(-1000, 1000))


@settings(max_examples=200)
@given(st.lists(int_arrays, min_size=1, max_size=5))
def test_round_trip(several: list[np.ndarray]) -> None:
    coded = [(numbers, fit(numbers)) for numbers in several]
    decoded = decode(encode(coded), [(numbers.size, model) for numbers, model in coded])
    for numbers, back in zip(several, decoded, strict=True):
        assert back.dtype == np.int32
        assert np.array_equal(numbers, back)


@pytest.mark.parametrize("scale", [0.3, 2.0, 30.0])
def test_size_is_within_one_per_cent_of_the_entropy(scale: float) -> None:
    numbers = np.round(np.random.default_rng(0).laplace(0, scale, 100_000)).astype(np.int32)
    counts = np.unique(numbers, return_counts=True)[1]
    entropy = -(counts * np.log2(counts / counts.sum())).sum() / 8
    model = fit(numbers)
    assert entropy <= len(encode([(numbers, model)])) + len(model.to_bytes()) < 1.01 * entropy


def decode_by_the_specification(data: bytes, wanted: list[tuple[int, Model]]) -> list[list[int]]:
    """A decoder in plain integers that follows docs/SPEC.md, sharing no code with the library."""
    words = [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)] + [0, 0]
    position, span, point = 2, (1 << 64) - 1, words[0] << 32 | words[1]
    out = []
    for count, model in wanted:
        starts = [0]
        for frequency in model.frequencies().tolist():
            starts.append(starts[-1] + frequency)
        symbols = []
        for _ in range(count):
            if model.size == 1:
                symbols.append(model.low)
                continue
            part = span >> 24
            quantile = point // part
            symbol = next(i for i in range(model.size) if starts[i + 1] > quantile)
            point -= part * starts[symbol]
            span = part * (starts[symbol + 1] - starts[symbol])
            if span < 1 << 32:
                span <<= 32
                point = point << 32 | (words[position] if position < len(words) else 0)
                position += 1
            symbols.append(symbol + model.low)
        out.append(symbols)
    return out


@settings(max_examples=50, deadline=None)
@given(st.lists(int_arrays, min_size=1, max_size=3))
def test_the_specification_is_enough_to_decode(several: list[np.ndarray]) -> None:
    coded = [(numbers, fit(numbers)) for numbers in several]
    wanted = [(numbers.size, model) for numbers, model in coded]
    assert decode_by_the_specification(encode(coded), wanted) == [numbers.tolist() for numbers in several]


def test_golden_bytes() -> None:
    numbers = np.array([0, 1, -1, 3, 0, 0, -2, 5, 0, 1], dtype=np.int32)
    assert encode([(numbers, Laplace(-8, 17, 30_000))]).hex() == GOLDEN


GOLDEN = "9e71b796"


@given(st.binary(max_size=64), st.integers(0, 50))
def test_arbitrary_bytes_decode_or_are_refused(data: bytes, count: int) -> None:
    model = Laplace(-8, 17, 30_000)
    try:
        (numbers,) = decode(data, [(count, model)])
    except ArchiveError:
        return
    assert numbers.shape == (count,)
    assert np.abs(numbers).max(initial=0) <= 8


def test_left_over_words_are_refused() -> None:
    numbers = np.arange(-8, 9, dtype=np.int32)
    model = Laplace(-8, 17, 30_000)
    with pytest.raises(ArchiveError, match="longer"):
        decode(encode([(numbers, model)]) + bytes(range(1, 17)), [(numbers.size, model)])
