"""Meshes of one connectivity, whatever the order of their vertices and faces.

Colour refinement on half-edges: each starts with the number of edges of its vertex and takes the colours of the next
one of its face and of the one across into its own, again and again. Meshes of one connectivity have the same colours;
from one pair of half-edges of the same colour a walk over both meshes finds all the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._edges import Edges
from meshset.geometry.mesh import Mesh

_ROUNDS = 24
"""Steps after which colours see far enough to tell nearly all half-edges apart."""

_TRIES = 8
"""Pairs of half-edges of one colour that are tried, at most, for each component: symmetric meshes have
many, of which those come first near which edges are of like lengths."""

_NEAR = 12
"""Faces in a row from which lengths of edges are compared before one of these is tried."""

_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
_BORDER = np.uint64(0x27D4EB2F165667C5)


def connectivity_of(faces: NDArray[np.integer]) -> bytes:
    """Return what is the same for all meshes of one connectivity, mirrored ones too, and hardly ever for others.

    Args:
        faces: (F, 3).
    """
    colours = (_HalfEdges.of(faces).colours(), _HalfEdges.of(faces[:, ::-1]).colours())
    return min(hashlib.sha256(np.sort(one).tobytes()).digest() for one in colours)


@dataclass(frozen=True)
class Match:
    """How one mesh lies on another.

    Attributes:
        vertex: (V,) int64, for each vertex of the other mesh that of this one; -1 for those that no face uses.
        reversed: whether its faces run the other way round.
    """

    vertex: NDArray[np.int64]
    reversed: bool

    def onto(self, other: Match) -> Match:
        """Return how the mesh lies on another one, of which is known how that lies on the same mesh as this."""
        back = np.full(int(other.vertex.max()) + 1, -1, dtype=np.int64)
        used = other.vertex >= 0
        back[other.vertex[used]] = np.flatnonzero(used)
        return Match(np.where(back >= 0, self.vertex[back], -1), self.reversed != other.reversed)


def match(mesh: Mesh, other: Mesh) -> Match | None:
    """Return how `mesh` lies on `other`, None where their connectivity differs.

    Of the ways of a symmetric mesh one is taken that changes the lengths of edges least, of several that are tried.
    """
    if np.array_equal(mesh.faces, other.faces):
        vertex = np.full(len(other.vertices), -1, dtype=np.int64)
        vertex[other.faces] = other.faces
        return Match(vertex, reversed=False)
    there = _HalfEdges.of(other.faces)
    ways = []
    for flipped in (False, True):
        here = _HalfEdges.of(mesh.faces[:, ::-1] if flipped else mesh.faces)
        walk = _Walk(there, here, other, mesh)
        found = walk.all() if len(here.start) == len(there.start) else None
        if found is not None:
            ways.append((walk.stretch, Match(found, flipped)))
    return min(ways, key=lambda way: way[0])[1] if ways else None


@dataclass(frozen=True)
class _HalfEdges:
    """Half-edge 3 f + k runs from corner k to corner k + 1 of face f, modulo 3.

    Attributes:
        start: (3 F,) the vertex where each begins.
        across: (3 F,) the one on the other side, -1 at a border, where more than two meet, or two run the same way.
        sides: (3 F,) how many meet at its edge.
    """

    start: NDArray[np.int64]
    across: NDArray[np.int64]
    sides: NDArray[np.int64]

    @classmethod
    def of(cls, faces: NDArray[np.integer]) -> _HalfEdges:
        """Return those of a mesh."""
        edges = Edges.of(faces)
        order = np.argsort(edges.of_side, kind="stable")
        first = np.cumsum(edges.faces) - edges.faces
        both = np.flatnonzero((edges.faces == 2) & (edges.runs == 0))
        one, two = order[first[both]], order[first[both] + 1]
        across = np.full(edges.of_side.size, -1, dtype=np.int64)
        across[one], across[two] = two, one
        return cls(np.asarray(faces, dtype=np.int64).ravel(), across, edges.faces[edges.of_side])

    def after(self, half_edges: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the next ones of the same faces."""
        return half_edges - half_edges % 3 + (half_edges + 1) % 3

    def colours(self) -> NDArray[np.uint64]:
        """Return the colour of each, after all rounds."""
        found: NDArray[np.uint64] = np.bincount(self.start)[self.start].astype(np.uint64) * _FACTORS[0]
        following = self.after(np.arange(len(self.start)))
        border = _BORDER * self.sides.astype(np.uint64)
        for _ in range(_ROUNDS):
            beyond = np.where(self.across < 0, border, found[self.across])
            mixed = found * _FACTORS[0] + found[following] * _FACTORS[1] + beyond * _FACTORS[2]
            found = (mixed ^ (mixed >> np.uint64(29))) * _FACTORS[1]
        return found


