"""What meshes of a group share: connectivity, creases, some members that others are told from (docs/SPEC.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh import contexts as control
from meshset.codecs.control_mesh.bitstream import (
    MOST_A_BYTE,
    Header,
    Surface,
    code_creases,
    code_header,
    most_faces,
    read_faces,
    read_region,
)
from meshset.codecs.control_mesh.connectivity import Region, grow
from meshset.codecs.control_mesh.prediction import Step, traversal
from meshset.codecs.control_mesh.subdivision import Edges
from meshset.codecs.control_mesh.valences import Guide, Walk
from meshset.coding.adaptive import Coder, Contexts, Reader, Writer
from meshset.coding.parsing import ByteReader, varint
from meshset.errors import ArchiveError

MOST_INNER = 127
"""Inner members of a group, at most."""


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
        inner: payloads of members that others may refer to.
    """

    header: Header
    region: Region
    steps: tuple[Step, ...]
    origin: Sequence[int]
    kept: NDArray[np.int64]
    faces: NDArray[np.int64]
    sharp: NDArray[np.bool_]
    inner: tuple[bytes, ...] = ()


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
    header, region = read_region(head, contexts, len(data))
    steps = tuple(traversal(region.corners, region.twin, region.hole))
    origin = _code_copies(head, contexts, header, steps, ())
    kept, faces, sharp = read_faces(head, contexts, header, region, origin)
    return Group(header, region, steps, origin, kept, faces, sharp, inner)


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
