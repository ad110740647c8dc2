"""Fields as the loss wants them: values where the band is, and which voxels lead there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.structure import Level, field_levels
from meshset.field import Field
from meshset.field.marching_cubes import surface_topology


@dataclass(frozen=True)
class Example:
    """One field, ready for training.

    Attributes:
        levels: the voxels to visit at each level.
        target: (N, channels) values to reach.
        matters: (N,) 1 where the deformation moves a vertex (at both ends of crossed grid edges), else 0.
    """

    levels: list[Level]
    target: Tensor
    matters: Tensor

    @property
    def size(self) -> int:
        """Bytes held."""
        return 4 * (self.target.numel() + self.matters.numel()) + sum(
            8 * level.neighbours.size for level in self.levels
        )


def load_example(path: Path, architecture: Architecture) -> Example:
    """Prepare the field stored at `path`."""
    field = Field.load(path)
    values = torch.from_numpy(np.column_stack([field.tsdf, field.deformation]))[:, : architecture.field_channels]
    matters = torch.zeros(len(values))
    topology = surface_topology(torch.from_numpy(field.coords.astype(np.int64)), values[:, 0], field.resolution)
    matters[topology.low] = matters[topology.high] = 1.0
    if architecture.has_head:
        in_band = values[:, 0].abs() < 1.0
        values, matters = values[in_band], matters[in_band]
    return Example(field_levels(field, architecture), values, matters)
