"""Members of a group fitted together, so that they resemble each other where that costs little distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.mesh_group.fit import MemberFit, Team
from meshset.codecs.mesh_group.group import MOST_INNER
from meshset.codecs.mesh_group.members import UNIT
from meshset.codecs.mesh_group.references import bits_of, of_sequence, spread_out, usual, weighted
from meshset.workers import each_in_processes

_WIDE = (4.0, 2.0, 1.0, 1.0)
"""How much larger than steps deviations may be that are still pulled, fit by fit."""

_REFERRED = 2
"""Fits that follow, once it is known who refers to whom."""

_USUAL_FROM = 8
"""From so many members on what is usual is told by itself."""

_INNER_SHARE, _MOST_SPREAD = 5, 16
"""One member in so many is inner, up to so many."""

_ROOM = 0.85
"""Share of its bound that a member is off at most, before it is rounded, if others are to refer to it."""

_USUAL_ERROR = 1.0 / 6.0
"""Of a step along the normal, about what a first fit is off."""


@dataclass(frozen=True)
class Joint:
    """Members fitted together.

    Attributes:
        fits: of each.
        usual: (G, 3), the usual offsets; None where they are not told.
        inner: members that others refer to, in order.
        references: of each member places among what is known, the usual offsets first, and weights.
        deviations: (N, S, 3) in steps, from what is suggested.
    """

    fits: list[MemberFit]
    usual: NDArray[np.float64] | None
    inner: list[int]
    references: list[tuple[tuple[int, int], ...]]
    deviations: NDArray[np.float64]


def fit_together(team: Team, bounds: Sequence[float], sequence: bool, needed: Sequence[int] = ()) -> Joint:
    """Fit all members.

    Args:
        team: the members.
        bounds: on the distance of each, that it shall keep.
        sequence: whether they are frames in order.
        needed: members that others must be able to refer to.
    """
    count, gates = len(team.meshes), team.shape.gates
    starts = list(each_in_processes(team.alone, range(count)))
    fits = [MemberFit(k, points, np.zeros((len(gates.step), 3)), 0.0, 1.0, 0) for k, points in enumerate(starts)]
    offsets = _offsets(team, fits)
    for number, wide in enumerate(_WIDE):
        middle, sizes = usual(offsets)
        fits = _again(team, fits, offsets, middle * sizes[:, None, None], wide, 20 + 2 * number)
        offsets = _offsets(team, fits)
    told = count >= _USUAL_FROM and not sequence
    able = [k for k, fit in enumerate(fits) if fit.error <= _ROOM * bounds[k]] or list(range(count))
    inner = of_sequence(count) if sequence else _medoids(offsets, team, able, needed)
    for number in range(_REFERRED):
        middle = usual(offsets)[0]
        references = [_references(k, inner, offsets, middle if told else None, team) for k in range(count)]
        known = [*([middle] if told else []), *(offsets[k] for k in inner)]
        targets = np.array([_suggested(one, known, offsets[0]) for one in references])
        fits = _again(team, fits, offsets, targets, 1.0, 40 + 2 * number)
        offsets = _offsets(team, fits)
    deviations = np.array([_deviation(team, fit) for fit in fits])
    return Joint(fits, middle if told else None, inner, references, deviations)


def _offsets(team: Team, fits: Sequence[MemberFit]) -> NDArray[np.float64]:
    return np.array([team.shape.gates.offsets(fit.points) for fit in fits])


def _deviation(team: Team, fit: MemberFit) -> NDArray[np.float64]:
    away, frames, _ = team.shape.gates.deviation(fit.points, fit.target)
    parts: NDArray[np.float64] = np.einsum("skl,sl->sk", frames, away) / team.steps
    return parts


def _again(
    team: Team,
    fits: Sequence[MemberFit],
    offsets: NDArray[np.float64],
    targets: NDArray[np.float64],
    wide: float,
    seed: int,
) -> list[MemberFit]:
    """Fit each member again, pulled towards targets (N, G, 3) at the price of a bit as far as it is known."""
    gates = team.shape.gates
    bits = bits_of(offsets - targets, team.steps) * len(gates.first) / len(gates.step) + 1.0
    error = float(np.mean([fit.error for fit in fits])) or _USUAL_ERROR * float(team.steps[0])
    todo = [
        replace(fit, target=target, price=error / float(bit), wide=wide, seed=seed)
        for fit, target, bit in zip(fits, targets, bits, strict=True)
    ]
    return list(each_in_processes(team.again, todo))


def _medoids(offsets: NDArray[np.float64], team: Team, able: Sequence[int], needed: Sequence[int]) -> list[int]:
    count = min(max(len(offsets) // _INNER_SHARE, 1), _MOST_SPREAD, len(able))
    found = [able[k] for k in spread_out(offsets[able], team.steps, count)]
    return ([*found, *(k for k in needed if k not in found)])[:MOST_INNER]


def _references(
    member: int, inner: Sequence[int], offsets: NDArray[np.float64], middle: NDArray[np.float64] | None, team: Team
) -> tuple[tuple[int, int], ...]:
    """Return who a member refers to: inner members to those before them only."""
    before = inner[: inner.index(member)] if member in inner else inner
    known = [*([] if middle is None else [middle]), *(offsets[k] for k in before)]
    return weighted(offsets[member], known, team.steps)


def _suggested(
    references: Sequence[tuple[int, int]], known: Sequence[NDArray[np.float64]], like: NDArray[np.float64]
) -> NDArray[np.float64]:
    found = np.zeros_like(like)
    for place, weight in references:
        found += known[place] * (weight / UNIT)
    return found
