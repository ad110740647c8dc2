"""From a mesh to its narrow-band TSDF (NeCGS section 3.1, without deformation)."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MeshFileError
from meshset.field.band import TRUNCATION, Field
from meshset.field.buried import SHARE, buried_note, buried_share, outer_surface
from meshset.field.grid import ROOT, RowLookup, children, root_coords, spacing
from meshset.geometry.mesh import Mesh
from meshset.geometry.orientation import face_outward
from meshset.geometry.queries import SurfaceQueries

_THINNEST = 0.05
"""Half thickness in voxels that an open sheet gets; the error of the surface hardly depends on it."""

_REACH = 0.5 + 3.0**0.5
"""In voxels: where a point within half a voxel of the surface changes sides, the cells around it reach this far."""

_BESIDE = 0.02
"""In voxels: how far from a crossing its other side is asked for."""

_AMBIGUOUS = (0.25, 0.75)
_AMBIGUOUS_SHARE = 0.01


def compute_field(mesh: Mesh, resolution: int) -> tuple[Field, tuple[str, ...]]:
    """Sample the signed distance of a normalised mesh near its surface.

    Distances come from closest points on the triangles, asked only for grid points that an octree descent cannot rule
    out. Signs come from generalised winding numbers, so that holes and self-intersections do harm only where they are.

    Args:
        mesh: in the cube [-1, 1]^3, with the margin that `Placement.normalise` leaves.
        resolution: K, a power of two from 32 to 256.

    Returns:
        The field, and one line for each thing that was repaired or is in doubt.

    Raises:
        MeshFileError: the mesh slips through the grid altogether.
    """
    mesh, turned = face_outward(mesh)
    solid = SurfaceQueries(mesh)
    buried = buried_share(mesh, solid, resolution)
    outer = solid if buried < SHARE else SurfaceQueries(outer_surface(mesh, solid, resolution))
    coords, distance = _near_points(outer, resolution)
    edges = _grid_edges(coords, resolution)
    inside, notes = _inside(mesh, solid, coords, distance, edges, resolution)
    at_border = ((coords == 0) | (coords == resolution - 1)).any(axis=1)
    inside &= ~at_border
    signed = np.where(inside, -distance, distance)
    signed, moved = _keep_thin_parts(outer, solid, coords, signed, edges, at_border, resolution)
    if not (signed < 0).any():
        raise MeshFileError(f"too thin for a {resolution}^3 grid: no part of it reaches a grid edge")
    kept = _needed(coords, distance, moved, resolution)
    coords, signed = coords[kept], signed[kept]
    tsdf = np.clip(signed / (TRUNCATION * spacing(resolution)), -1.0, 1.0)
    if turned:
        notes = (f"{turned} {'part' if turned == 1 else 'parts'} inside out; turned", *notes)
    if buried >= SHARE:
        notes = (*notes, buried_note(buried))
    undeformed = np.zeros((len(coords), 3), dtype=np.float32)
    return Field(resolution, coords.astype(np.int16), tsdf.astype(np.float32), undeformed), notes


def _grid_edges(coords: NDArray[np.int64], resolution: int) -> NDArray[np.int64]:
    """Return the rows of both ends of every grid edge between two of the points, (2, E)."""
    lookup = RowLookup(coords, resolution)
    ends = []
    for offset in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        neighbour = lookup.at(lookup.keys + lookup.stride(offset)).astype(np.int64)
        row = np.flatnonzero(neighbour >= 0)
        ends.append(np.stack([row, neighbour[row]]))
    return np.concatenate(ends, axis=1)


def _keep_thin_parts(
    outer: SurfaceQueries,
    solid: SurfaceQueries,
    coords: NDArray[np.int64],
    signed: NDArray[np.float64],
    edges: NDArray[np.int64],
    at_border: NDArray[np.bool_],
    resolution: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Change the side of grid points where a wall or a gap would slip between them.

    Where the surface crosses a grid edge but both ends are on the same side (it passes a thin wall, a thin gap or an
    open sheet), the end nearer to the crossing is moved to the other side, as if the wall were there. Points of the
    outermost layers stay outside, so there it is the other end. `outer` is asked for crossings, `solid` for sides.

    Returns:
        Signed distances (N,), and the rows of the points that were moved.
    """
    h = spacing(resolution)
    start, end = edges
    candidates = ((signed[start] < 0) == (signed[end] < 0)) & (np.abs(signed[start]) + np.abs(signed[end]) < h)
    start, end = start[candidates], end[candidates]
    a, b = -1.0 + h * coords[start], -1.0 + h * coords[end]
    enter, leave = outer.first_hit(a, b - a), 1.0 - outer.first_hit(b, a - b)
    crossed = (enter <= 1.0) & (leave >= 0.0)
    (inner,) = np.nonzero(crossed & (signed[start] < 0))
    crossed[inner] = _passes_outside(solid, a[inner], b[inner], enter[inner], leave[inner])
    start, end, enter, leave = start[crossed], end[crossed], enter[crossed], leave[crossed]
    nearer = np.where((enter + leave < 1.0) & ~at_border[start] | at_border[end], start, end)
    depth = np.clip((leave - enter) / 2, _THINNEST, 0.5) * h
    thickened = signed.copy()
    thickened[nearer] = -np.sign(signed[nearer]) * depth
    return thickened, nearer


