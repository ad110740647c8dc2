"""Meshes that are in memory already, as other libraries hold them; none of these libraries is imported."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MeshFileError
from meshset.geometry._clean import clean
from meshset.geometry._soup import MalformedError, Soup
from meshset.geometry.reading import Reading

MeshLike: TypeAlias = Any
"""A `Mesh`, a `trimesh.Trimesh`, a triangle mesh of Open3D, or a pair of vertices (V, 3) and faces (F, 3)."""


class Arrays(NamedTuple):
    """A mesh as it was given, nothing checked but shapes and kinds of numbers.

    Attributes:
        vertices: (V, 3), floating point or whole numbers.
        faces: (F, N) whole numbers, N of 3 or more.
    """

    vertices: NDArray[Any]
    faces: NDArray[Any]


def arrays_of(name: str, mesh: MeshLike) -> Arrays:
    """Return vertices and faces of a mesh in memory, without a copy where that is possible.

    Args:
        name: for the message.
        mesh: a `MeshLike`.

    Raises:
        MeshFileError: it is something else, or its arrays have other shapes.

    >>> arrays_of("corner", ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])).faces.shape
    (1, 3)
    """
    pair = _pair(mesh)
    if pair is None:
        raise MeshFileError(
            f"{name}: {type(mesh).__name__} is not a mesh: expected meshset.Mesh, trimesh.Trimesh, a triangle mesh of "
            "Open3D, or a pair of vertices (V, 3) and faces (F, 3)"
        )
    try:
        vertices, faces = map(np.asarray, pair)
    except Exception as error:  # whatever another library's array raises
        raise MeshFileError(f"{name}: vertices or faces are no arrays ({error})") from None
    if vertices.ndim != 2 or vertices.shape[1] != 3 or vertices.dtype.kind not in "fiu":
        raise MeshFileError(f"{name}: vertices are {_described(vertices)}, expected numbers of shape (V, 3)")
    if faces.ndim != 2 or faces.shape[1] < 3 or faces.dtype.kind not in "iu":
        raise MeshFileError(f"{name}: faces are {_described(faces)}, expected whole numbers of shape (F, 3)")
    return Arrays(vertices, faces)


def read_arrays(name: str, arrays: Arrays) -> Reading:
    """Make a mesh in memory one that the rest can rely on, as `read_mesh` does with a file.

    Raises:
        MeshFileError: it cannot be used; one line with its name and the reason.
    """
    corners = arrays.faces.astype(np.int64)
    sizes = np.full(len(corners), corners.shape[1], np.int64)
    try:
        with np.errstate(all="ignore"):
            mesh, notes = clean(Soup(arrays.vertices.astype(np.float64), corners.reshape(-1), sizes))
    except MalformedError as error:
        raise MeshFileError(f"{name}: {error}") from None
    except MemoryError:
        raise MeshFileError(f"{name}: not enough memory to check it") from None
    return Reading(mesh, tuple(notes))


def _pair(mesh: MeshLike) -> tuple[Any, Any] | None:
    """Return what holds the vertices and what holds the faces."""
    for faces in ("faces", "triangles"):  # of trimesh, and of Open3D
        if hasattr(mesh, "vertices") and hasattr(mesh, faces):
            return mesh.vertices, getattr(mesh, faces)
    if hasattr(mesh, "vertex") and hasattr(mesh, "triangle"):  # of Open3D's tensors
        return mesh.vertex.positions.numpy(), mesh.triangle.indices.numpy()
    if isinstance(mesh, (tuple, list)) and len(mesh) == 2:
        return mesh[0], mesh[1]
    return None


def _described(array: NDArray[Any]) -> str:
    return f"{array.dtype} of shape {array.shape}"
