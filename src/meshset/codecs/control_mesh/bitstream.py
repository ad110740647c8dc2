"""The payload of a control mesh (docs/SPEC.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh import contexts as at
from meshset.codecs.control_mesh.connectivity import Region, grow
from meshset.codecs.control_mesh.manifold import Manifold
from meshset.codecs.control_mesh.prediction import Step, traversal
from meshset.codecs.control_mesh.residuals import Expected, Parallelograms, Point, Residuals, Steps, Whole
from meshset.codecs.control_mesh.subdivision import MOST_LEVELS, Edges
from meshset.codecs.control_mesh.valences import Guide, Walk, mesh_faces
from meshset.coding.adaptive import Coder, Contexts, Reader, Writer
from meshset.errors import ArchiveError

MOST_VERTICES = 1 << 20
"""A payload states no more."""

MOST_A_BYTE = 64
"""A payload states no more vertices for each of its bytes, so that a few bytes do not ask for much work."""

STEP_CODES, RATIOS = 256, 16
_SIZE_BITS = 5
_LEAST_RATIO = 2


@dataclass(frozen=True)
class Header:
    """What a payload begins with.

    Attributes:
        levels: of subdivision, 0 to 3.
        creases, copies: whether any edge is a crease, any vertex the copy of another.
        step, ratio: as in `Steps.of`.
        vertices: of the surface, middles of holes included.
    """

    levels: int
    creases: bool
    copies: bool
    step: int
    ratio: int
    vertices: int


@dataclass(frozen=True)
class ControlMesh:
    """A control mesh as it is decoded.

    Attributes:
        points: (V, 3) int64, in units of 1 / GRID of the cube's half side.
        faces: (F, 3) int64.
        sharp: (E,) creases among the `Edges` of the faces.
        levels: of subdivision.
    """

    points: NDArray[np.int64]
    faces: NDArray[np.int64]
    sharp: NDArray[np.bool_]
    levels: int


def step_code(code: float) -> int:
    """Return the code of a step nearest to one that may be a fraction, or beyond the finest or the coarsest."""
    return min(max(round(code), 0), STEP_CODES - 1)


class Chooser(Protocol):
    """Decides where vertices are placed, within what can be told."""

    def residual(self, vertex: int, expected: Expected, residuals: Residuals) -> Whole:
        """Return the residual of a vertex."""
        ...

    def point(self, vertex: int) -> Point:
        """Return where a vertex without parallelograms shall be, on the grid."""
        ...

    def placed(self, vertex: int, point: Point) -> None:
        """Take note of where it is."""
        ...


class Reading:
    """Chooses nothing."""

    def residual(self, vertex: int, expected: Expected, residuals: Residuals) -> Whole:
        return 0, 0, 0

    def point(self, vertex: int) -> Point:
        return 0.0, 0.0, 0.0

    def placed(self, vertex: int, point: Point) -> None:
        pass


def code_header(coder: Coder, header: Header) -> Header:
    """Code the header. Raises ArchiveError for a mesh that is too large."""
    levels = coder.even(MOST_LEVELS + 1, header.levels)
    creases, copies = (bool(coder.even(2, int(one))) for one in (header.creases, header.copies))
    step, ratio = coder.even(STEP_CODES, header.step), coder.even(RATIOS, header.ratio - _LEAST_RATIO) + _LEAST_RATIO
    size = coder.even(1 << _SIZE_BITS, header.vertices.bit_length())
    if not 2 <= size <= MOST_VERTICES.bit_length():
        raise ArchiveError("a control mesh has an impossible number of vertices")
    low = coder.even(1 << min(size - 1, 16), header.vertices & (1 << min(size - 1, 16)) - 1)
    high = coder.even(1 << max(size - 17, 0), (header.vertices & (1 << (size - 1)) - 1) >> 16)
    vertices = 1 << (size - 1) | high << 16 | low
    if vertices > MOST_VERTICES:
        raise ArchiveError("a control mesh has too many vertices")
    return Header(levels, creases, copies, step, ratio, vertices)


def code_points(
    coder: Coder,
    contexts: Contexts,
    region: Region,
    steps: Iterable[Step],
    header: Header,
    chooser: Chooser,
    same: Sequence[int],
) -> tuple[list[Point], list[int]]:
    """Code where the vertices of a surface are.

    Args:
        coder, contexts, region, header: as far as coded.
        steps: the `traversal` of the region.
        chooser: decides, where the mesh is written.
        same: for each vertex that which it is a copy of, or itself; where it is written, and if there are copies.

    Returns:
        The points, and for each vertex that which it is a copy of, or itself.
    """
    fineness = Steps.of(header.step, header.ratio)
    residuals = Parallelograms(coder, contexts, at.shipped().weights, fineness, region.valence)
    origin = list(range(len(region.valence)))
    placed: list[int] = []
    place_of: dict[int, int] = {}
    for step in steps:
        if header.copies and placed:
            told = same[step.vertex] if same else step.vertex
            is_copy = int(told in place_of)
            if coder.bit(contexts, at.COPY, is_copy):
                first = placed[coder.even(len(placed), place_of.get(told, 0))]
                origin[step.vertex] = first
                residuals.points[step.vertex] = residuals.points[first]
                continue
        code_vertex(residuals, step, chooser)
        place_of[same[step.vertex] if same else step.vertex] = len(placed)
        placed.append(step.vertex)
    return residuals.points, origin


def code_vertex(residuals: Parallelograms, step: Step, chooser: Chooser) -> None:
    """Code where the vertex of a step is."""
    if step.parallelograms:
        expected = residuals.expected(step)
        residuals.code(step.vertex, expected, chooser.residual(step.vertex, expected, residuals))
    else:
        residuals.code_free(step, chooser.point(step.vertex))
    chooser.placed(step.vertex, residuals.points[step.vertex])


def code_creases(coder: Coder, contexts: Contexts, edges: Edges, sharp: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Code which edges with two faces are creases, each in view of the creases that meet it so far; return (E,)."""
    found = np.zeros(len(edges.ends), dtype=bool)
    met = [0] * (int(edges.ends.max()) + 1)
    for edge in np.flatnonzero(edges.shared).tolist():
        a, b = edges.ends[edge].tolist()
        if coder.bit(contexts, at.CREASE + min(met[a], 1) + min(met[b], 1), int(sharp[edge])):
            found[edge] = True
            met[a] += 1
            met[b] += 1
    return found


