"""The cheapest control mesh within a bound: how many vertices, smooth or not, how finely placed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh.bitstream import MOST_VERTICES, STEP_CODES, Chooser, Surface, encode
from meshset.codecs.control_mesh.fitting import Design, Form, Original, fitted, form, limits_at
from meshset.codecs.control_mesh.residuals import GRID, Steps
from meshset.codecs.control_mesh.rounding import Nearest, Rounding
from meshset.codecs.control_mesh.subdivision import Edges
from meshset.codecs.control_mesh.surface import surface_of
from meshset.codecs.peers.simplification import simplify
from meshset.geometry import Mesh
from meshset.geometry.sampling import edge_sides, face_normals

LEVELS = 2
"""Levels of subdivision of a smooth surface: finer ones look alike."""

_CREASE = math.cos(math.radians(40.0))
"""Edges of a control mesh whose faces' normals differ by more than 40 degrees are creases."""

_FIRST, _FEWEST = 250, 8
"""Faces of the first fits, and of any at least."""

_RATIO, _EVEN_RATIO = 4, 2
"""`Steps.of` takes the first; the second, all directions alike, where points are not fitted."""

_FORM_SEED = 8
"""Samples of the form that points are rounded by; fits begin with lower seeds."""

_BITS = 15.0
"""Bits of a vertex, about."""

_MOST_FITTED = 10_000
"""Faces of a control mesh that is fitted: beyond, it takes long and gains little."""

_NOTHING: tuple[str, ...] = ()

_FINER, _DETOUR = 4_000, 5
"""Few faces are made of so many, which are made once, where there are at least this many times fewer."""

_KEPT = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Shares of the faces that are tried without a fit."""

_SAMPLES, _FORM_SAMPLES = 3_000, 6_000
"""Points a surface, while fitting and for the form that points are rounded by."""

_QUANTISED, _MOST_USED, _NEAR = 0.82, 0.9, 0.08
"""Share of the bound that fits aim at, before their points are rounded; most of use; what is near, as a logarithm."""

_ALIKE = 0.06
"""Numbers of faces with a lower logarithm of their ratio are not told apart."""

_MARGIN, _LEAP = 0.15, 1.0
"""The next of a search is so far from both ends of what is left, and so far beyond one end, as a logarithm."""

_DOUBT = 3.0
"""How fast an error falls is taken to change by this factor at most from one place to the next."""

_EXACT = 1e-12

_FALL = 1.0
"""The error falls with the number of faces to this power."""

_LEAST_ROOM, _ROUNDING_FALL = 0.1, 0.35
"""Rounding may add this share of the bound at least, for it fits, too; the error falls with the step to this power."""

_SPENT, _NEARLY = 0.97, 0.96
"""Rounding aims at the first share of the bound, and is content with the second."""

_MORE_ROUNDINGS = 4
"""Roundings beyond those that are allowed, where none before was within the bound."""


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


@dataclass(frozen=True)
class Kind:
    """What surface a control mesh makes.

    Attributes:
        levels: of subdivision.
        creases: whether edges at sharp angles stay sharp.
    """

    levels: int
    creases: bool


FLAT, SMOOTH, CREASED = Kind(0, False), Kind(LEVELS, False), Kind(LEVELS, True)
KINDS = FLAT, SMOOTH, CREASED

_USUAL_STEP, _USUAL_ROOM = {FLAT: 4.0, SMOOTH: 6.0, CREASED: 5.0}, 0.15
"""Steps along the normal, in bounds, where rounding may add such a share of the bound."""

_RIVAL = {FLAT: 1.1, SMOOTH: 1.0, CREASED: 0.95}
"""How many faces of each kind take as many bytes, about."""


class Fit:
    """A control mesh fitted to an original, before its points are rounded.

    Attributes:
        kind: of surface.
        faces: (F, 3) of the control mesh.
        points: (V, 3) of it.
        error: mean symmetric distance to the original.
        notes: what simplification did to the topology.
    """

    def __init__(self, original: Original, simple: tuple[Mesh, tuple[str, ...]], kind: Kind, rounds: int) -> None:
        start, self.notes = simple
        self.original, self.kind = original, kind
        self.surface = Surface.of(start.faces)
        self.faces = start.faces.astype(np.int64)
        sharp = creases(start) if kind.creases else np.zeros(len(Edges.of(self.faces).ends), dtype=bool)
        self.sharp = sharp
        self.design = Design.of(self.faces, len(start.vertices), sharp, kind.levels)
        placed = start.vertices.astype(np.float64)
        first = limits_at(self.design, placed) if kind.levels else placed
        self.points, self.error = first, self._judged(first)
        self._fitted = False
        if rounds:
            moved = fitted(original, self.design, first, _SAMPLES, rounds)
            error = self._judged(moved)
            if error < self.error:
                self.points, self.error, self._fitted = moved, error, True

    @property
    def vertices(self) -> int:
        """Return how many control points there are."""
        return len(self.points)

    def coded(self, code: int) -> Coded:
        """Round the points to steps of a code and return the payload, and how exact it is."""
        payload = encode(self.surface, self.chooser(code), self.kind.levels, code, self.ratio, self.sharp_as_decoded)
        return Coded(payload, self.original.distance(surface_of(payload)), self, code)

    @property
    def ratio(self) -> int:
        """Return how much coarser positions are told in the plane of a face, as `Steps.of` takes it."""
        return _RATIO if self._fitted else _EVEN_RATIO

    def chooser(self, code: int) -> Chooser:
        """Return what rounds the points to steps of a code."""
        steps = Steps.of(code, self.ratio)
        if not self._fitted:
            return Nearest(self.points, self.surface.source, steps)
        price = self.error / (_BITS * self.vertices)
        return Rounding(self._form, self._order, self.surface.source, steps, price)

    @cached_property
    def sharp_as_decoded(self) -> NDArray[np.bool_]:
        """Return the creases in the order of the edges of the decoded mesh."""
        if not self.sharp.any():
            return self.sharp
        return self.surface.as_decoded(self.faces, self.sharp)

    def _judged(self, points: NDArray[np.float64]) -> float:
        return self.original.distance(self.design.surface(points))

    @cached_property
    def _form(self) -> Form:
        return form(self.original, self.design, self.points, _FORM_SAMPLES, _FORM_SEED)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        return self.surface.order


@dataclass(frozen=True)
class Coded:
    """A payload, how exact it is, and where it comes from."""

    payload: bytes
    error: float
    fit: Fit
    code: int

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was approximated, for the user and the archive."""
        return self.fit.notes


