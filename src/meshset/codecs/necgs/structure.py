"""Which voxels of each level the decoder visits while it is trained on a field, and their neighbourhoods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.decoder import neighbour_rows
from meshset.field import Field
from meshset.field.grid import ROOT, children, root_coords


@dataclass(frozen=True)
class Level:
    """The voxels of one level: M exist (children of expanded voxels), N of them have a part of the band below.

    Attributes:
        size: M.
        expanded: (N,) int32 rows of the M voxels that are expanded.
        neighbours: (N, T) int32, 1 + row of the M voxels under a kernel at each expanded one, 0 where absent.
        inverse: (N, T) int32, 1 + where in a flat (N, T) array the k-th value was read from this expanded voxel, 0
            where none.
    """

    size: int
    expanded: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    inverse: NDArray[np.int32]


def _level(coords: NDArray[np.int32], expanded: NDArray[np.int32], side: int, taps: int) -> Level:
    neighbours = neighbour_rows(coords, expanded, side, taps)
    among_expanded = np.full(len(coords) + 1, -1, dtype=np.int32)
    among_expanded[expanded] = np.arange(len(expanded), dtype=np.int32)
    reader = among_expanded[neighbours[:, ::-1]]
    inverse = np.where(reader < 0, 0, 1 + taps * reader + np.arange(taps, dtype=np.int32))
    return Level(len(coords), expanded, neighbours + np.int32(1), inverse.astype(np.int32))


def field_levels(field: Field, architecture: Architecture) -> list[Level]:
    """Return the levels of 4, 8, ... voxels a side up to K / 2, or to K for an architecture with a head.

    The root is expanded whole, as the decoder does it, or else its logits would never be trained.
    """
    in_band = np.abs(field.tsdf) < 1.0
    keys = field.coords.astype(np.int32)[in_band] if architecture.has_head else field.coords[::8].astype(np.int32) >> 1
    side = field.resolution if architecture.has_head else field.resolution // 2
    wanted = {side: keys}
    while side > ROOT:
        side //= 2
        keys = np.unique(keys >> 1, axis=0)
        wanted[side] = keys
    levels: list[Level] = []
    coords, expanded = root_coords(np.empty(0)), np.arange(ROOT**3, dtype=np.int32)
    while True:
        levels.append(_level(coords, expanded, side, architecture.taps(len(levels))))
        coords, side = children(coords[expanded]), 2 * side
        if side not in wanted:
            return levels
        mask = np.zeros((side,) * 3, dtype=bool)
        mask[tuple(wanted[side].T)] = True
        expanded = np.flatnonzero(mask[tuple(coords.T)]).astype(np.int32)


@dataclass(frozen=True)
class BatchLevel:
    """The same as `Level` for several meshes one after the other, as tensors.

    Attributes:
        expanded: (N,) int64.
        wanted: (M,) float32, 1 where a voxel is expanded.
        neighbours: (N, T) int32, 1 + row, 0 where absent.
        inverse: (N, T) int32, 1 + place, 0 where none.
    """

    expanded: Tensor
    wanted: Tensor
    neighbours: Tensor
    inverse: Tensor


def batch_level(levels: Sequence[Level], device: torch.device) -> BatchLevel:
    """Join the same level of several meshes."""
    sizes = [level.size for level in levels]
    counts = [len(level.expanded) for level in levels]
    first = [sum(sizes[:i]) for i in range(len(levels))]
    taps = levels[0].neighbours.shape[1]
    first_place = [taps * sum(counts[:i]) for i in range(len(levels))]
    expanded = torch.cat(
        [torch.from_numpy(level.expanded).long() + f for level, f in zip(levels, first, strict=True)]
    ).to(device)
    wanted = torch.zeros(sum(sizes), device=device)
    wanted[expanded] = 1.0
    neighbours = _joined([level.neighbours for level in levels], first, device)
    inverse = _joined([level.inverse for level in levels], first_place, device)
    return BatchLevel(expanded, wanted, neighbours, inverse)


def _joined(indices: Sequence[NDArray[np.int32]], first: Sequence[int], device: torch.device) -> Tensor:
    """Concatenate tables of indices that count from 1, moving all but the zeros by where their mesh begins."""
    moved = [torch.from_numpy(table).to(device) for table in indices]
    moved = [torch.where(t > 0, t + f, 0) if f else t for t, f in zip(moved, first, strict=True)]
    return torch.cat(moved) if len(moved) > 1 else moved[0]
