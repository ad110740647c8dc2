"""The cheapest control mesh within a bound: how many vertices, smooth or not, how finely placed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from meshset.codecs.common.crossing import Crossing
from meshset.codecs.control_mesh.bitstream import MOST_VERTICES, step_code
from meshset.codecs.control_mesh.coarse import Coarse
from meshset.codecs.control_mesh.fit import CREASED, FLAT, KINDS, SMOOTH, Coded, Fit, Kind
from meshset.codecs.control_mesh.fitting import Original
from meshset.codecs.control_mesh.residuals import GRID

_FIRST, _FEWEST = 250, 8
"""Faces of the first fits, and of any at least."""

_MOST_FITTED = {FLAT: 10_000, SMOOTH: 5_000, CREASED: 5_000}
"""Faces of a control mesh that is fitted: beyond, it takes long and gains little."""

_KEPT = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Shares of the faces that are tried without a fit."""

_QUANTISED, _MOST_USED, _NEAR = 0.82, 0.9, 0.08
"""Share of the bound that fits aim at, before their points are rounded; most of use; what is near, as a logarithm."""

_ALIKE = 0.06
"""Numbers of faces with a lower logarithm of their ratio are not told apart."""

_EXACT = 1e-12

_ENOUGH = 0.1
"""Errors below such a share of the bound are alike."""

_FALL = 1.0
"""The error falls with the number of faces to this power."""

_LEAST_ROOM, _ROUNDING_FALL = 0.1, 0.35
"""Rounding may add this share of the bound at least, for it fits, too; the error falls with the step to this power."""

_SPENT, _NEARLY = 0.97, 0.96
"""Rounding aims at the first share of the bound, and is content with the second."""

_MORE_ROUNDINGS = 4
"""Roundings beyond those that are allowed, where none before was within the bound."""

_USUAL_STEP, _USUAL_ROOM = {FLAT: 4.0, SMOOTH: 6.0, CREASED: 5.0}, 0.15
"""Steps along the normal, in bounds, where rounding may add such a share of the bound."""

_RIVAL = {FLAT: 1.1, SMOOTH: 1.0, CREASED: 0.95}
"""How many faces of each kind take as many bytes, about."""


@dataclass(frozen=True)
class Effort:
    """How hard to search.

    Attributes:
        rounds: of fitting.
        kinds: of surface that are pursued.
        fits: at most, for each.
        coded: of these, at most.
        roundings: of each fit, at most.
    """

    rounds: int
    kinds: int
    fits: int
    coded: int
    roundings: int


FAST, BALANCED, BEST = Effort(3, 1, 3, 1, 2), Effort(4, 2, 6, 2, 4), Effort(6, 3, 8, 3, 6)
EFFORTS: dict[str, Effort] = {"fast": FAST, "balanced": BALANCED, "best": BEST}


def search(original: Original, bound: float, effort: Effort = BALANCED, coarse: Coarse | None = None) -> Coded | None:
    """Return the smallest payload found whose mean distance is within a bound, None for none.

    Args:
        original: to be met.
        bound: in units of the cube.
        effort: how hard to search.
        coarse: of the original, where others need it, too.
    """
    coarse = coarse or Coarse(original.mesh)
    best: Coded | None = None
    if len(coarse.of(_FIRST)[0].faces) <= _MOST_FITTED[FLAT]:
        best = _search_fitted(original, coarse, bound, effort)
    return best or _search_plain(original, coarse, bound, effort)