@dataclass(frozen=True)
class Surface:
    """The connectivity of a mesh, ready to be written.

    Attributes:
        manifold: of its faces.
        region: grown over it.
        source: of each vertex of the region, that of the mesh; -1 for the middle of a hole.
    """

    manifold: Manifold
    region: Region
    source: NDArray[np.int64]

    @classmethod
    def of(cls, faces: NDArray[np.integer]) -> Surface:
        """Walk over faces (F, 3), each with three different corners."""
        manifold = Manifold.of(faces)
        walk = Walk(manifold)
        region = grow(Guide(Writer(), Contexts.blank(at.COUNT), walk), len(manifold.source), len(manifold.faces))
        return cls(manifold, region, manifold.source[np.array(walk.vertices)])

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Return how the vertices of the region are placed."""
        return tuple(traversal(self.region.corners, self.region.twin, self.region.hole))

    @property
    def order(self) -> NDArray[np.int64]:
        """Return the vertices of the mesh in the order in which they are placed."""
        placed = self.source[[step.vertex for step in self.steps]]
        _, first = np.unique(placed, return_index=True)
        return placed[np.sort(first)]

    @cached_property
    def origin(self) -> list[int]:
        """Return for each vertex of the region that which it is a copy of, the first one that is placed, or itself."""
        first: dict[int, int] = {}
        source = self.source.tolist()
        for step in self.steps:
            first.setdefault(source[step.vertex], step.vertex)
        return [first.get(one, vertex) for vertex, one in enumerate(source)]

    def as_decoded(self, faces: NDArray[np.int64], sharp: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return creases among the `Edges` of the mesh's faces in the order of those of the decoded mesh."""
        kept, decoded = welded(self.region, self.origin)
        ends = np.sort(self.source[kept][Edges.of(decoded).ends], axis=1)
        base = int(faces.max()) + 1
        known = Edges.of(faces).ends @ np.array([base, 1])
        found: NDArray[np.bool_] = sharp[np.searchsorted(known, ends @ np.array([base, 1]))]
        return found


