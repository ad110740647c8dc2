"""Crossings are found in few steps, whatever the error does on the way."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from meshset.codecs.common.crossing import Crossing

FALLS: dict[str, tuple[Callable[[float], float], float]] = {
    "as expected": (lambda place: 2.0 - place, 2.0),
    "three times slower": (lambda place: 1.0 - place / 3.0, 3.0),
    "a cliff": (lambda place: 3.0 if place < 4.0 else -3.0, 4.0),
    "a curve": (lambda place: math.exp(-place) - 0.05, math.log(20.0)),
    "within from the start": (lambda place: -2.0 - place, -2.0),
}


@pytest.mark.parametrize("name", FALLS)
def test_a_crossing_is_found(name: str) -> None:
    excess, where = FALLS[name]
    crossing, place = Crossing(1.0), 0.0
    for _ in range(12):
        crossing.add(place, excess(place))
        place = crossing.next()
    ends = [end[0] for end in (crossing.outside, crossing.within) if end is not None]
    assert ends[0] - 1e-9 <= where <= ends[-1] + 1e-9 or abs(excess(ends[0])) < 0.02
    assert min(abs(end - where) for end in ends) < 0.3


def test_no_place_is_far_from_the_last() -> None:
    crossing = Crossing(0.01)
    crossing.add(5.0, 1.0)
    assert crossing.next() == 6.0
    crossing = Crossing(0.01)
    crossing.add(5.0, -1.0)
    assert crossing.next() == 4.0
