"""From a payload to a surface; numpy and the range coder are all it takes."""

from __future__ import annotations

import numpy as np

from meshset.codecs.control_mesh.bitstream import ControlMesh, decode
from meshset.codecs.control_mesh.residuals import GRID
from meshset.codecs.control_mesh.subdivision import MOST_LEVELS, refine
from meshset.errors import ArchiveError
from meshset.geometry import Mesh

MOST_FACES = 1 << 22
"""A surface has no more, whatever a payload states."""


def surface_of(payload: bytes, level: int | None = None) -> Mesh:
    """Return the surface of a payload, vertices (V, 3) float32 in the cube, after its own levels or, if smooth, others.

    Raises:
        ArchiveError: the bytes are no control mesh, or one of too large a surface.
        ValueError: the level is not 0 to 3.
    """
    return subdivided(decode(payload), level)


def subdivided(control: ControlMesh, level: int | None = None) -> Mesh:
    """Return the surface of a control mesh; the rest is as in `surface_of`."""
    if level is not None and not 0 <= level <= MOST_LEVELS:
        raise ValueError(f"a control mesh has levels 0 to {MOST_LEVELS}, not {level}")
    levels = control.levels if level is None or not control.levels else level
    if len(control.faces) << 2 * levels > MOST_FACES:
        raise ArchiveError("a control mesh makes more faces than a surface may have")
    points, faces = refine(control.points, control.faces, control.sharp, levels)
    return Mesh((points / GRID).astype(np.float32), faces.astype(np.int32))
