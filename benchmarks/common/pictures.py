"""Pictures of meshes, drawn without a display."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meshset.evaluation.pictures import look
from meshset.geometry import Mesh

SIDE = 420
POINTS = 1_500_000


def render(mesh: Mesh, colour: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return a picture (SIDE, SIDE, 3) of a normalised mesh on white."""
    view = look(mesh, SIDE, "z", POINTS)
    picture = np.ones((SIDE, SIDE, 3))
    picture[view.rows, view.columns] = view.light[:, None] * np.array(colour)
    return picture
