"""Huffman codes: lossless, as short as the theory says, and nothing but an error for bytes that were never written."""

from __future__ import annotations

import tracemalloc

import constriction
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshset.coding import ByteReader, signed_varint, varint
from meshset.coding.huffman import LONGEST, HuffmanCode, decode, encode, fit, read_code
from meshset.errors import ArchiveError

arrays = st.lists(st.integers(-300, 300), min_size=1, max_size=300).map(lambda n: np.array(n, np.int32))


@given(st.lists(arrays, max_size=4))
def test_arrays_come_back(some: list[np.ndarray]) -> None:
    codes = [fit(array) for array in some]
    data = encode(list(zip(some, codes, strict=True)))
    back = decode(data, [(len(array), code) for array, code in zip(some, codes, strict=True)])
    for array, again in zip(some, back, strict=True):
        assert again.dtype == np.int32
        assert np.array_equal(array, again)


@given(arrays)
def test_codes_come_back(numbers: np.ndarray) -> None:
    code = fit(numbers)
    fields = ByteReader(code.to_bytes() + b"rest")
    assert read_code(fields) == code
    assert fields.rest() == b"rest"


def test_textbook_example() -> None:
    """Counts 5, 2, 1, 1 of 7, 8, 9, 10: lengths 1, 2, 3, 3 and words 0, 10, 110, 111."""
    numbers = np.array([7, 8, 7, 9, 7, 10, 8, 7, 7], np.int32)
    code = fit(numbers)
    assert code == HuffmanCode(7, (1, 2, 3, 3))
    assert code.codewords.tolist() == [0b0, 0b10, 0b110, 0b111]
    assert encode([(numbers, code)]) == bytes([0b01001100, 0b11110000])


def test_as_short_as_another_library() -> None:
    """Huffman trees of the same counts may differ in shape, never in the bits that they need."""
    numbers = np.random.default_rng(0).laplace(0, 6, 20_000).round().clip(-128, 128).astype(np.int32)
    code = fit(numbers)
    counts = np.bincount(numbers - numbers.min())
    ours = int((counts * np.array(code.lengths)).sum())
    assert len(encode([(numbers, code)])) == (ours + 7) // 8
    entropy = -(counts[counts > 0] * np.log2(counts[counts > 0] / counts.sum())).sum()
    assert entropy <= ours < 1.02 * entropy
    tree = constriction.symbol.huffman.EncoderHuffmanTree(counts[counts > 0].astype(np.float64))
    coder = constriction.symbol.StackCoder()
    for symbol, count in enumerate(counts[counts > 0]):
        for _ in range(count):
            coder.encode_symbol(symbol, tree)
    assert ours == coder.get_compressed_and_bitrate()[1]


def test_rare_numbers_do_not_get_longer_words_than_allowed() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 25:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    numbers = np.repeat(np.arange(25, dtype=np.int32), fibonacci)
    code = fit(numbers)
    assert 10 < max(code.lengths) <= LONGEST < 24
    assert np.array_equal(decode(encode([(numbers, code)]), [(len(numbers), code)])[0], numbers)


def test_long_arrays_cross_the_blocks_of_the_decoder() -> None:
    numbers = np.random.default_rng(1).normal(0, 30, 200_000).round().clip(-128, 128).astype(np.int32)
    code = fit(numbers)
    data = encode([(numbers[:7], code), (numbers, code)])
    assert np.array_equal(decode(data, [(7, code), (len(numbers), code)])[1], numbers)


@pytest.mark.parametrize("numbers", [[], [0, 2000]])
def test_what_has_no_code(numbers: list[int]) -> None:
    with pytest.raises(ValueError, match="code"):
        fit(np.array(numbers, np.int32))


@pytest.mark.parametrize(
    "table",
    [
        signed_varint(0) + varint(0),
        signed_varint(0) + varint(5000) + bytes(5000),
        signed_varint(5000) + varint(1),
        signed_varint(0) + varint(2) + b"\x21",
        signed_varint(0) + varint(3) + b"\x11\x01",
        signed_varint(0) + varint(3) + b"\x21\x12",
        signed_varint(0) + varint(2) + b"\x00",
        signed_varint(0) + varint(4) + b"\x11",
    ],
)
def test_impossible_codes_are_refused(table: bytes) -> None:
    with pytest.raises(ArchiveError):
        read_code(ByteReader(table))


@given(st.binary(max_size=40), st.integers(0, 100))
def test_noise_is_numbers_or_refused(data: bytes, count: int) -> None:
    code = fit(np.array([-3, -1, -1, 0, 0, 0, 0, 2], np.int32))
    try:
        (numbers,) = decode(data, [(count, code)])
    except ArchiveError:
        return
    assert len(numbers) == count
    assert encode([(numbers, code)]) == data


def test_missing_data_are_refused_without_taking_memory_for_what_they_claim() -> None:
    code = fit(np.array([0, 1, 1], np.int32))
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match="too early"):
            decode(bytes(100), [(1 << 40, code)])
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()
