"""NGLOD used for one mesh: an octree of trained features around the surface, and a small perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, ClassVar

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.layers import MAX_WIDTH, uniform_layers
from meshset.codecs.common.samples import Samples
from meshset.codecs.implicit.codec import ImplicitCodec
from meshset.codecs.implicit.network import FieldNetwork, Frame, Weights, linear, relu
from meshset.codecs.implicit.perceptrons import perceptron_tensors
from meshset.coding import ByteReader
from meshset.errors import ArchiveError
from meshset.field.grid import ROOT, Array, children, root_coords
from meshset.geometry.mesh import Mesh
from meshset.geometry.sampling import sample_surface

LEVELS = 5
"""The finest level of the paper; level 1 has 4 cells a side, level 5 has 64."""

_SURFACE_POINTS = 200_000
"""A cell exists where at least one of so many points of the surface lies in it: a dozen a cell at level 5."""

_CORNERS = tuple(product((0, 1), repeat=3))
_ALL: NDArray[np.int32] = root_coords(np.empty(0))
"""The cells of level 1."""


@dataclass(frozen=True)
class Nglod(FieldNetwork):
    """Takikawa et al. 2021, "Neural Geometric Level of Detail", section 3, one level of detail of it.

    The feature of a point is the sum over levels of trained vectors at the corners of the cell that it lies in,
    interpolated trilinearly; a perceptron of one hidden layer makes a distance of it and the point: 125
    corners of 32 features at level 1, and 4,737 weights, as the key spheres paper counts in Fig. 1.

    Only cells that hold surface have features, but for level 1, which is dense. Elsewhere the paper leaves the octree;
    here a corner that belongs to no cell counts as zeros, so the function is continuous and defined everywhere. The
    paper trains all levels at once, with a perceptron for each; a mesh is stored at one, so here only that is trained.

    Attributes:
        levels: of the octree, 1 to `LEVELS`.
        features: at each corner.
        width: nodes of the hidden layer.
    """

    levels: int = 1
    features: int = 32
    width: int = 128

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= LEVELS or not 1 <= self.features <= 256 or not 1 <= self.width <= MAX_WIDTH:
            raise ValueError(f"{self.levels} levels of {self.features} features, {self.width} nodes")

    def tensors(self, frame: Frame) -> dict[str, tuple[int, ...]]:
        """Return names and shapes, as `FieldNetwork.tensors` says."""
        corners = {level: int(frame[f"rows.{level}"].max()) + 1 for level in self._levels}
        shapes = {f"features.{level}": (count, self.features) for level, count in corners.items()}
        return shapes | perceptron_tensors(3 + self.features, 1, self.width)

    def initial(self, frame: Frame, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Return a start after He et al. 2015, features from N(0, 0.01)."""
        tensors = self.tensors(frame)
        start = uniform_layers(tensors, rng)
        for level in self._levels:
            name = f"features.{level}"
            start[name] = rng.normal(0.0, 0.01, tensors[name]).astype(np.float32)
        return start

    def distance(self, weights: Weights, frame: Frame, points: Array) -> Array:
        """Return signed distances (B, P) at points (B, 3, P)."""
        xp = array_api_compat.array_namespace(points)
        summed = None
        for level in self._levels:
            rows, shares = _corners_of(points, frame[f"rows.{level}"], level)
            found = _weighted_sum(weights[f"features.{level}"], rows, shares)
            summed = found if summed is None else summed + found
        features = xp.concat([points, xp.matrix_transpose(summed)], axis=1)
        return linear(relu(linear(features, weights, "0")), weights, "last")[:, 0]

    def frame_of(self, mesh: Mesh, samples: Samples, rng: np.random.Generator) -> Frame:
        """Return the octree around the surface, as `_frame` says."""
        points = sample_surface(mesh, _SURFACE_POINTS, int(rng.integers(1 << 31))).points
        levels = [_ALL]
        for level in self._levels[1:]:
            below = children(levels[-1])
            side = _cells_a_side(level)
            held = np.clip((points + 1.0) / 2.0 * side, 0, side - 1).astype(np.int64)
            levels.append(below[np.isin(_keys(below, side), _keys(held, side))])
        return _frame(levels)

    def pack_frame(self, frame: Frame) -> bytes:
        """Return the octree: for each level but the last, which children each cell has, a byte a cell."""
        out = bytearray()
        for level in self._levels[1:]:
            side = _cells_a_side(level)
            below = children(frame[f"cells.{level - 1}"])
            exists = np.isin(_keys(below, side), _keys(frame[f"cells.{level}"], side))
            out += np.packbits(exists, bitorder="little").tobytes()
        return bytes(out)

    def read_frame(self, data: ByteReader) -> Frame:
        """Read what `pack_frame` wrote. Raises ArchiveError on anything else."""
        levels = [_ALL]
        for _ in self._levels[1:]:
            octants = np.frombuffer(data.take(len(levels[-1])), dtype=np.uint8)
            exists = np.unpackbits(octants, bitorder="little").astype(bool)
            if not exists.any():
                raise ArchiveError("invalid octree: a level has no cells")
            levels.append(children(levels[-1])[exists])
        return _frame(levels)

    def multiplications(self, frame: Frame) -> int:
        """Return about how many multiplications a point takes."""
        return 8 * self.levels * self.features + self.width * (self.features + 4)

    @property
    def _levels(self) -> range:
        return range(1, self.levels + 1)


