"""What a parser found in a file, before it becomes a mesh."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

MAX_COUNT = 2**31 - 1
"""Most vertices or triangles of a mesh: faces hold int32 indices."""

MAX_PLACED_FACES = 20_000_000
"""Most triangles that instances of a scene may add up to; a few hundred bytes can ask for 2^60 of them."""


class MalformedError(Exception):
    """The content of a file cannot be used; the message is the reason without the file's name."""


@dataclass
class Soup:
    """Polygons over vertices as a file lists them: nothing merged, triangulated or checked.

    Attributes:
        vertices: (V, 3) float64.
        corners: (N,) int64 indices into `vertices`, the faces one after the other.
        sizes: (F,) int64 number of corners of each face.
        notes: what the parser ignored.
        doubts: those of the notes after which the surface may be another than the file means.
    """

    vertices: NDArray[np.float64]
    corners: NDArray[np.int64]
    sizes: NDArray[np.int64]
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @classmethod
    def of_triangles(cls, vertices: NDArray[np.float64], faces: NDArray[np.int64], notes: list[str]) -> Soup:
        """Return a soup of triangles, `faces` (F, 3)."""
        return cls(vertices, faces.reshape(-1), np.full(len(faces), 3, np.int64), notes)


class Assembly:
    """Parts of a scene, each placed by a transform, collected into one soup."""

    def __init__(self) -> None:
        self._vertices: list[NDArray[np.float64]] = []
        self._faces: list[NDArray[np.int64]] = []
        self._part_count = 0
        self._vertex_count = 0
        self._face_count = 0

    def place(self, vertices: NDArray[np.float64], faces: NDArray[np.int64], matrices: NDArray[np.float64]) -> None:
        """Add one part for each affine matrix of `matrices`, (4, 4) or (N, 4, 4), moved by it; they act on columns.

        A mirroring matrix would turn the surface inside out, so its triangles are reversed.

        Raises:
            MalformedError: if the parts add up to more triangles than any mesh may have, or an index of
                this part points outside it (it would name a vertex of the next part).
        """
        check_indices(faces, len(vertices))
        matrices = matrices.reshape(-1, 4, 4)
        begins = self._vertex_count + len(vertices) * np.arange(len(matrices))
        self._part_count += len(matrices)
        self._vertex_count += len(matrices) * len(vertices)
        self._face_count += len(matrices) * len(faces)
        if max(self._face_count, self._vertex_count) > MAX_PLACED_FACES:
            raise MalformedError(f"its placed parts have more than {MAX_PLACED_FACES:,} triangles or vertices")
        moved = vertices @ matrices[:, :3, :3].swapaxes(1, 2) + matrices[:, None, :3, 3]
        self._vertices.append(moved.reshape(-1, 3))
        mirrored = np.linalg.det(matrices[:, :3, :3]) < 0
        turned = np.where(mirrored[:, None, None], faces[:, ::-1], faces)
        self._faces.append((turned + begins[:, None, None]).reshape(-1, 3))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was placed."""
        return not self._part_count

    def soup(self, notes: list[str], doubts: list[str]) -> Soup:
        """Return all parts in the order of placing; several parts add a note, and so do doubts."""
        notes = [*doubts, *notes]
        if self._part_count > 1:
            notes = [*notes, f"{self._part_count} parts joined into one mesh"]
        vertices = np.concatenate([np.empty((0, 3)), *self._vertices])
        faces = np.concatenate([np.empty((0, 3), np.int64), *self._faces])
        return replace(Soup.of_triangles(vertices, faces, notes), doubts=doubts)


def check_indices(faces: NDArray[np.int64], count: int) -> None:
    """Raise MalformedError if faces (F, 3) name anything but `count` vertices."""
    if len(faces) and (faces.min() < 0 or faces.max() >= count):
        raise MalformedError(index_error(faces, count))


def index_error(indices: NDArray[np.int64], count: int) -> str:
    """Return the reason why `indices` do not fit `count` vertices, counted from 0."""
    low, high = int(indices.min()), int(indices.max())
    return f"face indices out of range: {low if low < 0 else high}, of {count:,} vertices counted from 0"


def counted(number: int, what: str, plural: str = "") -> str:
    """Return '1 face', '2 faces'; `plural` where an s does not do."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"
