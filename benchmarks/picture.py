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
from meshset.geometry import Mesh, Placement, read_mesh
from meshset.geometry.sampling import sample_surface

SIDE = 420
POINTS = 1_500_000


def view() -> NDArray[np.float64]:
    """Return a rotation whose rows are right, up and towards the viewer."""
    towards = np.array([1.0, -1.3, 0.8])
    towards /= np.linalg.norm(towards)
    right = np.cross([0.0, 0.0, 1.0], towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards])


def render(mesh: Mesh, colour: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return a picture (SIDE, SIDE, 3) of a normalised mesh: its surface as points, the nearest of each pixel lit."""
    samples = sample_surface(mesh, POINTS, seed=0)
    points, normals = samples.points @ view().T, samples.normals @ view().T
    pixel = np.clip((points[:, :2] / 2.5 + 0.5) * SIDE, 0, SIDE - 1).astype(np.int64)
    order = np.argsort(points[:, 2])
    light = np.array([0.3, 0.6, 0.75])
    shade = 0.25 + 0.75 * np.clip(normals @ (light / np.linalg.norm(light)), 0, 1)
    picture = np.ones((SIDE, SIDE, 3))
    picture[SIDE - 1 - pixel[order, 1], pixel[order, 0]] = shade[order, None] * np.array(colour)
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
