"""Draw originals above what comes out of an archive, without a display: the README's picture.

python benchmarks/quality/picture.py set.mset models/ --names gear-000 vase-000 --out docs/parts.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib.image
import numpy as np

import meshset
from meshset.geometry import Placement, read_mesh

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.pictures import render


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
