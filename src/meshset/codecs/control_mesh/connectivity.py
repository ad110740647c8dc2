"""A closed oriented surface grown face by face, from what is told of its vertices.

Valence-driven connectivity (Touma and Gotsman 1998; Alliez and Desbrun 2001): the border of what has been found is kept
as loops of vertices, each with the number of its edges that are still to come. Where that number is 0 the next face
follows; else it has a vertex that is new, of which the valence is told, or, seldom, one of the border, which is told by
its place and splits a loop or joins two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from meshset.errors import ArchiveError

_CONTRADICTION = "connectivity contradicts itself"

_WALK, _WALK_AT_LEAST = 1024, 1 << 20
"""Nodes of loops that may be walked over in all: so many for each vertex, and so many at least."""


class NewVertex(NamedTuple):
    """A vertex that has so many edges; the middle of a hole if `hole`."""

    valence: int
    hole: bool


class BorderVertex(NamedTuple):
    """A vertex of the border.

    Attributes:
        loop: 0 for the loop at work, else how deep the other lies in the stack.
        place: how many reachable vertices come before it, from the end of the gate on.
        before: how many of its edges lie between its own next edge of the border and the face.
    """

    loop: int
    place: int
    before: int


class Guide(Protocol):
    """Knows the next face: reads it, or sees it in a mesh and writes it."""

    def seed(self, region: Region) -> tuple[NewVertex, NewVertex, NewVertex] | None:
        """Return the corners of the first face of another component, None where there is none."""
        ...

    def third(self, region: Region, node: int) -> NewVertex | BorderVertex:
        """Return the third vertex of the face beyond the edge from `node` to the next."""
        ...


@dataclass
class Region:
    """What is known of a surface.

    Half-edge 3 f + k runs from corner k to corner k + 1 of face f, modulo 3. A node is a vertex in a loop of the
    border, which runs with what is unknown on its left; a vertex may stand in several places.

    Attributes:
        most_vertices, most_faces: more are an error.
        corners: the vertex of each corner, three a face.
        twin: the half-edge opposite to each, -1 where it is not known yet.
        valence, hole: of each vertex.
        vertex, free, after, before: of each node its vertex, its edges to come, and its neighbours.
        inner: of each node the half-edge on the known side of the edge to the next.
        waiting: a node of each loop that waits.
        walked: over how many nodes `loop` has gone.
    """

    most_vertices: int
    most_faces: int
    corners: list[int] = field(default_factory=list)
    twin: list[int] = field(default_factory=list)
    valence: list[int] = field(default_factory=list)
    hole: list[bool] = field(default_factory=list)
    vertex: list[int] = field(default_factory=list)
    free: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    inner: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    walked: int = 0

    def loop(self, node: int) -> list[int]:
        """Return the nodes of a loop, from `node` on. Raises ArchiveError where all loops together were too long."""
        nodes, at = [node], self.after[node]
        while at != node:
            nodes.append(at)
            at = self.after[at]
        self.walked += len(nodes)
        if self.walked > _WALK_AT_LEAST + _WALK * self.most_vertices:
            raise ArchiveError("connectivity takes too long to follow")
        return nodes

    def reachable(self, loop: int, node: int) -> list[int]:
        """Return the nodes of a loop that the face beyond the edge of `node` may have as its third corner.

        Raises ArchiveError where there is no such loop.
        """
        if loop > len(self.waiting):
            raise ArchiveError(_CONTRADICTION)
        nodes = self.loop(self.waiting[-loop]) if loop else self.loop(self.after[node])[1:-1]
        return [one for one in nodes if self.free[one] >= 2]

    def add_vertex(self, found: NewVertex) -> int:
        """Add a vertex and return its number."""
        if len(self.valence) >= self.most_vertices or found.valence < 2:
            raise ArchiveError("connectivity has more vertices than it states, or one of a single edge")
        self.valence.append(found.valence)
        self.hole.append(found.hole)
        return len(self.valence) - 1

    def add_node(self, vertex: int, free: int, before: int, after: int, inner: int) -> int:
        """Add a vertex to a loop, between two nodes that are not changed, and return the node."""
        self.vertex.append(vertex)
        self.free.append(free)
        self.before.append(before)
        self.after.append(after)
        self.inner.append(inner)
        return len(self.vertex) - 1

    def add_face(self, a: int, b: int, c: int) -> int:
        """Add a face of three vertices and return its first half-edge."""
        if len(self.corners) >= 3 * self.most_faces:
            raise ArchiveError("connectivity has more faces than it states")
        self.corners += (a, b, c)
        self.twin += (-1, -1, -1)
        return len(self.corners) - 3

    def glue(self, half_edge: int, other: int) -> None:
        """Note that two half-edges are the sides of one edge."""
        self.twin[half_edge], self.twin[other] = other, half_edge

    def spend(self, node: int) -> None:
        """Take one of the edges that a node has left."""
        if self.free[node] <= 0:
            raise ArchiveError(_CONTRADICTION)
        self.free[node] -= 1


def grow(guide: Guide, most_vertices: int, most_faces: int) -> Region:
    """Return the region that covers a whole surface.

    Raises:
        ArchiveError: what `guide` tells is no surface, or a larger one.
    """
    region = Region(most_vertices, most_faces)
    while (seed := guide.seed(region)) is not None:
        node = _plant(region, seed)
        while node >= 0:
            node = _step(region, guide, node)
            if node < 0 and region.waiting:
                node = _pivot(region, region.waiting.pop())
    return region


def _pivot(region: Region, node: int) -> int:
    """Return the node of a loop with the fewest edges left, the first of several from `node` on."""
    return min(region.loop(node), key=region.free.__getitem__)


def _plant(region: Region, seed: tuple[NewVertex, NewVertex, NewVertex]) -> int:
    """Add the first face of a component and return a node of its border."""
    a, b, c = map(region.add_vertex, seed)
    edge = region.add_face(a, b, c)
    first = len(region.vertex)
    for k, (vertex, side) in enumerate(((a, 2), (c, 1), (b, 0))):
        before, after = first + (k + 2) % 3, first + (k + 1) % 3
        region.add_node(vertex, region.valence[vertex] - 2, before, after, edge + side)
    return _pivot(region, first)


def _step(region: Region, guide: Guide, node: int) -> int:
    """Add one face at `node` or beside it, and return where to go on; -1 where a loop is used up."""
    if region.free[node] == 0:
        return _close(region, node)
    after = region.after[node]
    if region.free[after] == 0:
        return node if _close(region, after) >= 0 else -1
    third = guide.third(region, node)
    if isinstance(third, NewVertex):
        _attach(region, node, third)
    else:
        _meet(region, node, third)
    return node


def _close(region: Region, node: int) -> int:
    """Add the face that takes a node without edges out of its loop, and return where to go on, -1 for nowhere."""
    before, after = region.before[node], region.after[node]
    if before == after:
        raise ArchiveError(_CONTRADICTION)
    edge = region.add_face(region.vertex[before], region.vertex[node], region.vertex[after])
    region.glue(edge, region.inner[before])
    region.glue(edge + 1, region.inner[node])
    if region.after[after] == before and not region.free[before] and not region.free[after]:
        region.glue(edge + 2, region.inner[after])
        return -1
    region.spend(before)
    region.spend(after)
    region.after[before], region.before[after] = after, before
    region.inner[before] = edge + 2
    return before if region.free[before] < region.free[after] else after


def _attach(region: Region, node: int, third: NewVertex) -> None:
    """Add a face with a new vertex beyond the edge from a node to the next."""
    after = region.after[node]
    vertex = region.add_vertex(third)
    region.spend(node)
    region.spend(after)
    edge = region.add_face(region.vertex[node], region.vertex[after], vertex)
    region.glue(edge, region.inner[node])
    new = region.add_node(vertex, third.valence - 2, node, after, edge + 1)
    region.after[node] = region.before[after] = new
    region.inner[node] = edge + 2


def _meet(region: Region, node: int, third: BorderVertex) -> None:
    """Add a face with a vertex of the border, which splits the loop or joins it with another."""
    reachable = region.reachable(third.loop, node)
    if third.place >= len(reachable) or third.before > region.free[reachable[third.place]] - 2:
        raise ArchiveError(_CONTRADICTION)
    after, met = region.after[node], reachable[third.place]
    region.spend(node)
    region.spend(after)
    edge = region.add_face(region.vertex[node], region.vertex[after], region.vertex[met])
    region.glue(edge, region.inner[node])
    behind = region.before[met]
    other = region.add_node(region.vertex[met], region.free[met] - 2 - third.before, behind, after, edge + 1)
    region.free[met] = third.before
    region.after[behind] = region.before[after] = other
    region.after[node], region.before[met] = met, node
    region.inner[node] = edge + 2
    if third.loop:
        region.waiting.pop(-third.loop)
    else:
        region.waiting.append(other)
