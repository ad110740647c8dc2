"""Cells of a deformed grid that are turned inside out, and how they are turned back."""

from __future__ import annotations

import torch
from torch import Tensor

from meshset.field._cases import CORNERS
from meshset.field.grid import RowLookup

_SMALLEST = 0.02
"""Least volume of the parallelepiped at a corner of a cell, where an undeformed cell has 1."""
_SHRINK = 0.7
_NEIGHBOURS = torch.tensor([[c ^ 1 << axis for axis in range(3)] for c in range(8)])
"""The corner at the other end of the edge along each axis, (8, 3)."""
_UPWARD = torch.tensor([[1.0 - 2.0 * (c >> axis & 1) for axis in range(3)] for c in range(8)])
"""1 where that edge leads up the axis, -1 where down, (8, 3)."""


@torch.no_grad()
def unfold_cells(coords: Tensor, tsdf: Tensor, deformation: Tensor, resolution: int) -> None:
    """Shrink deformations, in place, until no cell that the surface passes through is turned over at a corner.

    Two neighbours that move by half a voxel each can meet but not pass each other along their edge; the three edges at
    a corner together can still turn over.

    Args:
        coords: (N, 3) integer grid points.
        tsdf: (N,) values, negative inside.
        deformation: (N, 3) in half voxels.
        resolution: K.
    """
    corners = _crossed_cells(coords, tsdf, resolution)
    # A cell without any deformation is a cube, and one that nothing was changed in stays as it was found.
    corners = corners[(deformation != 0).any(dim=1)[corners].any(dim=1)]
    while len(corners):
        turned = _volumes(coords[corners] + 0.5 * deformation[corners]) < _SMALLEST
        cell, corner = turned.nonzero(as_tuple=True)
        shrunk = torch.zeros(len(coords), dtype=torch.bool, device=coords.device)
        shrunk[corners[cell, corner]] = True
        shrunk[corners[cell[:, None], _NEIGHBOURS[corner]]] = True
        deformation[shrunk] *= _SHRINK
        corners = corners[shrunk[corners].any(dim=1)]


def smallest_corner(coords: Tensor, tsdf: Tensor, deformation: Tensor, resolution: int) -> float:
    """Return the least volume at a corner of the cells that the surface passes through; 1 where nothing is deformed."""
    corners = _crossed_cells(coords, tsdf, resolution)
    return float(_volumes(coords[corners] + 0.5 * deformation[corners]).min())


def _crossed_cells(coords: Tensor, tsdf: Tensor, resolution: int) -> Tensor:
    """Return the rows of the eight corners of each whole cell with a change of sign, (C, 8)."""
    lookup = RowLookup(coords, resolution)
    rows = torch.stack([lookup.at(lookup.keys + lookup.stride((int(x), int(y), int(z)))) for x, y, z in CORNERS], dim=1)
    rows = rows[(rows >= 0).all(dim=1)].long()
    inside = (tsdf < 0)[rows]
    return rows[inside.any(dim=1) & ~inside.all(dim=1)]


def _volumes(points: Tensor) -> Tensor:
    """Return for cells (C, 8, 3) the signed volume that the three edges at each corner span, (C, 8)."""
    edges = (points[:, _NEIGHBOURS] - points[:, :, None]) * _UPWARD.to(points)[:, :, None]
    first, second, third = edges.unbind(dim=2)
    volumes: Tensor = (first * torch.linalg.cross(second, third)).sum(dim=-1)
    return volumes
