"""Draw thin parts beside what fields keep of them: original, TSDF and TSDF-Def at K = 64 and 128.

python benchmarks/quality/field_picture.py sets --out docs/fields.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
from numpy.typing import NDArray

from meshset.field import Field, compute_field, extract_surface
from meshset.field.fitting import fit_deformation
from meshset.geometry import Mesh

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.meshes import normalised
from benchmarks.common.pictures import render

PARTS = ("things/bullet_channel.ply", "things/prusai3_Einsy-doors.ply", "things/trimesh_1002_tray_bottom.ply")
ORIGINAL, PLAIN, DEFORMED = (0.72, 0.76, 0.82), (0.85, 0.6, 0.55), (0.95, 0.78, 0.45)


def picture(field: Field, colour: tuple[float, float, float]) -> NDArray[np.float64]:
    return render(Mesh(*extract_surface(field.coords, field.tsdf, field.resolution, field.deformation)), colour)


def row(path: Path) -> NDArray[np.float64]:
    mesh = normalised(path)
    fields = [compute_field(mesh, resolution)[0] for resolution in (64, 128)]
    plain = [picture(field, PLAIN) for field in fields]
    deformed = [picture(fit_deformation(mesh, field), DEFORMED) for field in fields]
    return np.concatenate([render(mesh, ORIGINAL), *plain, *deformed], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with things and classics")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    matplotlib.image.imsave(options.out, np.concatenate([row(options.data / part) for part in PARTS]))


if __name__ == "__main__":
    main()
