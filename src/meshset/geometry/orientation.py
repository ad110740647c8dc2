"""Closed parts whose faces look the wrong way, found and turned.

A part is a set of faces that hang together by edges of exactly two faces. It is closed if every edge of it is run along
as often in one direction as in the other, so that its winding number is whole everywhere off its surface. What only
touches it at a vertex or an edge of more faces is another part.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MissingExtraError
from meshset.geometry._edges import Edges
from meshset.geometry.mesh import Mesh
from meshset.geometry.queries import SurfaceQueries

_FLAT = 1e-9
"""A part of less volume than this share of its area to the power 1.5 (a ball has 0.094) looks nowhere."""

_NUDGE = 1e-6
"""How far outside a part its surroundings are asked for, as a share of the diagonal of its bounding box."""

_DIRECTIONS = np.array([d for d in product((-1.0, 0.0, 1.0), repeat=3) if sum(map(abs, d)) in (1, 3)])
"""The 6 axes and 8 diagonals, (14, 3): where a part reaches furthest along them, it is asked what surrounds it."""


def face_outward(mesh: Mesh) -> tuple[Mesh, int]:
    """Turn the closed parts whose faces look the wrong way.

    A part in the open must look outward; one inside another that is turned is turned with it, so that cavities stay
    cavities. A part that looks inward and lies inside another is a cavity and stays, an open part stays as it is.

    Args:
        mesh: any mesh with valid indices.

    Returns:
        The mesh, with the same vertices and order of faces (the very same if nothing was turned), and how many parts
        were turned.

    Raises:
        MissingExtraError: scipy or libigl is not installed.
    """
    part, wrong = wrong_parts(mesh, Edges.of(mesh.faces))
    if not wrong.any():
        return mesh, 0
    faces = np.where(wrong[part][:, None], mesh.faces[:, ::-1], mesh.faces)
    return Mesh(mesh.vertices, np.ascontiguousarray(faces)), int(wrong.sum())


def wrong_parts(mesh: Mesh, edges: Edges) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the part of each face, (F,) from 0 on, and whether each part must be turned, (P,).

    Args:
        mesh: any mesh with valid indices.
        edges: its edges.

    Raises:
        MissingExtraError: scipy is not installed; libigl is not, and a part has to be asked what surrounds it.
    """
    if not len(mesh.faces):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
    part, count = _parts(edges, len(mesh.faces))
    closed = _closed(edges, part, count)
    inward = closed & _inward(mesh, part, count)
    if count == 1 or not inward.any():
        return part, inward
    points = _outer_points(mesh, part, count)[closed]
    around = _most_outside(mesh, points)
    # A shell with holes cannot be turned, so what lies in it must not be turned as if it were.
    around_closed = around if closed.all() else _most_outside(Mesh(mesh.vertices, mesh.faces[closed[part]]), points)
    in_the_open = np.abs(around) < 0.5
    in_a_turned_part = np.maximum(around, around_closed) < -0.5
    wrong = np.zeros(count, dtype=bool)
    wrong[closed] = in_a_turned_part | (inward[closed] & in_the_open)
    return part, wrong


def _parts(edges: Edges, face_count: int) -> tuple[NDArray[np.int64], int]:
    """Return the part of each face (F,), and how many parts there are."""
    try:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components
    except ImportError as error:
        raise MissingExtraError("mesh diagnosis", "compress") from error
    sides = np.flatnonzero(edges.faces[edges.of_side] == 2)
    pairs = sides[np.argsort(edges.of_side[sides], kind="stable")].reshape(-1, 2) // 3
    links = coo_array((np.ones(len(pairs), dtype=np.int8), tuple(pairs.T)), shape=(face_count, face_count))
    count, part = connected_components(links, directed=False)
    return part.astype(np.int64), int(count)


def _closed(edges: Edges, part: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Return for each part whether its sides cancel on every edge, (P,)."""
    part_of_side = np.repeat(part, 3)
    shared = edges.faces[edges.of_side] > 2
    closed = np.ones(count, dtype=bool)
    closed[part_of_side[~shared & (edges.runs[edges.of_side] != 0)]] = False
    # Several parts may meet in an edge of many faces; each must cancel there by itself.
    keys = part_of_side[shared] * len(edges.faces) + edges.of_side[shared]
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    runs = np.bincount(group, weights=edges.direction[shared], minlength=len(first))
    closed[part_of_side[shared][first[runs != 0]]] = False
    return closed


def _inward(mesh: Mesh, part: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Return for each part whether its signed volume is negative, (P,); only closed parts have one."""
    triangles = mesh.triangles
    _, first = np.unique(part, return_index=True)
    # Seen from a corner of its own, a small part far from the others loses no digits.
    a, b, c = np.moveaxis(triangles - triangles[first[part], :1], 1, 0)
    volumes = np.bincount(part, weights=np.einsum("ij,ij->i", a, np.cross(b, c)), minlength=count) / 6
    areas = np.bincount(part, weights=np.linalg.norm(np.cross(b - a, c - a), axis=1), minlength=count) / 2
    return np.asarray(volumes < -_FLAT * areas**1.5)


def _outer_points(mesh: Mesh, part: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return points just outside the convex hull of each part, (P, 14, 3), where its own winding number is 0."""
    triangles = mesh.triangles
    order = np.argsort(part, kind="stable")
    starts = np.searchsorted(part[order], np.arange(count))
    points = np.empty((count, len(_DIRECTIONS), 3))
    for i, direction in enumerate(_DIRECTIONS):
        heights = triangles @ direction
        highest = heights.max(axis=1)
        top = np.maximum.reduceat(highest[order], starts)
        face = np.empty(count, dtype=np.int64)
        (at_top,) = np.nonzero(highest == top[part])
        face[part[at_top]] = at_top
        points[:, i] = triangles[face, heights[face].argmax(axis=1)]
    diagonals = np.linalg.norm(np.ptp(points, axis=1), axis=1)
    points += _NUDGE * diagonals[:, None, None] * _DIRECTIONS
    return points


def _most_outside(mesh: Mesh, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each row of `points` (P, S, 3) the winding number of `mesh` nearest to 0, (P,)."""
    winding = SurfaceQueries(mesh).winding_number(points).reshape(points.shape[:2])
    return np.asarray(np.take_along_axis(winding, np.abs(winding).argmin(axis=1)[:, None], axis=1)[:, 0])
