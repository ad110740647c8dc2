"""The tables that ship with the program: where each kind of decision has its probabilities, and where these begin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from meshset.coding.adaptive import Contexts
from meshset.coding.numbers import MANTISSA, NUMBER, PREFIX

VALENCE_BITS = 4
VALENCE_TABLES = 9
CLASSES = 20
"""Classes of how large a residual is expected to be, in half powers of two."""

DEGREES = 3
"""One parallelogram, two, or more."""

SIGNS = 7
FEATURES = 13

VALENCE = 0
MORE = VALENCE + (VALENCE_TABLES << VALENCE_BITS)
LARGE_VALENCE = MORE + 1
HOLE_SIZE = LARGE_VALENCE + NUMBER
DEPTH = HOLE_SIZE + NUMBER
BEFORE = DEPTH + NUMBER
COPY = BEFORE + NUMBER
JUMP = COPY + 1
NEAR = JUMP + NUMBER
LENGTH = NEAR + NUMBER
REST = LENGTH + 3 * DEGREES * CLASSES * PREFIX
SIGN = REST + 3 * PREFIX * MANTISSA
CREASE = SIGN + 3 * SIGNS
COUNT = CREASE + 3


@dataclass(frozen=True)
class Tables:
    """What training has found.

    Attributes:
        weights: of each part of a residual what each feature adds to its expected size, in parts of 64 of a power of
            two.
        one, seen: as in `Contexts`.
    """

    weights: tuple[tuple[int, ...], ...]
    one: tuple[int, ...]
    seen: tuple[int, ...]

    def contexts(self) -> Contexts:
        """Return contexts that begin here."""
        return Contexts(list(self.one), list(self.seen))

    def to_bytes(self) -> bytes:
        """Return the weights as i16, the probabilities as u16 and how much they have seen as bytes."""
        weights, one = np.array(self.weights, "<i2"), np.array(self.one, "<u2")
        return weights.tobytes() + one.tobytes() + bytes(self.seen)

    @classmethod
    def from_bytes(cls, data: bytes) -> Tables:
        """Return the tables that `to_bytes` wrote."""
        weights = np.frombuffer(data, "<i2", 3 * FEATURES).reshape(3, FEATURES)
        one = np.frombuffer(data, "<u2", COUNT, weights.nbytes)
        seen = data[weights.nbytes + one.nbytes :]
        return cls(tuple(map(tuple, weights.tolist())), tuple(one.tolist()), tuple(seen))


@cache
def shipped() -> Tables:
    """Return the tables that every payload is coded with."""
    return Tables.from_bytes(files(__package__).joinpath("tables.bin").read_bytes())
