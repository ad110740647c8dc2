"""Deformable marching cubes over the cells of a narrow band, differentiable in the field (NeCGS section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import array_api_compat

from meshset.errors import ArchiveError
from meshset.field._cases import CORNERS, EDGES, triangle_table
from meshset.field.grid import Array, RowLookup, spacing

_SMALLEST = 1e-4
"""Field values closer to 0 than this are moved away from it, so that no two vertices fall on one grid point."""


MAX_CELLS = 1 << 22
"""Most cells that a surface may cross. Smooth ones cross some 10^5 at K = 256; noise there would take all memory."""


@dataclass(frozen=True)
class Topology:
    """Which grid edges the surface crosses, and how the crossings form triangles.

    Attributes:
        low: (V,) rows of the inside or outside end of each crossed edge with the smaller coordinate.
        high: (V,) rows of the other end.
        faces: (F, 3) int32 indices of crossings, facing outward.
        inside: (N,) whether each grid point counts as inside.
    """

    low: Array
    high: Array
    faces: Array
    inside: Array


def surface_topology(coords: Array, tsdf: Array, resolution: int) -> Topology:
    """Find the triangles of the zero level set of a field, without placing their vertices.

    Only cells whose eight corners are all given are visited, or else the rim of the band would become a surface. The
    outermost grid points count as outside. The triangles form an oriented manifold, closed wherever no cell with a
    change of sign lacks a corner.

    Args:
        coords: (N, 3) integer grid points in [0, resolution), numpy or torch.
        tsdf: (N,) floats, negative inside.
        resolution: K, grid points a side.

    Raises:
        ArchiveError: the surface crosses more than `MAX_CELLS` cells.
    """
    xp = array_api_compat.array_namespace(tsdf)
    device = array_api_compat.device(tsdf)
    at_border = xp.any((coords == 0) | (coords == resolution - 1), axis=1)
    inside = (tsdf < 0) & ~at_border
    lookup = RowLookup(coords, resolution)
    strides = [lookup.stride((int(dx), int(dy), int(dz))) for dx, dy, dz in CORNERS]

    case = xp.zeros(coords.shape[0], dtype=xp.int64, device=device)
    whole = xp.ones(coords.shape[0], dtype=xp.bool, device=device)
    for c, stride in enumerate(strides):
        row = lookup.at(lookup.keys + stride)
        whole = whole & (row >= 0)
        case = case + (xp.astype(inside[row], xp.int64) << c)
    (cells,) = xp.nonzero(whole & (case > 0) & (case < 255))
    if cells.shape[0] > MAX_CELLS:
        raise ArchiveError(f"decodes to a surface through {cells.shape[0]} cells, more than any mesh should need")
    case = case[cells]

    # An edge of the grid is named 3 r + axis after the row r of its lower end.
    edge_of_cell = []
    for corner, axis in EDGES:
        row = lookup.at(lookup.keys[cells] + strides[corner])
        edge_of_cell.append(3 * xp.astype(row, xp.int64) + axis)
    edges = xp.stack(edge_of_cell, axis=1)
    triangles = xp.asarray(triangle_table(), device=device)[case]
    cell_of_triangle, slot = xp.nonzero(triangles[:, :, 0] >= 0)
    corners = edges[cell_of_triangle[:, None], triangles[cell_of_triangle, slot]]

    used = xp.zeros(3 * coords.shape[0], dtype=xp.int32, device=device)
    used[corners] = 1
    number = xp.cumulative_sum(used, axis=0, dtype=xp.int32) - 1
    (edge,) = xp.nonzero(used)
    low, axis = edge // 3, edge % 3
    axis_strides = xp.asarray([strides[1], strides[2], strides[4]], dtype=xp.int64, device=device)
    high = lookup.at(lookup.keys[low] + axis_strides[axis])
    return Topology(low, xp.astype(high, xp.int64), number[corners], inside)


def place_vertices(topology: Topology, points: Array, tsdf: Array) -> Array:
    """Place the vertices of a surface on its crossed edges, differentiable in `points` and `tsdf`.

    A vertex lies at p_a + t (p_b - p_a) with t = v_a / (v_a - v_b), a and b being the ends of its edge. A value on the
    wrong side for the topology, or nearer to 0 than 1e-4, counts as 1e-4 on the right side.

    Args:
        topology: from `surface_topology`.
        points: (N, 3) where the grid points are, deformed or not.
        tsdf: (N,) floats.

    Returns:
        (V, 3) positions in the units of `points`.
    """
    xp = array_api_compat.array_namespace(tsdf)
    value = xp.where(topology.inside, xp.clip(tsdf, max=-_SMALLEST), xp.clip(tsdf, min=_SMALLEST))
    # Gathers by `take`: torch differentiates them several times faster than indexing.
    low, high = (xp.take(value, ends, axis=0) for ends in (topology.low, topology.high))
    start, end = (xp.take(points, ends, axis=0) for ends in (topology.low, topology.high))
    return start + (low / (low - high))[:, None] * (end - start)


def grid_points(coords: Array, resolution: int, like: Array, deformation: Array | None = None) -> Array:
    """Return where grid points are in the cube [-1, 1]^3, (N, 3) of the dtype of `like`.

    `deformation` (N, 3) moves them, in units of half a voxel, clamped to [-1, 1].
    """
    xp = array_api_compat.array_namespace(like)
    position = xp.astype(coords, like.dtype)
    if deformation is not None:
        position = position + 0.5 * xp.clip(deformation, min=-1.0, max=1.0)
    return -1.0 + spacing(resolution) * position


def extract_surface(
    coords: Array, tsdf: Array, resolution: int, deformation: Array | None = None
) -> tuple[Array, Array]:
    """Return the zero level set of a field as triangles that face outward, without duplicate vertices.

    Args:
        coords: (N, 3) integer grid points in [0, resolution), numpy or torch.
        tsdf: (N,) floats, negative inside; a torch tensor may require gradients, which flow to the vertices.
        resolution: K, grid points a side.
        deformation: (N, 3) in units of half a voxel, clamped to [-1, 1]; None for an undeformed grid.

    Returns:
        Vertices (V, 3) in the cube [-1, 1]^3, dtype of `tsdf`; faces (F, 3) int32.

    Raises:
        ArchiveError: the surface crosses more than `MAX_CELLS` cells.
    """
    topology = surface_topology(coords, tsdf, resolution)
    points = grid_points(coords, resolution, tsdf, deformation)
    return place_vertices(topology, points, tsdf), topology.faces
