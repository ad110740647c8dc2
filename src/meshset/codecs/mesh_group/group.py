"""What meshes of a group share: connectivity, creases, some members that others are told from (docs/SPEC.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh import contexts as control
from meshset.codecs.control_mesh.bitstream import (
    LEAST_RATIO,
    MOST_A_BYTE,
    Header,
    Surface,
    code_creases,
    code_header,
    most_faces,
    welded,
)
from meshset.codecs.control_mesh.connectivity import Region, grow
from meshset.codecs.control_mesh.prediction import Step, traversal
from meshset.codecs.control_mesh.residuals import Weights, Whole
from meshset.codecs.control_mesh.subdivision import Edges
from meshset.codecs.control_mesh.valences import Guide, Walk
from meshset.codecs.mesh_group import contexts as at
from meshset.coding.adaptive import Coder, Contexts, Reader, Writer
from meshset.coding.numbers import MANTISSA, PREFIX, code_magnitude, code_symbol
from meshset.coding.parsing import ByteReader, varint
from meshset.errors import ArchiveError

MOST_INNER = 127
"""Inner members of a group, at most."""

_SIZES = 8
"""Sizes that are told apart of the offset at the gate before."""

_SIGNED = 128
"""Weights of features are from -128 to 127."""


@dataclass(frozen=True)
class Group:
    """What the meshes of a group share.

    Attributes:
        header: levels, the usual step, its ratio, and how many vertices the surface has.
        region: the surface.
        steps: in which its vertices are placed.
        origin: for each vertex that which it is a copy of, or itself.
        kept: the vertices that are in the mesh.
        faces: (F, 3) in terms of these.
        sharp: (E,) creases among the `Edges` of the faces.
        weights: of each part of a residual what each feature adds to its class, in parts of `contexts.WEIGHT_UNIT`.
        scales: of each vertex how large its residuals usually are, in half powers of two; empty where that is not told.
        usual: of each vertex its usual offset at each of its gates, in whole steps; empty where that is not told.
        inner: payloads of members that others may refer to.
    """

    header: Header
    region: Region
    steps: tuple[Step, ...]
    origin: Sequence[int]
    kept: NDArray[np.int64]
    faces: NDArray[np.int64]
    sharp: NDArray[np.bool_]
    weights: Weights
    scales: Sequence[Whole] = ()
    usual: Sequence[Sequence[Whole]] = ()
    inner: tuple[bytes, ...] = ()

    @cached_property
    def told(self) -> tuple[Step, ...]:
        """Return the steps that place a vertex from parallelograms, and for the first time."""
        return tuple(step for step in self.steps if step.parallelograms and self.origin[step.vertex] == step.vertex)

    @property
    def known(self) -> int:
        """Return how many there are that members may refer to: what is usual, if it is told, and inner members."""
        return bool(self.usual) + len(self.inner)


def encode_group(group: Group, surface: Surface) -> bytes:
    """Write a group whose connectivity is that of `surface`."""
    head = Writer()
    contexts = control.shipped().contexts()
    code_header(head, group.header)
    vertices = group.header.vertices
    grow(Guide(head, contexts, Walk(surface.manifold)), vertices, most_faces(vertices))
    _code_copies(head, contexts, group.header, group.steps, group.origin)
    if group.header.creases:
        code_creases(head, contexts, Edges.of(group.faces), group.sharp)
    _code_weights(head, group.weights)
    if head.even(2, int(bool(group.scales))):
        _code_scales(head, group.told, vertices, group.scales)
    if head.even(2, int(bool(group.usual))):
        _code_usual(head, group.told, vertices, group.usual)
    data = head.to_bytes().ljust(-(-vertices // MOST_A_BYTE), b"\0")
    parts = [varint(len(data)), data, varint(len(group.inner))]
    return b"".join([*parts, *(varint(len(one)) + one for one in group.inner)])


def decode_group(chunk: bytes) -> Group:
    """Read a group. Raises ArchiveError for anything that `encode_group` does not write, as far as it shows."""
    reader = ByteReader(chunk)
    data = reader.take(reader.varint())
    count = reader.varint()
    if count > MOST_INNER:
        raise ArchiveError("a group of meshes has too many inner members")
    inner = tuple(reader.take(reader.varint()) for _ in range(count))
    if reader.rest():
        raise ArchiveError("a group of meshes has bytes at its end that mean nothing")
    head, contexts = Reader(data), control.shipped().contexts()
    header = code_header(head, Header(0, False, False, 0, LEAST_RATIO, 2))
    if header.vertices > MOST_A_BYTE * len(data):
        raise ArchiveError("a group of meshes states more vertices than its bytes can hold")
    region = grow(Guide(head, contexts), header.vertices, most_faces(header.vertices))
    if len(region.valence) != header.vertices:
        raise ArchiveError("a group of meshes has fewer vertices than it states")
    steps = tuple(traversal(region.corners, region.twin, region.hole))
    origin = _code_copies(head, contexts, header, steps, ())
    kept, faces = welded(region, origin)
    if not len(faces) or (faces == np.roll(faces, 1, axis=1)).any():
        raise ArchiveError("a group of meshes has no faces, or one with the same corner twice")
    edges = Edges.of(faces)
    sharp = np.zeros(len(edges.ends), dtype=bool)
    if header.creases:
        sharp = code_creases(head, contexts, edges, sharp)
    weights = _code_weights(head, ())
    group = Group(header, region, steps, origin, kept, faces, sharp, weights, inner=inner)
    scales = _code_scales(head, group.told, header.vertices, ()) if head.even(2, 0) else ()
    return replace(
        group, scales=scales, usual=_code_usual(head, group.told, header.vertices, ()) if head.even(2, 0) else ()
    )


def _code_copies(
    coder: Coder, contexts: Contexts, header: Header, steps: Sequence[Step], origin: Sequence[int]
) -> list[int]:
    """Code which vertices are copies of others; `origin` is empty where it is read."""
    found = list(range(header.vertices))
    placed: list[int] = []
    place_of: dict[int, int] = {}
    for step in steps if header.copies else ():
        told = origin[step.vertex] if origin else step.vertex
        if placed and coder.bit(contexts, control.COPY, int(told != step.vertex)):
            found[step.vertex] = placed[coder.even(len(placed), place_of.get(told, 0))]
        else:
            place_of[step.vertex] = len(placed)
            placed.append(step.vertex)
    return found


def _code_weights(coder: Coder, weights: Weights) -> Weights:
    found = []
    for part in range(at.PARTS):
        told = weights[part] if weights else (0,) * at.FEATURES
        found.append(tuple(coder.even(2 * _SIGNED, one + _SIGNED) - _SIGNED for one in told))
    return tuple(found)


def _code_scales(coder: Coder, steps: Sequence[Step], count: int, scales: Sequence[Whole]) -> list[Whole]:
    """Code the scale of each part of each vertex in view of that at the start of its gate."""
    contexts = Contexts.blank(at.PARTS << 2 * at.SCALE_BITS)
    found: list[Whole] = list(scales) or [(0, 0, 0)] * count
    for step in steps:
        near, told = found[step.parallelograms[0][0]], found[step.vertex]
        first, second, third = (
            code_symbol(coder, contexts, 0, (k << at.SCALE_BITS) + near[k], at.SCALE_BITS, told[k]) for k in range(3)
        )
        found[step.vertex] = first, second, third
    return found


def _code_usual(
    coder: Coder, steps: Sequence[Step], count: int, usual: Sequence[Sequence[Whole]]
) -> list[Sequence[Whole]]:
    """Code the usual offsets of each vertex, each part in view of its size at the vertex's gate before."""
    tables = at.PARTS * _SIZES
    contexts = Contexts.blank(tables * (PREFIX + 1) + at.PARTS * PREFIX * MANTISSA)
    signs, rests = tables * PREFIX, tables * (PREFIX + 1)
    found: list[Sequence[Whole]] = [()] * count
    for step in steps:
        gates: list[Whole] = []
        before: Whole = 0, 0, 0
        for gate in range(len(step.parallelograms)):
            told = usual[step.vertex][gate] if usual else (0, 0, 0)
            parts = []
            for k in range(at.PARTS):
                table = k * _SIZES + min(before[k].bit_length(), _SIZES - 1)
                size = code_magnitude(coder, contexts, table * PREFIX, rests + k * PREFIX * MANTISSA, abs(told[k]))
                negative = size and coder.bit(contexts, signs + table, int(told[k] < 0))
                parts.append(-size if negative else size)
            before = parts[0], parts[1], parts[2]
            gates.append(before)
        found[step.vertex] = gates
    return found
