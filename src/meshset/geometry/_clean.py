"""From what a file holds to a mesh that the rest can rely on, with a note for every change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meshset.geometry import _soup
from meshset.geometry._polygons import MAX_CLIPPED_CORNERS, triangulate
from meshset.geometry._soup import MalformedError, Soup, counted, index_error
from meshset.geometry.mesh import Mesh

FLOAT32_LOSS = 1e-4
"""Note when rounding to float32 would move a vertex by more than this share of the longest side."""


def clean(soup: Soup) -> tuple[Mesh, list[str]]:
    """Check a soup and make it one mesh of triangles over distinct positions that faces use.

    Duplicate faces and faces without area stay: taking them out could open the surface. Only triangles that
    name one position twice go, for they have no inside.

    Returns:
        The mesh (vertices float64, faces int32) and the notes, those of the parser first.

    Raises:
        MalformedError: if no mesh can be made; the message is the reason.
    """
    notes = list(soup.notes)
    corners, sizes = _checked_faces(soup, notes)
    used, corners = np.unique(corners, return_inverse=True)
    vertices = soup.vertices[used]
    _note(notes, len(soup.vertices) - len(used), "unreferenced vertex", "dropped", "unreferenced vertices")
    _check_extent(vertices, notes)
    faces = triangulate(vertices, corners.reshape(-1), sizes)
    _note(notes, int((sizes > 3).sum()), "polygon", "triangulated")
    large = int((sizes > MAX_CLIPPED_CORNERS).sum())
    _note(notes, large, "polygon", f"of more than {MAX_CLIPPED_CORNERS} corners cut like a convex one")
    merged, vertices, faces = _merge(vertices, faces)
    _note(notes, merged, "vertex", "merged with another at the same position", "vertices")
    vertices, faces = _without_collapsed(vertices, faces, notes)
    _note(notes, _copies(faces), "duplicate face", "kept")
    return Mesh(vertices, faces.astype(np.int32)), notes


def _note(notes: list[str], number: int, what: str, done: str, plural: str = "") -> None:
    if number:
        notes.append(f"{counted(number, what, plural)} {done}")


def _checked_faces(soup: Soup, notes: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return corners and sizes of the faces with three corners or more, indices within range."""
    count = len(soup.vertices)
    if not len(soup.sizes):
        raise MalformedError(
            f"no faces, only {counted(count, 'point')}" if count else "empty: neither vertices nor faces"
        )
    whole = soup.sizes >= 3
    _note(notes, int((~whole).sum()), "face", "with fewer than 3 corners ignored")
    corners = soup.corners[np.repeat(whole, soup.sizes)]
    sizes = soup.sizes[whole]
    if not len(sizes):
        raise MalformedError("no faces with 3 corners or more")
    if corners.min() < 0 or corners.max() >= count:
        raise MalformedError(index_error(corners, count))
    triangles = int((sizes - 2).sum())
    for number, what in ((count, "vertices"), (triangles, "triangles")):
        if number > _soup.MAX_COUNT:
            raise MalformedError(f"too large: {number:,} {what}, at most {_soup.MAX_COUNT:,} are possible")
    return corners, sizes


def _check_extent(vertices: NDArray[np.float64], notes: list[str]) -> None:
    """Refuse positions beyond the range of float32, and those that have no extent."""
    if not np.isfinite(vertices).all():
        raise MalformedError("NaN or infinite coordinates")
    lower, upper = vertices.min(axis=0), vertices.max(axis=0)
    largest = max(float(np.abs(lower).max()), float(np.abs(upper).max()))
    if largest > np.finfo(np.float32).max or float((upper - lower).max()) > np.finfo(np.float32).max:
        raise MalformedError(f"absurd coordinates: up to {largest:.3g}, beyond the range of float32")
    longest = float((upper - lower).max())
    if longest == 0:
        raise MalformedError("zero extent: all vertices are at one point")
    if largest * float(np.finfo(np.float32).eps) > FLOAT32_LOSS * longest:
        notes.append(
            f"far from the origin: up to {largest:.3g} for a longest side of {longest:.3g}, too far for float32"
        )


def _merge(
    vertices: NDArray[np.float64], faces: NDArray[np.int64]
) -> tuple[int, NDArray[np.float64], NDArray[np.int64]]:
    """Merge vertices at exactly equal positions, keeping the order of first appearance.

    Returns:
        How many vertices went, the vertices left and the faces on them.
    """
    positions = vertices + 0.0  # -0.0 becomes 0.0, so that both are one position
    order = np.lexsort(positions.T)
    ordered = positions[order]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = np.empty(len(order), np.int64)
    first[order] = order[fresh][np.cumsum(fresh) - 1]  # lexsort is stable: a run starts with its lowest index
    kept, renumbered = np.unique(first, return_inverse=True)
    return len(vertices) - len(kept), positions[kept], renumbered.reshape(-1)[faces]


def _without_collapsed(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    a, b, c = faces.T
    collapsed = (a == b) | (b == c) | (c == a)
    if not collapsed.any():
        return _with_area(vertices, faces), faces
    _note(notes, int(collapsed.sum()), "degenerate face", "removed (two corners at one position)")
    faces = faces[~collapsed]
    if not len(faces):
        raise MalformedError("no area: every face has two corners at one position")
    used, faces = np.unique(faces, return_inverse=True)
    _note(notes, len(vertices) - len(used), "vertex", "of degenerate faces dropped", "vertices")
    faces = faces.reshape(-1, 3)
    return _with_area(vertices[used], faces), faces


def _copies(faces: NDArray[np.int64]) -> int:
    """Count the faces that have the corners of another, in any order."""
    corners = np.sort(faces, axis=1)
    corners = corners[np.lexsort(corners.T)]
    return int((corners[1:] == corners[:-1]).all(axis=1).sum())


def _with_area(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return `vertices`, provided that some face has an area: sampling and fitting need one."""
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    longest = np.ptp(vertices, axis=0).max()  # divided by it, neither tiny nor huge areas leave float64
    if not np.cross((b - a) / longest, (c - a) / longest).any():
        raise MalformedError("no area: the corners of every face lie on a line")
    return vertices
