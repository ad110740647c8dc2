"""Fields as the loss wants them: a dense box with everything that the field leaves out filled in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.structure import Level, field_levels
from meshset.codecs.necgs_paper.ssim import WINDOW
from meshset.field import Field


@dataclass(frozen=True)
class Example:
    """One field, ready for training.

    Attributes:
        target: (channels, X, Y, Z) float16 values on a box of the grid; fields are stored in float16, so this is exact.
        levels: the voxels to visit at each level; none for the dense engine, whose box is the whole grid.
        places: (N,) int64 where in the flattened box the values of the last level belong.
    """

    target: Tensor
    levels: list[Level]
    places: Tensor

    @property
    def size(self) -> int:
        """Bytes held."""
        return (
            2 * self.target.numel() + 8 * self.places.numel() + sum(8 * level.neighbours.size for level in self.levels)
        )


def load_example(path: Path, architecture: Architecture) -> Example:
    """Prepare the field stored at `path`."""
    return make_example(Field.load(path), architecture)


def make_example(field: Field, architecture: Architecture) -> Example:
    """Prepare a field: the whole grid for a decoder without expansion, else a box around the band.

    The box reaches as far as a window of SSIM that touches the band, so that all windows elsewhere are equal.
    """
    values = torch.from_numpy(dense_values(field, architecture.field_channels).astype(np.float16))
    if not architecture.expands:
        return Example(values, [], torch.empty(0, dtype=torch.int64))
    active = field.coords[np.abs(field.tsdf) < 1.0].astype(np.int64)
    lower = np.maximum(active.min(axis=0) - (WINDOW - 1), 0)
    upper = np.minimum(active.max(axis=0) + WINDOW, field.resolution)
    box = tuple(slice(low, high) for low, high in zip(lower, upper, strict=True))
    places = np.ravel_multi_index(tuple((active - lower).T), tuple(upper - lower))
    return Example(
        values[(slice(None), *box)].contiguous(), field_levels(field, architecture), torch.from_numpy(places)
    )


def dense_values(field: Field, channels: int) -> NDArray[np.float32]:
    """Return the field on every grid point, (channels, K, K, K) float32.

    Where the field has nothing, its distance is saturated: 1 outside and -1 inside; nothing is deformed there.
    """
    at = tuple(field.coords.T.astype(np.int64))
    signs = np.zeros((field.resolution,) * 3, dtype=np.float32)
    signs[at] = np.where(field.tsdf < 0, -1.0, 1.0)
    # The surface is never crossed outside of what is known, so along an axis a sign holds until the next known one.
    last_known = np.maximum.accumulate(np.where(signs != 0, np.arange(field.resolution), 0), axis=2)
    signs = np.take_along_axis(signs, last_known, axis=2)
    out = np.zeros((channels, *signs.shape), dtype=np.float32)
    out[0] = np.where(signs == 0, 1.0, signs)
    known = np.column_stack([field.tsdf, field.deformation])[:, :channels]
    out[(slice(None), *at)] = known.T
    return out
