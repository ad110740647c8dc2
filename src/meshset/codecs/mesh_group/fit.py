"""All meshes of a group fitted together: one connectivity, offsets that resemble each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh.bitstream import Surface, welded
from meshset.codecs.control_mesh.fit import CREASED, Kind, creases
from meshset.codecs.control_mesh.fitting import Design, Original, fitted, limits_at
from meshset.codecs.control_mesh.subdivision import Edges
from meshset.codecs.mesh_group.offsets import Pull, Told, pulled
from meshset.geometry import Mesh
from meshset.geometry.correspondence import Match

_SAMPLES, _ROUNDS = 3_000, 3
"""Of the fit of each member by itself, before the others count."""


RATIO = 3
"""As `Steps.of` takes it: residuals are 1.5 times as coarse in the plane of a gate as along its normal."""


@dataclass(frozen=True)
class Shape:
    """The control mesh of a group, without positions; vertices and faces as they are decoded.

    Attributes:
        surface: its connectivity, ready to be written.
        origin: of each vertex of the surface's region that which it is a copy of, or itself.
        kept: (V,) the vertices of the region that are in the mesh.
        faces: (F, 3).
        sharp: creases among the `Edges` of the faces.
        kind: of surface.
        design: how it makes a surface.
        births: (V,) the vertex of the reference nearest to each control point.
        notes: what simplification did to the topology.
    """

    surface: Surface
    origin: list[int]
    kept: NDArray[np.int64]
    faces: NDArray[np.int64]
    sharp: NDArray[np.bool_]
    kind: Kind
    design: Design
    births: NDArray[np.int64]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, reference: Mesh, simple: tuple[Mesh, tuple[str, ...]], kind: Kind) -> Shape:
        """Return that of a simplified reference."""
        from scipy.spatial import cKDTree

        mesh, notes = simple
        told = mesh.faces.astype(np.int64)
        surface = Surface.of(told)
        origin = surface.origin
        kept, faces = welded(surface.region, origin)
        sharp = np.zeros(len(Edges.of(faces).ends), dtype=bool)
        if kind == CREASED:
            sharp = surface.as_decoded(told, creases(mesh))
        used = np.unique(reference.faces)
        births = used[cKDTree(reference.vertices[used]).query(mesh.vertices[surface.source[kept]])[1]]
        design = Design.of(faces, len(kept), sharp, kind.levels)
        return cls(surface, origin, kept, faces, sharp, kind, design, births, notes)

    @property
    def place(self) -> NDArray[np.int64]:
        """Return for each vertex of the region where it is among those of the mesh, -1 where it is not."""
        found = np.full(len(self.origin), -1)
        found[self.kept] = np.arange(len(self.kept))
        return found[self.origin]


@dataclass(frozen=True)
class Team:
    """Members of a group, for work on one of them at a time, here or in another process.

    Attributes:
        meshes: normalised; loaded when they are indexed.
        matches: how each lies on the reference.
        shape: of all.
        steps: (3,), how finely parts of offsets are told, in the cube.
        largest_counts: as in `Original`.
    """

    meshes: Sequence[Mesh]
    matches: Sequence[Match]
    shape: Shape
    steps: NDArray[np.float64]
    largest_counts: float = 0.0

    def original(self, member: int) -> Original:
        """Return a member as what others are judged by."""
        return Original(self.meshes[member], self.largest_counts)

    def alone(self, member: int) -> MemberFit:
        """Return control points fitted to a member, whatever the others are."""
        original, design = self.original(member), self.shape.design
        start = original.mesh.vertices[self.matches[member].vertex[self.shape.births]].astype(np.float64)
        first = limits_at(design, start) if self.shape.kind.levels else start
        points = fitted(original, design, first, _SAMPLES, _ROUNDS)
        return MemberFit(member, points, original.distance(design.surface(points)))

    def again(self, fit: MemberFit, told: Told) -> MemberFit:
        """Return a fit pulled further towards what is suggested, and judged."""
        original = self.original(fit.member)
        assert fit.target is not None
        pull = Pull(fit.target, fit.wide * self.steps, fit.price)
        points = pulled(original, self.shape.design, told, fit.points, pull, fit.seed)
        return replace(fit, points=points, error=original.distance(self.shape.design.surface(points)))


@dataclass(frozen=True)
class MemberFit:
    """One member between two fits.

    Attributes:
        member: which.
        points: (V, 3).
        error: mean distance to the original.
        target: (V, 3), the offsets that are suggested, in the order of hoods.
        price: lambda, distance for a bit.
        wide: how much larger than steps deviations may be that are still pulled.
        seed: of samples.
    """

    member: int
    points: NDArray[np.float64]
    error: float
    target: NDArray[np.float64] | None = None
    price: float = 0.0
    wide: float = 1.0
    seed: int = 0
