"""Key spheres by their number, both branches, beside NI: errors and bytes, and pictures (Figure 7 of the paper).

python benchmarks/paper/sphere_counts.py sets/things sets/classics --count 4 \
    --out benchmarks/results/sphere_counts.json --picture docs/key_spheres.png --names bunny_hr fandisk --work spheres/

The command goes on where it was interrupted; the meshes of the pictures wait in --work.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import trimesh
from numpy.typing import NDArray

from meshset.codecs.implicit.codec import ImplicitCodec, NiCodec
from meshset.codecs.implicit.key_spheres import KeySpheres, KeySpheresCodec
from meshset.geometry import Mesh, read_mesh, write_mesh
from meshset.geometry.key_spheres import key_spheres

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import KeptRows, Row, command
from benchmarks.common.networks import Measuring, add_options
from benchmarks.common.pictures import SIDE, render

COUNTS = (32, 128, 512)
BRANCHES = ("direct", "latent")
ORIGINAL, SPHERES, DECODED = (0.72, 0.76, 0.82), (0.55, 0.75, 0.55), (0.95, 0.78, 0.45)


def systems() -> dict[str, ImplicitCodec]:
    """Return what is measured, by name."""
    return {"ni": NiCodec()} | {
        name_of(branch, count): KeySpheresCodec(KeySpheres(count, latent=latent))
        for latent, branch in enumerate(BRANCHES)
        for count in COUNTS
    }


def name_of(branch: str, count: int) -> str:
    return f"{count} spheres, {branch}"


def as_balls(spheres: NDArray[np.float64]) -> Mesh:
    """Return spheres (M, 4) as one mesh; those of radius 0 cannot be seen."""
    ball = trimesh.creation.icosphere(subdivisions=3)
    spheres = spheres[spheres[:, 3] > 0]
    vertices = spheres[:, None, :3] + spheres[:, None, 3:] * ball.vertices
    faces = ball.faces + len(ball.vertices) * np.arange(len(spheres))[:, None, None]
    return Mesh(vertices.reshape(-1, 3), faces.reshape(-1, 3).astype(np.int32))


def picture(mesh: Mesh, decoded: dict[str, Mesh]) -> NDArray[np.float64]:
    """Return two rows: the original and its spheres, and what NI and the direct branch make of it."""
    found = key_spheres(mesh, max(COUNTS))
    above = [render(mesh, ORIGINAL), *(render(as_balls(found[:count]), SPHERES) for count in COUNTS)]
    below = [render(one, DECODED) if len(one.faces) else np.ones((SIDE, SIDE, 3)) for one in decoded.values()]
    return np.concatenate([np.concatenate(above, axis=1), np.concatenate(below, axis=1)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--names", nargs="+", default=[], help="meshes of the pictures")
    parser.add_argument("--work", type=Path, default=Path("sphere-counts"))
    options = parser.parse_args()
    measuring = Measuring(options)
    unknown = set(options.names) - set(measuring.meshes)
    if unknown:
        raise SystemExit(f"no such mesh: {', '.join(unknown)}; there are {', '.join(measuring.meshes)}")
    kept = KeptRows(options.out, command(options.sets), measuring.options())

    def row(name: str, codec: ImplicitCodec) -> Row:
        figures, decoded = measuring.measure(codec)
        for mesh in options.names:
            path = options.work / name / f"{mesh}.ply"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_mesh(decoded[mesh], path)
        return figures

    for name, codec in systems().items():
        kept.add(name, lambda name=name, codec=codec: row(name, codec))
    if options.picture:
        shown = ["ni", *(name_of("direct", count) for count in COUNTS)]
        rows = [
            picture(
                measuring.meshes[mesh], {name: read_mesh(options.work / name / f"{mesh}.ply").mesh for name in shown}
            )
            for mesh in options.names
        ]
        matplotlib.image.imsave(options.picture, np.concatenate(rows))


if __name__ == "__main__":
    main()
