"""How what tells a surface becomes bits, and where it comes from when a mesh is written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh import contexts as at
from meshset.codecs.control_mesh.connectivity import BorderVertex, NewVertex, Region
from meshset.codecs.control_mesh.manifold import Manifold
from meshset.coding.adaptive import Coder, Contexts
from meshset.coding.numbers import code_number, code_symbol
from meshset.errors import ArchiveError

_SPLIT, _JOIN, _HOLE, _OTHER = 0, 1, 2, 15
_LEAST, _MOST = 3, 14
"""Valences that are symbols of their own: the symbol is the valence."""

_START = 4
"""Table of the corners of a first face."""


class Guide:
    """Codes what `connectivity.grow` asks for.

    Args:
        coder: writes or reads.
        contexts: those of `contexts`.
        walk: answers where a surface is written; None where it is read.
    """

    def __init__(self, coder: Coder, contexts: Contexts, walk: Walk | None = None) -> None:
        self._coder, self._contexts, self._walk = coder, contexts, walk

    def seed(self, region: Region) -> tuple[NewVertex, NewVertex, NewVertex] | None:
        """Code whether another component follows, and the corners of its first face."""
        corners = self._walk.begin(region) if self._walk else None
        if region.valence and not self._coder.bit(self._contexts, at.MORE, int(corners is not None)):
            return None
        a, b, c = (self._new_vertex(_START, corners and corners[k]) for k in range(3))
        return a, b, c

    def third(self, region: Region, node: int) -> NewVertex | BorderVertex:
        """Code the third vertex of the face beyond the edge from `node` to the next."""
        found = self._walk.third(region, node) if self._walk else None
        symbol = self._symbol(3 * _level(region, node) + _level(region, region.after[node]), found)
        if symbol in (_SPLIT, _JOIN):
            return self._border_vertex(region, node, symbol == _JOIN, found)
        return self._new_vertex_of(symbol, found)

    def _symbol(self, table: int, found: NewVertex | BorderVertex | None) -> int:
        told = _symbol(found) if found else 0
        return code_symbol(self._coder, self._contexts, at.VALENCE, table, at.VALENCE_BITS, told)

    def _new_vertex(self, table: int, found: NewVertex | None) -> NewVertex:
        symbol = self._symbol(table, found)
        if symbol in (_SPLIT, _JOIN):
            raise ArchiveError("connectivity begins at a border")
        return self._new_vertex_of(symbol, found)

    def _new_vertex_of(self, symbol: int, found: NewVertex | BorderVertex | None) -> NewVertex:
        if _LEAST <= symbol <= _MOST:
            return NewVertex(symbol, False)
        stated = found.valence if isinstance(found, NewVertex) else 0
        start = at.HOLE_SIZE if symbol == _HOLE else at.LARGE_VALENCE
        return NewVertex(code_number(self._coder, self._contexts, start, stated), symbol == _HOLE)

    def _border_vertex(
        self, region: Region, node: int, joins: bool, found: NewVertex | BorderVertex | None
    ) -> BorderVertex:
        told = found if isinstance(found, BorderVertex) else BorderVertex(0, 0, 0)
        depth = 1 + code_number(self._coder, self._contexts, at.DEPTH, told.loop - 1) if joins else 0
        reachable = region.reachable(depth, node)
        if not reachable:
            raise ArchiveError("connectivity contradicts itself")
        place = self._coder.even(len(reachable), told.place)
        return BorderVertex(depth, place, code_number(self._coder, self._contexts, at.BEFORE, told.before))


def _symbol(found: NewVertex | BorderVertex) -> int:
    if isinstance(found, BorderVertex):
        return _JOIN if found.loop else _SPLIT
    if found.hole:
        return _HOLE
    return found.valence if _LEAST <= found.valence <= _MOST else _OTHER


def _level(region: Region, node: int) -> int:
    """Return whether a vertex has fewer edges than 6, 6, or more, as 0, 1 or 2."""
    valence = region.valence[region.vertex[node]]
    return (valence >= 6) + (valence > 6)


class Walk:
    """Follows a region over a surface that is known, and tells what comes next.

    Attributes:
        vertices: the vertex of the manifold behind each of the region, as far as it has grown.
    """

    def __init__(self, manifold: Manifold) -> None:
        self._faces = manifold.faces.ravel().tolist()
        self._twin = manifold.twin.tolist()
        self._valence = np.bincount(manifold.faces.ravel(), minlength=len(manifold.source)).tolist()
        self._hole = (manifold.source < 0).tolist()
        self._real = manifold.real
        self._first = 0
        self._seen = [False] * len(manifold.source)
        self._here: list[int] = []  # of each face of the region, its first half-edge in the manifold
        self._there = [-1] * len(self._twin)  # of each half-edge of the manifold, that of the region
        self.vertices: list[int] = []

    def begin(self, region: Region) -> tuple[NewVertex, NewVertex, NewVertex] | None:
        """Return the corners of a face that the region has not reached, None where there is none."""
        self._follow(region)
        while self._first < self._real and self._there[3 * self._first] >= 0:
            self._first += 1
        if self._first == self._real:
            return None
        self._enter(3 * self._first)
        a, b, c = (self._meet(3 * self._first + k) for k in range(3))
        return a, b, c

    def third(self, region: Region, node: int) -> NewVertex | BorderVertex:
        """Return the third vertex of the face beyond the edge from `node` to the next."""
        self._follow(region)
        corner = _next(_next(self._twin[self._at(region.inner[node])]))
        if not self._seen[self._faces[corner]]:
            return self._meet(corner)
        edge, before = corner, 0
        while self._there[self._twin[edge]] < 0:
            edge = _next(self._twin[edge])
            before += 1
        return self._place(region, node, self._there[self._twin[edge]], before - 1)

    def _place(self, region: Region, node: int, inner: int, before: int) -> BorderVertex:
        """Return how the node is told whose edge to the next has `inner` on its known side."""
        for depth in range(len(region.waiting) + 1):
            reachable = region.reachable(depth, node)
            for place, one in enumerate(reachable):
                if region.inner[one] == inner:
                    return BorderVertex(depth, place, before)
        raise AssertionError("a vertex of the border is in no loop")

    def _meet(self, corner: int) -> NewVertex:
        vertex = self._faces[corner]
        self._seen[vertex] = True
        self.vertices.append(vertex)
        return NewVertex(self._valence[vertex], self._hole[vertex])

    def _at(self, half_edge: int) -> int:
        """Return the half-edge of the manifold behind one of the region."""
        first = self._here[half_edge // 3]
        return first - first % 3 + (first + half_edge) % 3

    def _follow(self, region: Region) -> None:
        """Find the faces that the region has got since."""
        for face in range(len(self._here), len(region.corners) // 3):
            self._enter(self._twin[self._at(region.twin[3 * face])])

    def _enter(self, first: int) -> None:
        face = len(self._here)
        self._here.append(first)
        for k in range(3):
            self._there[self._at(3 * face + k)] = 3 * face + k


def _next(half_edge: int) -> int:
    return half_edge - half_edge % 3 + (half_edge + 1) % 3


def mesh_faces(region: Region) -> NDArray[np.int64]:
    """Return the faces (F, 3) of a region that do not fill a hole."""
    faces = np.array(region.corners, dtype=np.int64).reshape(-1, 3)
    return faces[~np.array(region.hole, dtype=bool)[faces].any(axis=1)]
