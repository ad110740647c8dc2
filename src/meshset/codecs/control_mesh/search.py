"""The cheapest control mesh within a bound: how many vertices, smooth or not, how finely placed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

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

_MOST_FITTED = 4_000
"""Faces of a control mesh that is fitted: beyond, it takes long and gains little."""

_NOTHING: tuple[str, ...] = ()

_FINER, _DETOUR = 4_000, 5
"""Few faces are made of so many, which are made once, where there are at least this many times fewer."""

_KEPT = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Shares of the faces that are tried without a fit."""

_SAMPLES, _FORM_SAMPLES = 3_000, 6_000
"""Points a surface, while fitting and for the form that points are rounded by."""

_QUANTISED = 0.82
"""Share of the bound that the fit may use up, before its points are rounded."""

_NEAR = 0.1
"""A fit whose error is within such a share of what it may be is not improved."""

_EXACT = 1e-12
_RIVAL = 1.2
"""A kind of surface that is expected to need so many times the faces of the best is not tried."""

_SMOOTH_FALL, _FLAT_FALL = 1.4, 1.0
"""The error falls with the number of faces to this power."""

_USUAL_STEP = 4.0
"""Steps along the normal are about so many times the bound."""


@dataclass(frozen=True)
class Effort:
    """How hard to search.

    Attributes:
        rounds: of fitting.
        kinds: of surface that are pursued.
        fits: at most, for each.
        roundings: of each fit, at most.
    """

    rounds: int
    kinds: int
    fits: int
    roundings: int


FAST, BALANCED, BEST = Effort(3, 1, 2, 2), Effort(4, 2, 3, 4), Effort(6, 3, 5, 6)
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
    first = {kind: Fit(original, coarse.of(_FIRST), kind, effort.rounds) for kind in KINDS}
    guesses = {kind: _faces_for(fit, bound) for kind, fit in first.items()}
    promising = sorted(KINDS, key=guesses.__getitem__)
    best: Coded | None = None
    for kind in promising[: effort.kinds]:
        if guesses[kind] > _RIVAL * guesses[promising[0]]:
            break
        for fit in _fits(original, coarse, first[kind], bound, effort):
            best = _smaller(best, _coarsest(fit, bound, effort))
    return best


def _fits(original: Original, coarse: Coarse, first: Fit, bound: float, effort: Effort) -> Iterator[Fit]:
    """Yield fits that use up about as much of the bound as leaves room for rounding."""
    fit = first
    for _ in range(effort.fits):
        if fit.error <= bound:
            yield fit
            if abs(math.log(max(fit.error, _EXACT) / (_QUANTISED * bound))) < _NEAR:
                return
        faces = min(_faces_for(fit, bound), len(original.mesh.faces))
        if faces > _MOST_FITTED:
            return
        fit = Fit(original, coarse.of(faces), first.kind, effort.rounds)
    if fit.error <= bound:
        yield fit


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


def _faces_for(fit: Fit, bound: float) -> int:
    """Return how many faces would leave room for rounding within a bound, at the usual fall of the error."""
    fall = _SMOOTH_FALL if fit.kind.levels else _FLAT_FALL
    factor = (fit.error / (_QUANTISED * bound)) ** (1.0 / fall)
    return max(int(len(fit.faces) * min(max(factor, 0.1), 10.0)), _FEWEST)


def _coarsest(fit: Fit, bound: float, effort: Effort) -> Coded | None:
    """Return the coarsest rounding of a fit that is found within a bound, None for none."""
    low, high = 0, STEP_CODES
    code = min(max(round(16.0 * math.log2(_USUAL_STEP * bound * GRID)), 0), STEP_CODES - 1)
    best: Coded | None = None
    for _ in range(effort.roundings):
        tried = fit.coded(code)
        if tried.error <= bound:
            best, low = tried, code
        else:
            high = code
        # What rounding adds to the error grows with the square of the step, about; the fit is the rest.
        room, taken = bound - fit.error, max(tried.error - fit.error, 0.1 * (bound - fit.error))
        code = round(code + 8.0 * math.log2(room / taken)) if room > 0 else code - 16
        code = min(max(code, low + 1), high - 1)
        if high - low <= 2:
            break
    return best


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
