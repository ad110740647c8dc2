"""One control mesh fitted to an original, and what its points are when they are rounded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh.bitstream import Chooser, Surface, encode
from meshset.codecs.control_mesh.fitting import Design, Form, Original, fitted, form, limits_at
from meshset.codecs.control_mesh.residuals import Steps
from meshset.codecs.control_mesh.rounding import Nearest, Rounding
from meshset.codecs.control_mesh.subdivision import Edges
from meshset.codecs.control_mesh.surface import surface_of
from meshset.geometry import Mesh
from meshset.geometry.sampling import edge_sides, face_normals

LEVELS = 2
"""Levels of subdivision of a smooth surface: finer ones look alike."""

_CREASE = math.cos(math.radians(40.0))
"""Edges of a control mesh whose faces' normals differ by more than 40 degrees are creases."""

_RATIO, _EVEN_RATIO = 4, 2
"""`Steps.of` takes the first; the second, all directions alike, where points are not fitted."""

_SAMPLES, _FORM_SAMPLES = 3_000, 6_000
"""Points a surface, while fitting and for the form that points are rounded by."""

_FORM_SEED = 8
"""Samples of the form that points are rounded by; fits begin with lower seeds."""

_BITS = 15.0
"""Bits of a vertex, about."""


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
