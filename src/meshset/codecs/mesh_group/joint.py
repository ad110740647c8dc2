"""Members of a group fitted together, so that they resemble each other where that costs little distance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.mesh_group.fit import MemberFit, Team
from meshset.codecs.mesh_group.group import MOST_INNER
from meshset.codecs.mesh_group.members import UNIT
from meshset.codecs.mesh_group.offsets import Told
from meshset.codecs.mesh_group.references import bits_of, of_sequence, spread_out, usual, weighted
from meshset.progress import advance, stage
from meshset.workers import each_in_processes

_Result = TypeVar("_Result")

_WIDE, _BRIEFLY_WIDE = (4.0, 2.0, 1.0, 1.0), (2.0, 1.0)
"""How much larger than steps deviations may be that are still pulled, fit by fit."""

_REFERRED, _BRIEFLY_REFERRED = 4, 2
"""Fits that follow, once it is known who refers to whom."""

_INNER_SHARE, _MOST_SPREAD = 2, 32
"""One member in so many is inner, up to so many."""

_ROOM = 0.85
"""Share of its bound that a member is off at most, before it is rounded, if others are to refer to it."""

_DEAR = 1.5
"""What a bit costs, beside error by bits: it is cheap to lie where others suggest."""


@dataclass(frozen=True)
class Joint:
    """Members fitted together.

    Attributes:
        fits: of each.
        inner: members that others refer to, in order.
    """

    fits: list[MemberFit]
    inner: list[int]


def fit_together(team: Team, bounds: Sequence[float], sequence: bool, needed: Sequence[int], brief: bool) -> Joint:
    """Fit all members.

    Args:
        team: the members.
        bounds: on the distance of each, that it shall keep.
        sequence: whether they are frames in order.
        needed: members that others must be able to refer to.
        brief: whether half as many fits will do.
    """
    widths, referred = (_BRIEFLY_WIDE, _BRIEFLY_REFERRED) if brief else (_WIDE, _REFERRED)
    count, faces = len(team.meshes), team.shape.faces
    stage(f"coding {count} meshes together", count * (len(widths) + referred + 2))
    fits = _counted(each_in_processes(team.alone, range(count)))
    told = Told.by(fits[0].points, faces)
    offsets = _offsets(told, fits)
    for number, wide in enumerate(widths):
        middle, sizes = usual(offsets)
        fits = _again(team, told, fits, offsets, middle * sizes[:, None, None], wide, 20 + 2 * number)
        offsets = _offsets(told, fits)
    able = [k for k, fit in enumerate(fits) if fit.error <= _ROOM * bounds[k]] or list(range(count))
    inner = of_sequence(count) if sequence else _medoids(offsets, team, able, needed)
    told = Told.by(fits[inner[0]].points, faces)
    for number in range(referred):
        offsets = _offsets(told, fits)
        references = [_references(k, inner, offsets, team) for k in range(count)]
        known = [offsets[k] for k in inner]
        targets = np.array([_suggested(one, known, offsets[0]) for one in references])
        fits = _again(team, told, fits, offsets, targets, 1.0, 40 + 2 * number)
    return Joint(fits, inner)


def _offsets(told: Told, fits: Sequence[MemberFit]) -> NDArray[np.float64]:
    return np.array([told.offsets(fit.points) for fit in fits])


def _again(
    team: Team,
    told: Told,
    fits: Sequence[MemberFit],
    offsets: NDArray[np.float64],
    targets: NDArray[np.float64],
    wide: float,
    seed: int,
) -> list[MemberFit]:
    """Fit each member again, pulled towards targets (N, V, 3) at the price of a bit as far as it is known."""
    bits = bits_of(offsets - targets, team.steps) + 1.0
    errors = [fit.error for fit in fits if math.isfinite(fit.error)]
    error = float(np.mean(errors)) if errors else 0.0
    todo = [
        replace(fit, target=target, price=_DEAR * error / float(bit), wide=wide, seed=seed)
        for fit, target, bit in zip(fits, targets, bits, strict=True)
    ]
    return _counted(each_in_processes(partial(team.again, told=told), todo))


def _counted(results: Iterable[_Result]) -> list[_Result]:
    """Return results as they come, each a step of what the user sees."""
    found = []
    for one in results:
        found.append(one)
        advance()
    return found


def _medoids(offsets: NDArray[np.float64], team: Team, able: Sequence[int], needed: Sequence[int]) -> list[int]:
    count = min(max(len(offsets) // _INNER_SHARE, 1), _MOST_SPREAD, len(able))
    found = [able[k] for k in spread_out(offsets[able], team.steps, count)]
    return ([*found, *(k for k in needed if k not in found)])[:MOST_INNER]


def _references(
    member: int, inner: Sequence[int], offsets: NDArray[np.float64], team: Team
) -> tuple[tuple[int, int], ...]:
    """Return who a member refers to: inner members to those before them only."""
    before = inner[: inner.index(member)] if member in inner else inner
    return weighted(offsets[member], [offsets[k] for k in before], team.steps)


def _suggested(
    references: Sequence[tuple[int, int]], known: Sequence[NDArray[np.float64]], like: NDArray[np.float64]
) -> NDArray[np.float64]:
    found = np.zeros_like(like)
    for place, weight in references:
        found += known[place] * (weight / UNIT)
    return found
