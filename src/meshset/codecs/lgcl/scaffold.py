"""The scaffold of a set of registered meshes: which vertices are key points, and which of them are neighbours."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from struct import pack

import numpy as np
from numpy.typing import NDArray

from meshset.coding import ByteReader, signed_varint, varint
from meshset.errors import ArchiveError, MeshFileError
from meshset.geometry.mesh import Mesh

MAX_KEY_POINTS = 1 << 16
MAX_NEIGHBOURS = 64
MAX_TABLE = 1 << 19
"""Most places for neighbours in all: features are gathered there."""

KEY_STEPS = 512
"""Coordinates of key points are whole multiples of 1 / 512 in the cube [-1, 1]^3: they place codes, not surfaces."""


@dataclass(frozen=True)
class Connectivity:
    """What registered meshes have in common.

    Attributes:
        vertices: number of vertices.
        faces: number of faces.
        fingerprint: CRC-32 of the faces as little-endian int32.
    """

    vertices: int
    faces: int
    fingerprint: int

    @classmethod
    def of(cls, mesh: Mesh) -> Connectivity:
        """Return the connectivity of a mesh."""
        return cls(len(mesh.vertices), len(mesh.faces), zlib.crc32(mesh.faces.astype("<i4").tobytes()))


@dataclass(frozen=True, eq=False)
class Scaffold:
    """Key points on registered meshes, as a graph.

    They are numbered so that, wherever possible, a key point has a neighbour of a smaller number.

    Attributes:
        connectivity: of the meshes.
        chosen: (N,) int32 vertices that are key points.
        edges: (E, 2) int32 neighbours by number, the smaller one first, in lexicographic order.
        unit: mean distance of neighbours in the cube, a float32 above 0.

    Raises:
        ValueError: the graph is too large.
    """

    connectivity: Connectivity
    chosen: NDArray[np.int32]
    edges: NDArray[np.int32]
    unit: np.float32

    def __post_init__(self) -> None:
        widest = int(self.degrees.max(initial=0))
        if not 1 <= len(self.chosen) <= MAX_KEY_POINTS:
            raise ValueError(f"{len(self.chosen)} key points, from 1 to {MAX_KEY_POINTS} are possible")
        if widest > MAX_NEIGHBOURS or len(self.chosen) * widest > MAX_TABLE:
            raise ValueError(f"up to {widest} neighbours of one of {len(self.chosen)} key points are too many")

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Number of neighbours of each key point, (N,)."""
        return np.bincount(self.edges.ravel(), minlength=len(self.chosen))

    @cached_property
    def neighbours(self) -> NDArray[np.int32]:
        """Numbers of the neighbours in ascending order, (N, D), the rest of a row filled with -1."""
        both = np.concatenate([self.edges, self.edges[:, ::-1]])
        both = both[np.lexsort((both[:, 1], both[:, 0]))]
        degrees = self.degrees
        table = np.full((len(self.chosen), max(int(degrees.max(initial=0)), 1)), -1, dtype=np.int32)
        place = np.arange(len(both)) - np.repeat(np.cumsum(degrees) - degrees, degrees)
        table[both[:, 0], place] = both[:, 1]
        return table

    @cached_property
    def parents(self) -> list[int]:
        """The neighbour of the smallest number for each key point, if it is smaller than its own, else -1."""
        first = self.neighbours[:, 0]
        parents: list[int] = np.where(first < np.arange(len(first)), first, -1).tolist()
        return parents

    def key_numbers(self, mesh: Mesh) -> NDArray[np.int32]:
        """Return the key points of a mesh, (N, 3), each as steps from its parent.

        Raises:
            MeshFileError: the mesh has another connectivity.
        """
        own, ours = Connectivity.of(mesh), self.connectivity
        if own != ours:
            differs = "connected otherwise" if own.vertices == ours.vertices else f"it has {own.vertices:,} vertices"
            raise MeshFileError(
                f"not registered with the set, whose meshes share {ours.vertices:,} vertices and their faces: {differs}"
            )
        places = np.rint(mesh.vertices[self.chosen] * KEY_STEPS).astype(np.int32)
        parents = np.array(self.parents)
        numbers: NDArray[np.int32] = np.where(parents[:, None] < 0, places, places - places[parents])
        return numbers

    def key_values(self, numbers: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return key points (N, 3) in the cube, the inverse of `key_numbers`."""
        places = numbers.astype(np.int64)
        for key, parent in enumerate(self.parents):
            if parent >= 0:
                places[key] += places[parent]
        return (places / KEY_STEPS).astype(np.float32)

    def pack(self) -> bytes:
        """Return the scaffold as bytes, for `read_scaffold`."""
        common = self.connectivity
        out = bytearray(varint(common.vertices) + varint(common.faces))
        out += pack("<If", common.fingerprint, self.unit) + varint(len(self.chosen))
        for step in np.diff(self.chosen, prepend=0).tolist():
            out += signed_varint(step)
        later = np.split(self.edges[:, 1], np.searchsorted(self.edges[:, 0], np.arange(1, len(self.chosen))))
        for key, others in enumerate(later):
            out += varint(len(others))
            for step in np.diff(others, prepend=key).tolist():
                out += varint(step)
        return bytes(out)


def read_scaffold(data: ByteReader) -> Scaffold:
    """Read what `Scaffold.pack` wrote. Raises ArchiveError for anything else."""
    vertices, faces = data.varint(), data.varint()
    connectivity = Connectivity(vertices, faces, int.from_bytes(data.take(4), "little"))
    unit, count = data.float32(), data.varint()
    if not 1e-6 < unit < 10.0 or not 1 <= count <= MAX_KEY_POINTS:
        raise ArchiveError("invalid scaffold")
    chosen = np.cumsum([data.signed_varint() for _ in range(count)])
    edges = []
    for key in range(count):
        other = key
        for _ in range(_checked(data.varint(), MAX_NEIGHBOURS)):
            other += data.varint()
            edges.append((key, other))
    pairs = np.array(edges, dtype=np.int64).reshape(-1, 2)
    if chosen.min() < 0 or chosen.max() >= vertices or (np.diff(pairs) <= 0).any() or pairs.max(initial=0) >= count:
        raise ArchiveError("a scaffold names key points that do not exist")
    try:
        return Scaffold(connectivity, chosen.astype(np.int32), pairs.astype(np.int32), np.float32(unit))
    except ValueError as error:
        raise ArchiveError(f"invalid scaffold: {error}") from None


def _checked(count: int, most: int) -> int:
    if count > most:
        raise ArchiveError("invalid scaffold: too many neighbours")
    return count