def _cells_a_side(level: int) -> int:
    return ROOT << (level - 1)


def _keys(coords: NDArray[np.integer[Any]], side: int) -> NDArray[np.int64]:
    """Return a number for each of the places (N, 3), places with coordinates below `side` in row-major order."""
    return np.asarray(coords.astype(np.int64) @ np.array([side * side, side, 1]))


def _frame(levels: Sequence[NDArray[np.int32]]) -> Frame:
    """Return for each level l from 1 on "cells.l", the cells of `levels`, and "rows.l".

    Rows are int64, one for each of the (n + 1)^3 corners of n cells a side, row-major: where its features stand, -1 for
    a corner that belongs to no cell.
    """
    frame: dict[str, Array] = {}
    for level, cells in enumerate(levels, 1):
        side = _cells_a_side(level) + 1
        corners = np.unique(_keys((cells[:, None] + np.array(_CORNERS)).reshape(-1, 3), side))
        rows = np.full(side**3, -1, dtype=np.int64)
        rows[corners] = np.arange(len(corners))
        frame |= {f"cells.{level}": cells, f"rows.{level}": rows}
    return frame


def _corners_of(points: Array, rows: Array, level: int) -> tuple[Array, Array]:
    """Return rows of features and their shares, (B, P, 8), at the corners of the cells of points (B, 3, P)."""
    xp = array_api_compat.array_namespace(points)
    side = _cells_a_side(level)
    scaled = (points + 1.0) * (side / 2)
    lower = xp.clip(xp.floor(scaled), min=0.0, max=side - 1.0)
    upward = scaled - lower
    cells = xp.astype(lower, xp.int64)
    first = (cells[:, 0] * (side + 1) + cells[:, 1]) * (side + 1) + cells[:, 2]
    mesh = xp.arange(rows.shape[0], dtype=xp.int64, device=array_api_compat.device(rows))[:, None] * rows.shape[1]
    found, shares = [], []
    for corner in _CORNERS:
        offset = (corner[0] * (side + 1) + corner[1]) * (side + 1) + corner[2]
        row = xp.reshape(rows, (-1,))[first + offset + mesh]
        share = xp.astype(row >= 0, points.dtype)
        for axis, above in enumerate(corner):
            share = share * (upward[:, axis] if above else 1.0 - upward[:, axis])
        found.append(xp.clip(row, min=0))
        shares.append(share)
    return xp.stack(found, axis=-1), xp.stack(shares, axis=-1)


def _weighted_sum(features: Array, rows: Array, shares: Array) -> Array:
    """Return the sums (B, P, C) of rows (B, P, 8) of features (B, N, C), each times its share."""
    if array_api_compat.is_torch_array(features):
        import torch

        count, width = features.shape[1:]
        rows = rows + torch.arange(len(rows), device=rows.device)[:, None, None] * count
        flat = torch.nn.functional.embedding_bag(
            rows.reshape(-1, 8), features.reshape(-1, width), per_sample_weights=shares.reshape(-1, 8), mode="sum"
        )
        return flat.reshape(*rows.shape[:2], width)
    mesh = np.arange(len(rows))[:, None]
    summed = np.zeros((*rows.shape[:2], features.shape[2]), dtype=features.dtype)
    for corner in range(8):
        summed += features[mesh, rows[..., corner]] * shares[..., corner, None]
    return summed


@dataclass(frozen=True)
class NglodCodec(ImplicitCodec):
    """Neural geometric level of detail (Takikawa et al. 2021), at one level of detail."""

    id: ClassVar[int] = 10
    name: ClassVar[str] = "nglod"
    network: FieldNetwork = field(default_factory=Nglod)
