"""Where probabilities should begin, from decisions that were taken, and what these would cost from other beginnings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh import contexts as at

CAPS = (5, 10, 20, 30, 60, 120)
LIMITS = (30, 60, 120, 250)

SURE = (1, 2, 3, 5, 8, 12, 20, 30, 60, 120)
"""How sure a context may be at the start; beyond the limit of learning it stays that sure."""

EARLY = 60
"""A beginning is told by so many decisions of a context in a payload: later ones have learned anyway."""

_ONE = 1 << 16
_LEAST = 64
_SHOWN = 4


class Decisions:
    """The decisions of many payloads, each of which began with the same tables.

    Args:
        cases: of each payload its decisions, twice the context and one more for a 1.
    """

    def __init__(self, cases: Sequence[Sequence[int]]) -> None:
        self.cases = [np.array(case, dtype=np.int64) for case in cases]
        told = np.concatenate(self.cases)
        payload = np.repeat(np.arange(len(cases)), [len(case) for case in cases])
        # Decisions of one context in one payload learn from each other alone: a run.
        key = payload * at.COUNT + told // 2
        order = np.argsort(key, kind="stable")
        runs, first, length = np.unique(key[order], return_index=True, return_counts=True)
        longest = np.argsort(-length, kind="stable")
        self._told = (told % 2)[order]
        self._context, self._first, self._length = runs[longest] % at.COUNT, first[longest], length[longest]

    def counts(self, most: int) -> NDArray[np.int64]:
        """Return how often each context was 0 and 1, (COUNT, 2), of each run no more than the first so many."""
        found = np.zeros((at.COUNT, 2), dtype=np.int64)
        for step in range(min(most, int(self._length[0]))):
            active = int((self._length > step).sum())
            np.add.at(found, (self._context[:active], self._told[self._first[:active] + step]), 1)
        return found

    def bits(self, tables: at.Tables, limit: int) -> float:
        """Return what all decisions cost from these tables with this limit of learning (`coding.adaptive`)."""
        return float(self.bits_by_context(tables, limit).sum())

    def bits_by_context(self, tables: at.Tables, limit: int) -> NDArray[np.float64]:
        """Return the same of each context."""
        one = np.array(tables.one, dtype=np.int64)[self._context]
        seen = np.array(tables.seen, dtype=np.int64)[self._context]
        bits = np.zeros(len(one))
        for step in range(int(self._length[0])):
            active = int(np.searchsorted(-self._length, -step))
            now, told = one[:active], self._told[self._first[:active] + step]
            shown = np.clip(now >> _SHOWN, 1, (_ONE >> _SHOWN) - 1) / (_ONE >> _SHOWN)
            bits[:active] -= np.log2(np.where(told, shown, 1.0 - shown))
            share = seen[:active] + 1
            one[:active] = np.where(told, now + (_ONE - now) // share, now - now // share)
            seen[:active] += seen[:active] < limit
        return np.bincount(self._context, bits, at.COUNT)


def table(learned: Decisions, weights: tuple[tuple[int, ...], ...], cap: int) -> at.Tables:
    """Return the tables that begin where decisions were early on, surer the more there were, no surer than `cap`."""
    counts = learned.counts(EARLY)
    total = counts.sum(axis=1)
    one = np.rint(_ONE * (counts[:, 1] + 0.4) / (total + 0.8)).clip(_LEAST, _ONE - _LEAST).astype(int)
    return at.Tables(weights, tuple(one.tolist()), tuple(np.clip(total // 2 + 1, 1, cap).tolist()))


def chosen(learned: Decisions, tables: at.Tables, limit: int) -> at.Tables:
    """Return tables whose contexts are each as sure as costs the decisions least, surer only where there are many."""
    costs = []
    for cap in SURE:
        costs.append(learned.bits_by_context(at.Tables(tables.weights, tables.one, (cap,) * at.COUNT), limit))
    least = np.array(SURE)[np.argmin(costs, axis=0)]
    most = learned.counts(EARLY).sum(axis=1) // 2 + 1
    return at.Tables(tables.weights, tables.one, tuple(np.minimum(least, most).tolist()))
