"""Fields on the whole grid: from a narrow band to all points, and back to the cells that the surface crosses."""

from __future__ import annotations

from itertools import product

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.field import Field
from meshset.field.grid import Array


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


def near_surface(values: Array) -> tuple[Array, Array]:
    """Keep the corners of the cells that the surface crosses.

    Args:
        values: (K, K, K, channels), the signed distance first. The outermost points count as outside.

    Returns:
        Grid points (N, 3) int32, and the field there (N, channels).
    """
    xp = array_api_compat.array_namespace(values)
    inside = values[..., 0] < 0.0
    for axis in range(3):
        inside = xp.moveaxis(inside, axis, 0)
        inside[0, ...] = False
        inside[-1, ...] = False
        inside = xp.moveaxis(inside, 0, axis)
    side = values.shape[0]
    corners = [tuple(slice(o, side - 1 + o) for o in offset) for offset in product((0, 1), repeat=3)]
    some, every = inside[corners[0]], inside[corners[0]]
    for corner in corners[1:]:
        some, every = some | inside[corner], every & inside[corner]
    crossed = some & ~every
    kept = xp.zeros_like(inside)
    for corner in corners:
        kept[corner] |= crossed
    rows = xp.nonzero(kept)
    return xp.astype(xp.stack(rows, axis=1), xp.int32), values[rows]
