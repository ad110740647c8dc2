"""Draw originals above what comes out of an archive, without a display: the README's picture.

python benchmarks/picture.py set.mset models/ --names gear-000 vase-000 --out docs/parts.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.image
import numpy as np
from numpy.typing import NDArray

import meshset
from meshset.evaluation.pictures import look
from meshset.geometry import Mesh, Placement, read_mesh

SIDE = 420
POINTS = 1_500_000


def render(mesh: Mesh, colour: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return a picture (SIDE, SIDE, 3) of a normalised mesh on white."""
    view = look(mesh, SIDE, "z", POINTS)
    picture = np.ones((SIDE, SIDE, 3))
    picture[view.rows, view.columns] = view.light[:, None] * np.array(colour)
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--names", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    columns = []
    with meshset.open(options.archive) as archive:
        for name in options.names:
            original = read_mesh(next(options.models.glob(f"{name}.*"))).mesh
            placement = Placement.of(original)
            above = render(placement.normalise(original), (0.72, 0.76, 0.82))
            below = render(placement.normalise(archive[name]), (0.95, 0.72, 0.45))
            columns.append(np.concatenate([above, below]))
    matplotlib.image.imsave(options.out, np.concatenate(columns, axis=1))


if __name__ == "__main__":
    main()
