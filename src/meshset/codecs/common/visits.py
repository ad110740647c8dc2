"""In which order training visits the meshes of a set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np


def shuffled(count: int, batch: int, steps: int, seed: int) -> list[list[int]]:
    """Return the meshes of each step; every mesh is visited once before any is visited again."""
    return list(islice(visit_order(count, batch, seed), steps))


def visit_order(count: int, batch: int, seed: int) -> Iterator[list[int]]:
    """Yield the meshes of each step without end, as `shuffled` has them."""
    generator = np.random.default_rng(seed)
    waiting: list[int] = []
    while True:
        while len(waiting) < batch:
            waiting += generator.permutation(count).tolist()
        yield waiting[:batch]
        waiting = waiting[batch:]
