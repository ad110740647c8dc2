"""What a decoded mesh must be before anything else sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.errors import ArchiveError
from meshset.geometry import Mesh


def checked_mesh(vertices: NDArray[np.floating[Any]], faces: NDArray[np.integer[Any]]) -> Mesh:
    """Return a mesh of vertices (V, 3) and faces (F, 3) of any integer type, as float32 and int32.

    Raises:
        ArchiveError: a coordinate is not finite, or a face names a vertex that does not exist.
    """
    if not np.isfinite(vertices).all():
        raise ArchiveError("payload decodes to coordinates that are not finite")
    if len(faces) and not 0 <= int(faces.min()) <= int(faces.max()) < len(vertices):
        raise ArchiveError("payload decodes to faces with vertices that do not exist")
    return Mesh(np.asarray(vertices, dtype=np.float32), np.asarray(faces, dtype=np.int32))