def creases(mesh: Mesh) -> NDArray[np.bool_]:
    """Return which of the `Edges` of a mesh are sharp."""
    edges, normals = Edges.of(mesh.faces.astype(np.int64)), face_normals(mesh)
    sharp = np.zeros(len(edges.ends), dtype=bool)
    pairs = edge_sides(mesh.faces) // 3
    sharp[edges.shared] = (normals[pairs[:, 0]] * normals[pairs[:, 1]]).sum(axis=1) < _CREASE
    return sharp


def search(original: Original, bound: float, effort: Effort = BALANCED) -> Coded | None:
    """Return the smallest payload found whose mean distance is within `bound` (units of the cube), None for none."""
    coarse = Coarse(original.mesh)
    best: Coded | None = None
    if len(coarse.of(_FIRST)[0].faces) <= _MOST_FITTED:
        best = _search_fitted(original, coarse, bound, effort)
    return best or _search_plain(original, coarse, bound, effort)


def _search_fitted(original: Original, coarse: Coarse, bound: float, effort: Effort) -> Coded | None:
    """Pursue the kind of surface that promises the fewest faces; others as far as they may do with fewer."""

    def fit(kind: Kind, faces: int) -> Fit:
        return Fit(original, coarse.of(faces), kind, effort.rounds)

    most = min(_MOST_FITTED, len(original.mesh.faces))
    first = {kind: fit(kind, _FIRST) for kind in KINDS}
    promising = sorted(KINDS, key=lambda kind: first[kind].error / _RIVAL[kind])
    # Parts with planes have a cliff: until there is a vertex for each corner, a flat surface promises nothing.
    pursued = [promising[0], *sorted(promising[1:], key=lambda kind: kind is not FLAT)][: effort.kinds]
    best: Coded | None = None
    for kind in pursued:
        start = first[kind]
        if best is not None:
            start = fit(kind, min(round(_RIVAL[kind] / _RIVAL[best.fit.kind] * len(best.fit.faces)), most))
            if start.error > bound:
                continue
        for found in _narrowed(partial(fit, kind), start, bound, effort.fits, most)[: effort.coded]:
            best = _smaller(best, _coarsest(found, bound, effort))
    return best


