"""Decisions and numbers come back, and take about as many bytes as they are counted to."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshset.coding.adaptive import Contexts, Reader, Writer
from meshset.coding.numbers import NUMBER, code_number, code_symbol
from meshset.errors import ArchiveError

DECISIONS = st.one_of(
    st.tuples(st.just(0), st.integers(0, 3), st.integers(0, 1)),
    st.integers(1, 1 << 20).flatmap(lambda size: st.tuples(st.just(size), st.just(0), st.integers(0, size - 1))),
)
"""A size of 0 stands for a decision under a context."""


class Counter:
    """Counts the bits that decisions should take."""

    def __init__(self) -> None:
        self.bits = 0.0

    def bit(self, contexts: Contexts, context: int, value: int) -> None:
        one = contexts.one[context] / (1 << 16)
        self.bits -= math.log2(one if value else 1 - one)
        contexts.learn(context, value)

    def even(self, size: int, value: int) -> None:
        self.bits += math.log2(size)


@given(decisions=st.lists(DECISIONS, max_size=200))
def test_what_is_written_is_read(decisions: list[tuple[int, int, int]]) -> None:
    writer, contexts = Writer(), Contexts.blank(4)
    for size, context, value in decisions:
        assert (writer.even(size, value) if size else writer.bit(contexts, context, value)) == value
    data = writer.to_bytes()
    assert not data.endswith(b"\0")
    learned = contexts
    for zeros in (0, 3, 8):
        reader, contexts = Reader(data + bytes(zeros)), Contexts.blank(4)
        for size, context, value in decisions:
            assert (reader.even(size) if size else reader.bit(contexts, context)) == value
        assert (contexts.one, contexts.seen) == (learned.one, learned.seen)


def test_bits_are_counted_as_they_are_written() -> None:
    rng = random.Random(0)
    writer, counter, contexts, counted = Writer(), Counter(), Contexts.blank(2), Contexts.blank(2)
    for _ in range(5000):
        context = rng.randrange(2)
        value = int(rng.random() < (0.02, 0.6)[context])
        writer.bit(contexts, context, value)
        counter.bit(counted, context, value)
        writer.even(10, value)
        counter.even(10, value)
    assert 8 * len(writer.to_bytes()) == pytest.approx(counter.bits, rel=0.01)
    assert counter.bits < 5000 * (3.33 + 0.62)


@given(decisions=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), max_size=60))
def test_no_byte_more_than_the_decisions_take(decisions: list[tuple[int, int]]) -> None:
    writer, counter, contexts, counted = Writer(), Counter(), Contexts.blank(4), Contexts.blank(4)
    for context, value in decisions:
        writer.bit(contexts, context, value)
        counter.bit(counted, context, value)
    assert len(writer.to_bytes()) <= counter.bits / 8 + 1.1


def test_probabilities_stay_within_what_can_be_coded() -> None:
    for value in (0, 1):
        writer, contexts = Writer(), Contexts.blank(1)
        for _ in range(3000):
            writer.bit(contexts, 0, value)
        assert 0 <= contexts.one[0] <= 1 << 16
        writer.bit(contexts, 0, 1 - value)
        reader, contexts = Reader(writer.to_bytes()), Contexts.blank(1)
        assert [reader.bit(contexts, 0) for _ in range(3001)] == [value] * 3000 + [1 - value]


@given(numbers=st.lists(st.integers(0, (1 << 28) - 2), max_size=40))
def test_numbers_come_back(numbers: list[int]) -> None:
    writer, contexts = Writer(), Contexts.blank(NUMBER)
    for number in numbers:
        assert code_number(writer, contexts, 0, number) == number
    reader, contexts = Reader(writer.to_bytes()), Contexts.blank(NUMBER)
    assert [code_number(reader, contexts, 0, 0) for _ in numbers] == numbers


def test_a_number_that_is_too_long_is_refused() -> None:
    with pytest.raises(ArchiveError, match="too long"):
        code_number(Writer(), Contexts.blank(NUMBER), 0, (1 << 28) - 1)
    writer, contexts = Writer(), Contexts.blank(NUMBER)
    for length in range(28):
        writer.bit(contexts, length, 1)
    with pytest.raises(ArchiveError, match="too long"):
        code_number(Reader(writer.to_bytes()), Contexts.blank(NUMBER), 0, 0)


@given(symbols=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 15)), max_size=60))
def test_symbols_come_back(symbols: list[tuple[int, int]]) -> None:
    writer, contexts = Writer(), Contexts.blank(5 + 3 * 16)
    for table, symbol in symbols:
        code_symbol(writer, contexts, 5, table, 4, symbol)
    assert contexts.seen[:5] == [1] * 5
    reader, contexts = Reader(writer.to_bytes()), Contexts.blank(5 + 3 * 16)
    assert [code_symbol(reader, contexts, 5, table, 4, 0) for table, _ in symbols] == [symbol for _, symbol in symbols]


def test_bits_that_nobody_wrote_are_refused() -> None:
    with pytest.raises(ArchiveError, match="invalid bits"):
        Reader(b"\xff" * 8).bit(Contexts.blank(1), 0)
    with pytest.raises(ArchiveError, match="invalid bits"):
        Reader(b"\xff" * 8).even(5)
