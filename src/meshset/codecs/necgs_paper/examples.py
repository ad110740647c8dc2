"""Fields as the loss wants them: a dense box with everything that the field leaves out filled in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from meshset.codecs.common.dense import dense_values
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