def _passes_outside(
    solid: SurfaceQueries,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    enter: NDArray[np.float64],
    leave: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Say which grid edges between points inside pass a gap, not only buried surface, (E,).

    Args:
        solid: what they are inside of.
        start: (E, 3) one end of each edge.
        end: (E, 3) the other one.
        enter: (E,) where the surface is hit first, as a share of the edge.
        leave: (E,) where it is hit last.
    """
    shares = np.stack([enter + _BESIDE, (enter + leave) / 2, leave - _BESIDE])
    points = start + shares[:, :, None] * (end - start)
    return np.asarray((np.abs(solid.winding_number(points)).reshape(shares.shape) < 0.5).any(axis=0))


def _needed(
    coords: NDArray[np.int64], distance: NDArray[np.float64], moved: NDArray[np.int64], resolution: int
) -> NDArray[np.bool_]:
    """Return which points are in 2^3 blocks that reach into the band or complete a cell around a moved point, (N,)."""
    lookup = RowLookup(coords, resolution)
    around = np.array([lookup.stride((x, y, z)) for x, y, z in product((-1, 0, 1), repeat=3)])
    neighbours = lookup.at((lookup.keys[moved][:, None] + around).ravel())
    needed = distance < TRUNCATION * spacing(resolution)
    needed[neighbours[neighbours >= 0]] = True
    return np.repeat(needed.reshape(-1, 8).any(axis=1), 8)


def _near_points(queries: SurfaceQueries, resolution: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return grid points in whole 2^3 blocks that come within `_REACH` voxels, (N, 3), and their distances (N,)."""
    h = spacing(resolution)
    band = _REACH * h
    coords = root_coords(np.empty(0)).astype(np.int64)
    side = resolution // ROOT
    while side > 1:
        centres = -1.0 + h * (side * coords + (side - 1) / 2)
        reach = band + np.sqrt(3.0) * h * (side - 1) / 2
        coords = children(coords[queries.closest(centres)[0] <= reach])
        side //= 2
    distance = queries.closest(-1.0 + h * coords)[0]
    kept = np.repeat((distance.reshape(-1, 8) < band).any(axis=1), 8)
    return coords[kept], distance[kept]


def _inside(
    mesh: Mesh,
    queries: SurfaceQueries,
    coords: NDArray[np.int64],
    distance: NDArray[np.float64],
    edges: NDArray[np.int64],
    resolution: int,
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Decide for each grid point whether it lies inside, and say what was in doubt."""
    if _is_closed(mesh):
        group, representative = _same_side(distance, edges, resolution)
    else:
        group = representative = np.arange(len(coords))
    winding = queries.winding_number(-1.0 + spacing(resolution) * coords[representative])
    notes = []
    if (winding < -0.5).any():
        notes.append("was inside out, at least in parts; turned")
    winding = np.abs(winding)
    unsure = float(((winding > _AMBIGUOUS[0]) & (winding < _AMBIGUOUS[1]))[group].mean())
    if unsure > _AMBIGUOUS_SHARE:
        notes.append(f"has holes: the side of {unsure:.0%} of the grid points near it is a guess")
    return (winding > 0.5)[group], tuple(notes)


def _is_closed(mesh: Mesh) -> bool:
    """Whether every directed edge is matched by its reverse, so that winding numbers are whole off the surface."""
    start = mesh.faces.astype(np.int64).ravel()
    end = mesh.faces[:, [1, 2, 0]].astype(np.int64).ravel()
    count = len(mesh.vertices)
    return bool(np.array_equal(np.sort(start * count + end), np.sort(end * count + start)))


def _same_side(
    distance: NDArray[np.float64], edges: NDArray[np.int64], resolution: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Group grid points that a closed surface cannot separate.

    A point further from the surface than a voxel is on the same side as its six neighbours.

    Returns:
        The group of each point (N,), and for each group the row of its point furthest from the surface.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = edges[:, distance[edges].max(axis=0) > spacing(resolution)]
    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(len(distance),) * 2)
    groups, group = connected_components(graph, directed=False)
    representative = np.empty(groups, dtype=np.int64)
    by_distance = np.argsort(distance)
    representative[group[by_distance]] = by_distance
    return group, representative
