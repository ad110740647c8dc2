"""Marching cubes over the cells of a narrow band, differentiable in the field (NeCGS section 3.1)."""

from __future__ import annotations

import array_api_compat

from meshset.field._cases import CORNERS, EDGES, triangle_table
from meshset.field.grid import Array, RowLookup, spacing

_SMALLEST = 1e-4
"""Field values closer to 0 than this are moved away from it, so that no two vertices fall on one grid point."""


def extract_surface(coords: Array, tsdf: Array, resolution: int) -> tuple[Array, Array]:
    """Return the zero level set of a field as triangles that face outward.

    Each vertex lies on a grid edge whose ends a and b have values of opposite sign, at p_a + t (p_b - p_a) with
    t = v_a / (v_a - v_b). Only cells whose eight corners are all given are visited, or else the rim of the band would
    become a surface. The outermost grid points count as outside. The result is an oriented manifold without duplicate
    vertices, closed wherever no cell with a change of sign lacks a corner.

    Args:
        coords: (N, 3) integer grid points in [0, resolution), numpy or torch.
        tsdf: (N,) floats, negative inside; a torch tensor may require gradients, which flow to the vertices.
        resolution: K, grid points a side.

    Returns:
        Vertices (V, 3) in the cube [-1, 1]^3, dtype of `tsdf`; faces (F, 3) int32.
    """
    xp = array_api_compat.array_namespace(tsdf)
    device = array_api_compat.device(tsdf)
    at_border = xp.any((coords == 0) | (coords == resolution - 1), axis=1)
    inside = (tsdf < 0) & ~at_border
    value = xp.where(inside, xp.clip(tsdf, max=-_SMALLEST), xp.clip(tsdf, min=_SMALLEST))
    lookup = RowLookup(coords, resolution)
    strides = [lookup.stride((int(dx), int(dy), int(dz))) for dx, dy, dz in CORNERS]

    case = xp.zeros(coords.shape[0], dtype=xp.int64, device=device)
    whole = xp.ones(coords.shape[0], dtype=xp.bool, device=device)
    for c, stride in enumerate(strides):
        row = lookup.at(lookup.keys + stride)
        whole = whole & (row >= 0)
        case = case + (xp.astype(inside[row], xp.int64) << c)
    (cells,) = xp.nonzero(whole & (case > 0) & (case < 255))
    case = case[cells]

    # An edge of the grid is named 3 r + axis after the row r of its lower end.
    table = triangle_table()
    edge_of_cell = []
    for corner, axis in EDGES:
        row = lookup.at(lookup.keys[cells] + strides[corner])
        edge_of_cell.append(3 * xp.astype(row, xp.int64) + axis)
    edges = xp.stack(edge_of_cell, axis=1)
    triangles = xp.asarray(table, device=device)[case]
    cell_of_triangle, slot = xp.nonzero(triangles[:, :, 0] >= 0)
    corners = edges[cell_of_triangle[:, None], triangles[cell_of_triangle, slot]]

    used = xp.zeros(3 * coords.shape[0], dtype=xp.int32, device=device)
    used[corners] = 1
    number = xp.cumulative_sum(used, axis=0, dtype=xp.int32) - 1
    (edge,) = xp.nonzero(used)
    low, axis = edge // 3, edge % 3
    axis_strides = xp.asarray([strides[1], strides[2], strides[4]], dtype=xp.int64, device=device)
    high = lookup.at(lookup.keys[low] + axis_strides[axis])
    t = value[low] / (value[low] - value[high])
    points = -1.0 + spacing(resolution) * xp.astype(coords, tsdf.dtype)
    vertices = points[low] + t[:, None] * (points[high] - points[low])
    return vertices, number[corners]
