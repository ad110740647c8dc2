"""Surface that lies inside the solid, as where parts overlap: how much there is, and a mesh without it.

It bounds nothing, so a field cannot keep it; distances to it would leave paper-thin pockets in the solid. A face may be
buried in part, so faces are cut in two again and again where the sides of their pieces differ, until the pieces are
small against a voxel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.field.grid import spacing
from meshset.geometry.mesh import Mesh
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import face_areas, face_normals, sample_surface

OFFSET = 0.05
"""How far from the surface its sides are asked for, in voxels."""

SHARE = 0.01
"""Share of the surface from which on buried surface is told and taken out."""

_SAMPLES = 1_000
"""Points that tell the share."""

_FINEST = 0.4
"""Pieces of this size, in voxels, are not cut any further."""

_COARSEST = 2.0
"""Pieces beyond this size, in voxels, are cut even where their corners look alike: less would pass between them."""

_PIECES = 10_000
"""Pieces that large faces are cut into, about, before anything is known of them; fewer where voxels are large."""

_PROBED = 8_000
"""Faces that are asked at first, at most; a winding number near large faces takes some 20 microseconds."""

_NEIGHBOURS = 4
"""Nearest faces that were asked; where they agree, all around is like them."""

_MOST_CUTS = 30_000
"""Cuts in all, about: surfaces that nearly coincide would be cut up everywhere."""

_SWEEP = np.array([1.0, 1e-2, 1e-4])
"""Direction in which every so many faces are chosen: evenly, in whatever order they are listed."""

_INSET = 0.98
"""Share of the way from the middle of a face to its corners where these are asked: on an edge, a point beside one face
lies on the next."""


def buried_share(mesh: Mesh, queries: SurfaceQueries, resolution: int) -> float:
    """Return the share of the surface that has the inside on both sides, by sampling.

    Args:
        mesh: normalised, with an area.
        queries: those of the same mesh, facing outward.
        resolution: K, grid points a side, which says how near the two sides are.
    """
    samples = sample_surface(mesh, _SAMPLES, seed=0)
    return float(_is_buried(queries, samples.points, OFFSET * spacing(resolution) * samples.normals).mean())


def buried_note(share: float) -> str:
    """Return what to tell of a mesh with so much buried surface; the distance to the original cannot become 0."""
    return f"{share:.0%} of its surface lies inside the solid and is left out; the error counts it in full"


def outer_surface(mesh: Mesh, queries: SurfaceQueries, resolution: int) -> Mesh:
    """Return the surface without what is buried: the very same mesh if that is hardly any of it.

    Faces that are buried in part are replaced by their pieces in the open, which share no vertices with others and end
    within a fraction of a voxel of where the surface enters the solid.

    Args:
        mesh: normalised, with an area.
        queries: those of the same mesh, facing outward.
        resolution: K, grid points a side.
    """
    if buried_share(mesh, queries, resolution) < SHARE:
        return mesh
    h = spacing(resolution)
    triangles, normals = mesh.triangles, face_normals(mesh)
    offsets = OFFSET * h * normals
    longest = _longest(triangles)
    coarsest = max(_COARSEST * h, (5.0 * float(face_areas(triangles).sum()) / _PIECES) ** 0.5)
    buried, doubtful = _guess(queries, triangles, normals, offsets, h)
    small = np.flatnonzero(doubtful & (longest <= _FINEST * h))
    buried[small] = _is_buried(queries, triangles[small].mean(axis=1), offsets[small])
    (cut,) = np.nonzero((doubtful & (longest > _FINEST * h)) | (longest > coarsest))
    pieces, owner, gone = _cut_up(queries, triangles[cut], offsets[cut], coarsest, _FINEST * h)
    # A face that is in the open after all stays whole, and one that is buried goes, in whatever pieces.
    count = np.bincount(owner, minlength=len(cut))
    in_the_open = np.bincount(owner[~gone], minlength=len(cut))
    buried[cut] = in_the_open < count
    left = (in_the_open < count)[owner] & ~gone
    if buried.all() and not left.any():
        return mesh
    new_faces = len(mesh.vertices) + np.arange(3 * int(left.sum())).reshape(-1, 3)
    return Mesh(
        np.concatenate([mesh.vertices, pieces[left].reshape(-1, 3)]),
        np.concatenate([mesh.faces[~buried], new_faces]).astype(np.int32),
    )


def _is_buried(queries: SurfaceQueries, points: NDArray[np.float64], offsets: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each point on the surface whether it has the inside on both sides, (N,)."""
    buried = np.abs(queries.winding_number(points + offsets)) > 0.5
    buried[buried] = np.abs(queries.winding_number((points - offsets)[buried])) > 0.5
    return buried