class _Walk:
    """Finds for each half-edge of one mesh that of another, component by component.

    Attributes:
        stretch: by how much edges differ in length, as logarithms of ratios, of all that is found.
    """

    def __init__(self, one: _HalfEdges, other: _HalfEdges, mesh: Mesh, other_mesh: Mesh) -> None:
        self._one, self._other = one, other
        self._colours, self._others = one.colours(), other.colours()
        self._lengths, self._other_lengths = _lengths(one, mesh), _lengths(other, other_mesh)
        self._count = len(mesh.vertices)
        self._found = np.full(len(one.start), -1, dtype=np.int64)
        self._taken = np.zeros(len(one.start), dtype=bool)
        self.stretch = 0.0

    def all(self) -> NDArray[np.int64] | None:
        """Return for each vertex of the one mesh that of the other, None where there is no such match."""
        if not np.array_equal(np.sort(self._colours), np.sort(self._others)):
            return None
        _, kind, count = np.unique(self._colours, return_inverse=True, return_counts=True)
        for first in np.argsort(count[kind], kind="stable").tolist():
            if self._found[first] < 0 and not self._component(first):
                return None
        vertex = np.full(self._count, -1, dtype=np.int64)
        vertex[self._one.start] = self._other.start[self._found]
        same = (vertex[self._one.start] == self._other.start[self._found]).all()
        used = vertex[vertex >= 0]
        return vertex if same and len(np.unique(used)) == len(used) else None

    def _component(self, first: int) -> bool:
        """Match the component of a half-edge, where it can be."""
        alike = np.flatnonzero((self._others == self._colours[first]) & ~self._taken)
        near = _around(self._one, self._lengths, np.array([first]))
        unlike = np.abs(_around(self._other, self._other_lengths, alike) - near).sum(axis=0)
        best, least = None, np.inf
        for start in alike[np.argsort(unlike, kind="stable")[:_TRIES]].tolist():
            walked = self._from(first, start)
            if walked is not None:
                here, there = walked
                stretch = np.abs(np.log(self._lengths[here] / self._other_lengths[there])).sum()
                if stretch < least:
                    best, least = walked, stretch
        if best is None:
            return False
        here, there = best
        self.stretch += float(least)
        self._found[here] = there
        self._taken[there] = True
        return True

    def _from(self, first: int, start: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Return the half-edges of a component and those of the other mesh, None where the walk finds a difference."""
        found = np.full(len(self._found), -1, dtype=np.int64)
        found[first] = start
        reached = [np.array([first], dtype=np.int64)]
        while len(reached[-1]):
            here = reached[-1]
            fresh = []
            for step, other_step in (
                (self._one.after(here), self._other.after(found[here])),
                (self._one.across[here], self._other.across[found[here]]),
            ):
                if ((step < 0) != (other_step < 0)).any():
                    return None
                inside = step >= 0
                near, far = step[inside], other_step[inside]
                new = found[near] < 0
                found[near[new]] = far[new]
                if (found[near] != far).any() or self._taken[far].any():
                    return None
                fresh.append(near[new])
            reached.append(np.unique(np.concatenate(fresh)))
        here = np.concatenate(reached)
        return (here, found[here]) if len(np.unique(found[here])) == len(here) else None


def _around(half_edges: _HalfEdges, lengths: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the logarithms of lengths of edges near each of some half-edges, those beyond a border as 0."""
    found, at = [], starts
    for _ in range(_NEAR):
        for _ in range(3):
            found.append(np.where(at >= 0, np.log(lengths[at]), 0.0))
            at = np.where(at >= 0, half_edges.after(at), -1)
        across = np.where(at >= 0, half_edges.across[at], -1)
        at = np.where(across >= 0, half_edges.after(half_edges.after(across)), -1)
        at = np.where(at >= 0, half_edges.across[at], -1)
    return np.array(found)


def _lengths(half_edges: _HalfEdges, mesh: Mesh) -> NDArray[np.float64]:
    """Return the length of each, as a share of their mean."""
    corners = mesh.vertices[half_edges.start].astype(np.float64).reshape(-1, 3, 3)
    lengths = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2).ravel()
    shares: NDArray[np.float64] = np.maximum(lengths, 1e-12) / max(float(lengths.mean()), 1e-12)
    return shares