def _narrowed(fit: Callable[[int], Fit], start: Fit, bound: float, fits: int, most: int) -> list[Fit]:
    """Return fits with room for rounding within a bound, fewest faces first."""
    crossing = Crossing(_FALL, _LEAP)
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
    crossing = Crossing(_ROUNDING_FALL, _LEAP)
    best: Coded | None = None
    step = _USUAL_STEP[fit.kind] * bound * math.sqrt(room / (_USUAL_ROOM * bound))
    code = min(max(round(16.0 * math.log2(step * GRID)), 0), STEP_CODES - 1)
    tried_codes: set[int] = set()
    while code not in tried_codes and len(tried_codes) < effort.roundings + _MORE_ROUNDINGS:
        tried_codes.add(code)
        tried = fit.coded(code)
        if tried.error <= bound and (best is None or code > best.code):
            best = tried
        if best is not None and (len(tried_codes) >= effort.roundings or best.error >= _NEARLY * bound):
            return best
        crossing.add(-code * math.log(2) / 16.0, math.log(max(tried.error, _EXACT) / (_SPENT * bound)))
        code = min(max(round(-crossing.next() * 16.0 / math.log(2)), 0), STEP_CODES - 1)
    return best


@dataclass
class Crossing:
    """Where an error that falls becomes small enough, between a place where it is not and one where it is.

    Attributes:
        fall: how much the logarithm of the error falls from a place to one that is 1 further, about.
        leap: the next place is no farther than this.
        outside, within: the nearest places, each with the logarithm of the error over what it may be.
    """

    fall: float
    leap: float
    outside: tuple[float, float] | None = None
    within: tuple[float, float] | None = None

    def add(self, place: float, excess: float) -> None:
        """Take note of an error, and of how fast it falls from one place to the next on the same side."""
        before = self.outside if excess > 0 else self.within
        if before is not None and place != before[0]:
            seen = (before[1] - excess) / (place - before[0])
            self.fall = min(max(seen, self.fall / _DOUBT), self.fall * _DOUBT)
        if excess > 0:
            self.outside = place, excess
        else:
            self.within = place, excess

    def next(self) -> float:
        """Return the place to try next."""
        if self.outside is not None and self.within is not None:
            share = self.outside[1] / (self.outside[1] - self.within[1])
            return self.outside[0] + min(max(share, _MARGIN), 1.0 - _MARGIN) * (self.within[0] - self.outside[0])
        place, excess = self.outside or self.within or (0.0, 0.0)
        return place + min(max(excess / self.fall, -self.leap), self.leap)


def _smaller(one: Coded | None, other: Coded | None) -> Coded | None:
    found = [coded for coded in (one, other) if coded is not None]
    return min(found, key=lambda coded: len(coded.payload)) if found else None


class Coarse:
    """Simplified versions of a mesh."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._made: dict[int, tuple[Mesh, tuple[str, ...]]] = {}

    def of(self, faces: int) -> tuple[Mesh, tuple[str, ...]]:
        """Return the mesh with about so many faces, or with those it has, and what was done to its topology."""
        if faces not in self._made:
            finer, before = self._mesh, _NOTHING
            if _DETOUR * faces <= _FINER < len(self._mesh.faces) // 2:
                finer, before = self.of(_FINER)
            simple, notes = simplify(finer, min(faces / len(finer.faces), 1.0))
            self._made[faces] = _compact(simple), before or notes
        return self._made[faces]


def _compact(mesh: Mesh) -> Mesh:
    faces = mesh.faces[(mesh.faces != np.roll(mesh.faces, 1, axis=1)).all(axis=1)]
    used, renumbered = np.unique(faces, return_inverse=True)
    return Mesh(mesh.vertices[used], renumbered.reshape(-1, 3).astype(np.int32))