def encode(
    surface: Surface, chooser: Chooser, levels: int, step: int, ratio: int, sharp: NDArray[np.bool_] | None = None
) -> bytes:
    """Write a control mesh.

    Args:
        surface: its connectivity.
        chooser: places its vertices; a step speaks of vertices of the region.
        levels, step, ratio: as in `Header`.
        sharp: which edges are creases, in the order of the `Edges` of what `decode` returns.
    """
    region, real = surface.region, surface.source[surface.source >= 0]
    creases = sharp is not None and bool(sharp.any())
    header = Header(levels, creases, len(np.unique(real)) < len(real), step, ratio, len(region.valence))
    writer, contexts = Writer(), at.shipped().contexts()
    code_header(writer, header)
    grow(Guide(writer, contexts, Walk(surface.manifold)), header.vertices, most_faces(header.vertices))
    source = surface.source.tolist()
    _, origin = code_points(writer, contexts, region, surface.steps, header, chooser, source)
    if sharp is not None and creases:
        code_creases(writer, contexts, Edges.of(welded(region, origin)[1]), sharp)
    return writer.to_bytes().ljust(-(-header.vertices // MOST_A_BYTE), b"\0")


def decode(payload: bytes) -> ControlMesh:
    """Read a control mesh. Raises ArchiveError for anything that `encode` does not write, as far as it shows."""
    reader, contexts = Reader(payload), at.shipped().contexts()
    header, region = read_region(reader, contexts, len(payload))
    steps = traversal(region.corners, region.twin, region.hole)
    points, origin = code_points(reader, contexts, region, steps, header, Reading(), ())
    kept, faces, sharp = read_faces(reader, contexts, header, region, origin)
    return ControlMesh(np.array(points, dtype=np.int64)[kept], faces, sharp, header.levels)


def read_region(reader: Reader, contexts: Contexts, size: int) -> tuple[Header, Region]:
    """Read header and connectivity of a control mesh, of `size` bytes in all. Raises ArchiveError for invalid ones."""
    header = code_header(reader, Header(0, False, False, 0, _LEAST_RATIO, 2))
    if header.vertices > MOST_A_BYTE * size:
        raise ArchiveError("a control mesh states more vertices than its bytes can hold")
    region = grow(Guide(reader, contexts), header.vertices, most_faces(header.vertices))
    if len(region.valence) != header.vertices:
        raise ArchiveError("a control mesh has fewer vertices than it states")
    return header, region


def read_faces(
    reader: Reader, contexts: Contexts, header: Header, region: Region, origin: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the vertices that are in a mesh, its faces (F, 3) in terms of these, and its creases, which are read.

    Raises ArchiveError where there are no faces, or there is one with the same corner twice.
    """
    kept, faces = welded(region, origin)
    if not len(faces):
        raise ArchiveError("a control mesh has no faces")
    if (faces == np.roll(faces, 1, axis=1)).any():
        raise ArchiveError("a control mesh has a face with the same corner twice")
    edges = Edges.of(faces)
    sharp = np.zeros(len(edges.ends), dtype=bool)
    return kept, faces, code_creases(reader, contexts, edges, sharp) if header.creases else sharp


def welded(region: Region, origin: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the vertices of a region that are in the mesh, and its faces (F, 3) in terms of these."""
    kept, faces = np.unique(np.array(origin, dtype=np.int64)[mesh_faces(region)], return_inverse=True)
    return kept, faces.reshape(-1, 3)


def most_faces(vertices: int) -> int:
    """Return how many faces a surface of so many vertices may have: a tenth of a handle for each vertex, and some."""
    return 4 * vertices + 64