def _search_fitted(original: Original, coarse: Coarse, bound: float, effort: Effort) -> Coded | None:
    """Pursue the kind of surface that promises the fewest faces; others as far as they may do with fewer."""

    def fit(kind: Kind, faces: int) -> Fit:
        return Fit(original, coarse.of(faces), kind, effort.rounds)

    whole = len(original.mesh.faces)
    first = {kind: fit(kind, _FIRST) for kind in KINDS}
    promising = sorted(KINDS, key=lambda kind: max(first[kind].error, _ENOUGH * bound) / _RIVAL[kind])
    # Parts with planes have a cliff: until there is a vertex for each corner, a flat surface promises nothing.
    pursued = [promising[0], *sorted(promising[1:], key=lambda kind: kind is not FLAT)][: effort.kinds]
    best: Coded | None = None
    for kind in pursued:
        start = first[kind]
        if best is not None:
            start = fit(kind, min(round(_RIVAL[kind] / _RIVAL[best.fit.kind] * len(best.fit.faces)), whole))
            if start.error > bound:
                continue
        fits = _narrowed(partial(fit, kind), start, bound, effort.fits, min(_MOST_FITTED[kind], whole))
        for found in fits[: effort.coded]:
            best = _smaller(best, _coarsest(found, bound, effort))
    return best


def _narrowed(fit: Callable[[int], Fit], start: Fit, bound: float, fits: int, most: int) -> list[Fit]:
    """Return fits with room for rounding within a bound, fewest faces first."""
    crossing = Crossing(_FALL)
    within: list[Fit] = []
    faces: set[int] = set()
    found = start
    while len(found.faces) not in faces:
        faces.add(len(found.faces))
        excess = _excess(found, bound)
        if crossing.outside is not None and excess > crossing.outside[1] > 0:
            break
        crossing.add(math.log(len(found.faces)), excess)
        if found.error <= _MOST_USED * bound:
            within.append(found)
        if abs(excess) < _NEAR:
            break
        wanted = min(max(round(math.exp(crossing.next())), _FEWEST), most)
        if len(faces) == fits or any(abs(math.log(wanted / one)) < _ALIKE for one in faces):
            break
        found = fit(wanted)
    return sorted(within, key=lambda one: len(one.faces))


def _search_plain(original: Original, coarse: Coarse, bound: float, effort: Effort) -> Coded | None:
    """Return a simplified mesh within the bound as it is, or the whole mesh."""
    faces = len(original.mesh.faces)
    for kept in _KEPT:
        fit = Fit(original, coarse.of(round(kept * faces)), FLAT, 0)
        if fit.error <= _QUANTISED * bound and fit.vertices <= MOST_VERTICES // 2:
            found = _coarsest(fit, bound, effort)
            if found is not None:
                return found
    return None


def _excess(fit: Fit, bound: float) -> float:
    """Return the logarithm of an error over what leaves room for rounding."""
    return math.log(max(fit.error, _EXACT) / (_QUANTISED * bound))


def _coarsest(fit: Fit, bound: float, effort: Effort) -> Coded | None:
    """Return the coarsest rounding of a fit that is found within a bound, None for none."""
    room = max(_SPENT * bound - fit.error, _LEAST_ROOM * bound)
    crossing = Crossing(_ROUNDING_FALL)
    best: Coded | None = None
    step = _USUAL_STEP[fit.kind] * bound * math.sqrt(room / (_USUAL_ROOM * bound))
    code = step_code(16.0 * math.log2(step * GRID))
    tried_codes: set[int] = set()
    while code not in tried_codes and len(tried_codes) < effort.roundings + _MORE_ROUNDINGS:
        tried_codes.add(code)
        tried = fit.coded(code)
        if tried.error <= bound and (best is None or code > best.code):
            best = tried
        if best is not None and (len(tried_codes) >= effort.roundings or best.error >= _NEARLY * bound):
            return best
        crossing.add(-code * math.log(2) / 16.0, math.log(max(tried.error, _EXACT) / (_SPENT * bound)))
        code = step_code(-crossing.next() * 16.0 / math.log(2))
    return best


def _smaller(one: Coded | None, other: Coded | None) -> Coded | None:
    found = [coded for coded in (one, other) if coded is not None]
    return min(found, key=lambda coded: len(coded.payload)) if found else None
