"""A sheet of a set: each original, its control mesh, and Draco after simplification in as many bytes.

python benchmarks/quality/sheets.py sets/humans --cache control-mesh.work --out docs/sheet_humans.png

From left to right in each group: original, control mesh, the largest of the peer's best files that is not larger, or
the smallest there is. Faces are lit as they are, flat. Bytes and distances are printed.
The distance is one of benchmarks/quality/control_mesh.py, whose cache has the control meshes; 2.5e-3 is about 0.1 % of
the diagonal, the bound of the default.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from pathlib import Path
from typing import Literal, get_args

import matplotlib.image
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh.fitting import Original
from meshset.codecs.control_mesh.search import EFFORTS
from meshset.codecs.control_mesh.surface import surface_of
from meshset.evaluation.pictures import look
from meshset.geometry import Mesh
from meshset.progress import advance, stage
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.meshes import normalised
from benchmarks.common.peer_files import digest, peer_files
from benchmarks.quality.control_mesh import DISTANCES, chosen, code_digest, of_ours

Up = Literal["y", "z"]

COLOURS = (0.72, 0.76, 0.82), (0.95, 0.72, 0.45), (0.60, 0.80, 0.62)
POINTS = 60
"""Points of the surface for each pixel."""

GREYS = 24
"""Levels of light: a picture of few colours is small."""


def drawn(mesh: Mesh, side: int, up: Up, colour: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return a picture (side, side, 3) of a mesh on white."""
    view = look(mesh, side, up, POINTS * side**2)
    picture = np.ones((side, side, 3))
    light = np.rint(view.light * GREYS) / GREYS
    picture[view.rows, view.columns] = light[:, None] * np.array(colour)
    return picture


def group(path: Path, options: argparse.Namespace, code: str) -> NDArray[np.float64] | None:
    """Return a mesh's three pictures beside each other, None where there is no control mesh."""
    mesh = normalised(path)
    original = Original(mesh)
    kept = options.cache / f"ours-{digest(mesh, [options.distance, options.effort, code])}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(of_ours(original, options.distance, options.effort)))
    ours = json.loads(kept.read_text())
    if ours is None:
        print(f"{path.stem}: no control mesh")
        return None
    files = peer_files(original, options.cache)
    peer = max(
        (file for file in files if len(file.payload) <= ours["bytes"]),
        key=lambda file: len(file.payload),
        default=files[0],
    )
    print(
        f"{path.stem}: {ours['kind']}, {ours['vertices']} vertices, {ours['bytes']} bytes at {ours['distance']:.2f}e-3,"
        f" nc {ours['nc']:.3f}; peer {len(peer.payload)} bytes at {1e3 * peer.distance:.2f}e-3"
    )
    seen = mesh, surface_of(base64.b64decode(ours["payload"])), peer.decode()
    pictures = [drawn(one, options.side, options.up, colour) for one, colour in zip(seen, COLOURS, strict=True)]
    return np.concatenate(pictures, axis=1)


def sheet(groups: list[NDArray[np.float64]], columns: int) -> NDArray[np.float64]:
    """Return groups in so many columns."""
    blank = np.ones_like(groups[0])
    groups = groups + [blank] * (-len(groups) % columns)
    rows = [np.concatenate(groups[at : at + columns], axis=1) for at in range(0, len(groups), columns)]
    return np.concatenate(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of meshes")
    parser.add_argument("--count", type=int, default=24, help="meshes, evenly spaced in the order of their names")
    parser.add_argument("--distance", type=float, choices=DISTANCES, default=2.5, help="in 1e-3")
    parser.add_argument("--effort", choices=list(EFFORTS), default="balanced")
    parser.add_argument("--side", type=int, default=150, help="pixels along each side of a picture")
    parser.add_argument("--up", choices=get_args(Up), default="z", help="axis that points upward")
    parser.add_argument("--columns", type=int, default=3, help="groups beside each other")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what need not be made again")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    paths, code, groups = chosen(options.folder, options.count), code_digest(), []
    with showing_progress():
        stage(options.folder.name, len(paths))
        for path in paths:
            found = group(path, options, code)
            if found is not None:
                groups.append(found)
            advance(status=path.stem)
    matplotlib.image.imsave(options.out, sheet(groups, options.columns))
    print(f"wrote {options.out}, {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