def _guess(
    queries: SurfaceQueries,
    triangles: NDArray[np.float64],
    normals: NDArray[np.float64],
    offsets: NDArray[np.float64],
    voxel: float,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Guess which faces are buried from the nearest ones that were asked, and say where these disagree, (F,) each."""
    from scipy.spatial import cKDTree

    middles = triangles.mean(axis=1)
    step = -(-len(middles) // _PROBED)
    asked = np.argsort(middles @ _SWEEP)[::step]
    answers = _is_buried(queries, middles[asked], offsets[asked])
    # The two sides of a wall are far apart, so that neither speaks for the other.
    places = np.concatenate([middles, 4.0 * voxel * normals], axis=1)
    _, nearest = cKDTree(places[asked]).query(places, k=min(_NEIGHBOURS, len(asked)))
    votes = answers[nearest.reshape(len(places), -1)]
    return votes[:, 0], votes.any(axis=1) & ~votes.all(axis=1)


def _cut_up(
    queries: SurfaceQueries,
    triangles: NDArray[np.float64],
    offsets: NDArray[np.float64],
    coarsest: float,
    finest: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Cut triangles in halves until the corners of each piece are all buried, all in the open, or close together.

    Returns:
        The pieces (P, 3, 3), the triangle that each comes from (P,), and whether it is buried, by most of its corners.
    """
    centre = triangles.mean(axis=1)

    def ask(points: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.bool_]:
        return _is_buried(queries, centre[owner] + _INSET * (points - centre[owner]), offsets[owner])

    owner = np.arange(len(triangles))
    corners = ask(triangles.reshape(-1, 3), np.repeat(owner, 3)).reshape(-1, 3)
    done = [(triangles[:0], owner[:0], corners[:0])]
    cuts = 0
    while len(triangles):
        longest = _longest(triangles)
        mixed = corners.any(axis=1) & ~corners.all(axis=1)
        cut = (mixed & (longest > finest)) | (longest > coarsest)
        cuts += int(cut.sum())
        if cuts > _MOST_CUTS:
            cut[:] = False
        done.append((triangles[~cut], owner[~cut], corners[~cut]))
        triangles, corners, owner = (*_turned_to_longest(triangles[cut], corners[cut]), owner[cut])
        middle = triangles[:, :2].mean(axis=1)
        triangles = _halves(triangles, middle)
        corners = _halves(corners, ask(middle, owner))
        owner = np.repeat(owner, 2)
    pieces, owners, states = (np.concatenate(column) for column in zip(*done, strict=True))
    return pieces, owners, states.sum(axis=1) >= 2


def _turned_to_longest(
    triangles: NDArray[np.float64], corners: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return triangles (N, 3, 3) and what goes with their corners (N, 3) with the longest side from corner 0 to 1."""
    first = np.linalg.norm(np.roll(triangles, -1, axis=1) - triangles, axis=2).argmax(axis=1)
    rows, order = np.arange(len(triangles))[:, None], (first[:, None] + np.arange(3)) % 3
    return triangles[rows, order], corners[rows, order]


def _halves(corners: NDArray[Any], middle: NDArray[Any]) -> NDArray[Any]:
    """Cut triangles, given by anything at their corners (N, 3, ...), across the middle of the side from 0 to 1.

    Returns:
        The same at the corners of the halves (2N, 3, ...), those of each triangle one after the other.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    return np.stack([a, middle, c, middle, b, c], axis=1).reshape(-1, *corners.shape[1:])


def _longest(triangles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the longest side of each triangle, (N,)."""
    return np.asarray(np.linalg.norm(np.roll(triangles, -1, axis=1) - triangles, axis=2).max(axis=1))
