"""Probability models of whole numbers, as tables of integers that encoder and decoder derive alike.

Every model covers the numbers from `low` to `low + n - 1` and gives them integer weights; the weights are scaled to
frequencies that sum to 2^24 by integer arithmetic alone, so that no rounding of any machine can change how bits are
read.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from meshset.coding.parsing import ByteReader, signed_varint, varint
from meshset.errors import ArchiveError

PRECISION = 24
"""Frequencies of a model sum to 2^PRECISION."""

MAX_SYMBOLS = 1 << 16
"""Largest range of numbers that a model may cover."""

_UNIT = 16
"""Fractional bits of the decay of a parametric model."""

_TOP = 1 << 40
"""Weight of the number 0 in a parametric model."""


@dataclass(frozen=True)
class Model(ABC):
    """A distribution over the whole numbers low, ..., low + size - 1."""

    low: int
    size: int

    kind: ClassVar[int]

    @abstractmethod
    def weights(self) -> list[int]:
        """Return one integer weight per number, not all zero."""

    @abstractmethod
    def parameters(self) -> bytes:
        """Return what follows kind, low and size in the stream."""

    def frequencies(self) -> NDArray[np.int64]:
        """Return how many of the 2^24 parts each number has, (size,) int64, each at least 1.

        Number i gets 1 + floor(w_i (2^24 - size) / sum(w)); what is left over goes to the first number of largest
        weight.
        """
        weights = self.weights()
        free, total = (1 << PRECISION) - self.size, sum(weights)
        shares = [w * free // total for w in weights]
        shares[weights.index(max(weights))] += free - sum(shares)
        return np.array(shares, dtype=np.int64) + 1

    def bits(self, numbers: NDArray[np.int32]) -> float:
        """Return the ideal code length of `numbers`, all of which must lie in the model's range."""
        counts = np.bincount(numbers.ravel() - self.low, minlength=self.size)
        return float((counts * (PRECISION - np.log2(self.frequencies()))).sum())

    def to_bytes(self) -> bytes:
        """Return kind, range and parameters."""
        return bytes([self.kind]) + signed_varint(self.low) + varint(self.size) + self.parameters()


@dataclass(frozen=True)
class Laplace(Model):
    """Weights that decay by a constant factor with the magnitude of the number, the discrete Laplace distribution."""

    kind: ClassVar[int] = 1
    decay: int
    """Factor from one magnitude to the next, in units of 2^-16."""

    def weights(self) -> list[int]:
        """Return w(k) = w(|k| - 1) * decay / 2^16, rounded down, from w(0) = 2^40."""
        by_magnitude = [_TOP]
        for _ in range(max(abs(self.low), abs(self.low + self.size - 1))):
            by_magnitude.append(by_magnitude[-1] * self.decay >> _UNIT)
        return [by_magnitude[abs(k)] for k in range(self.low, self.low + self.size)]

    def parameters(self) -> bytes:
        """Return the decay as a u16."""
        return self.decay.to_bytes(2, "little")

    @classmethod
    def fit(cls, numbers: NDArray[np.int32]) -> Laplace:
        """Return the model that fits the mean magnitude of `numbers`."""
        mean = float(np.abs(numbers).mean())
        decay = mean / (1.0 + math.sqrt(1.0 + mean * mean))
        return cls(*_range(numbers), _fixed(decay))


@dataclass(frozen=True)
class Gaussian(Model):
    """Weights that decay by growing factors, decay^1, decay^3, decay^5, ...: the discrete Gaussian distribution."""

    kind: ClassVar[int] = 2
    decay: int
    """Factor from 0 to 1, in units of 2^-16."""

    def weights(self) -> list[int]:
        """Return w(k) = w(|k| - 1) * f / 2^40, rounded down, with f from decay * 2^24 on times decay^2 each step."""
        by_magnitude = [_TOP]
        factor, square = self.decay << (40 - _UNIT), self.decay * self.decay
        for _ in range(max(abs(self.low), abs(self.low + self.size - 1))):
            by_magnitude.append(by_magnitude[-1] * factor >> 40)
            factor = factor * square >> 2 * _UNIT
        return [by_magnitude[abs(k)] for k in range(self.low, self.low + self.size)]

    def parameters(self) -> bytes:
        """Return the decay as a u16."""
        return self.decay.to_bytes(2, "little")

    @classmethod
    def fit(cls, numbers: NDArray[np.int32]) -> Gaussian:
        """Return the model that fits the mean square of `numbers`."""
        variance = float((numbers.astype(np.float64) ** 2).mean())
        return cls(*_range(numbers), _fixed(math.exp(-0.5 / max(variance, 1e-3))))


@dataclass(frozen=True)
class Histogram(Model):
    """One weight for each number, kept in a byte as a tiny floating-point number (3 bits of mantissa)."""

    kind: ClassVar[int] = 3
    codes: bytes

    def weights(self) -> list[int]:
        """Return 0 for a code of 0, else (8 + m) 2^e with code - 1 = 8 e + m."""
        return [(8 + (c - 1) % 8) << (c - 1) // 8 if c else 0 for c in self.codes]

    def parameters(self) -> bytes:
        """Return one byte for each number."""
        return self.codes

    @classmethod
    def fit(cls, numbers: NDArray[np.int32]) -> Histogram:
        """Return the model of how often each number occurs."""
        low, size = _range(numbers)
        counts = np.bincount(numbers.ravel() - low, minlength=size)
        return cls(low, size, bytes(_small_float(int(count)) for count in counts))


def fit(numbers: NDArray[np.int32]) -> Model:
    """Return the model under which `numbers` and the model itself take the fewest bits.

    Raises:
        ValueError: the numbers span more than 2^16 values, or there are none.
    """
    if numbers.size == 0 or _range(numbers)[1] > MAX_SYMBOLS:
        raise ValueError("a model needs at least one number, and a range of at most 2^16")
    models: list[Model] = [Laplace.fit(numbers), Gaussian.fit(numbers), Histogram.fit(numbers)]
    return min(models, key=lambda model: model.bits(numbers) + 8 * len(model.to_bytes()))


def read_model(fields: ByteReader) -> Model:
    """Read a model that `Model.to_bytes` wrote. Raises ArchiveError on anything else."""
    kind, low, size = fields.byte(), fields.signed_varint(), fields.varint()
    if not 1 <= size <= MAX_SYMBOLS or abs(low) > MAX_SYMBOLS:
        raise ArchiveError("a probability model has an impossible range")
    if kind == Histogram.kind:
        codes = fields.take(size)
        if not any(codes):
            raise ArchiveError("a probability model is empty")
        return Histogram(low, size, codes)
    for model in (Laplace, Gaussian):
        if kind == model.kind:
            if not low <= 0 < low + size:
                raise ArchiveError("a probability model has an impossible range")
            return model(low, size, int.from_bytes(fields.take(2), "little"))
    raise ArchiveError(f"unknown kind of probability model {kind}")


def _range(numbers: NDArray[np.int32]) -> tuple[int, int]:
    """Return low and size of a range that holds `numbers` and 0."""
    low, high = min(int(numbers.min()), 0), max(int(numbers.max()), 0)
    return low, high - low + 1


def _fixed(decay: float) -> int:
    return min(max(round(decay * (1 << _UNIT)), 1), (1 << _UNIT) - 1)


def _small_float(count: int) -> int:
    """Return the code of the tiny float nearest to 8 * count."""
    if count == 0:
        return 0
    exponent = count.bit_length() - 1
    mantissa = round(8 * count / (1 << exponent)) - 8
    return 1 + 8 * exponent + mantissa
