"""Figure 4 of the key spheres paper: the surface error of NI and of key spheres over layers and nodes, as a heat map.

python benchmarks/paper/network_sizes.py sets/things sets/classics --count 4 \
    --out benchmarks/results/network_sizes.json --picture docs/network_sizes.png

Each of the 32 networks is trained for all meshes at once, about 4 seconds a mesh on one core at the default length. The
command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from meshset.codecs.implicit.codec import ImplicitCodec, NiCodec
from meshset.codecs.implicit.key_spheres import KeySpheres, KeySpheresCodec
from meshset.codecs.implicit.perceptrons import NeuralImplicit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import KeptRows, command
from benchmarks.common.networks import Measuring, add_options

LAYERS = (3, 4, 5, 6)
WIDTHS = (16, 32, 48, 64)
SYSTEMS = ("ni", "key-spheres")


def name_of(system: str, layers: int, width: int) -> str:
    return f"{system}, {layers} layers of {width}"


def codec_of(system: str, layers: int, width: int) -> ImplicitCodec:
    if system == "ni":
        return NiCodec(NeuralImplicit(layers, width))
    return KeySpheresCodec(KeySpheres(layers=layers, width=width))


def draw(rows: Mapping[str, Any], path: Path) -> None:
    """Draw the surface errors, darker the smaller, as in the paper."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    grids = [
        np.array(
            [[1e4 * rows[name_of(system, layers, width)]["surface_error"] for width in WIDTHS] for layers in LAYERS]
        )
        for system in SYSTEMS
    ]
    lowest, highest = min(map(np.min, grids)), max(map(np.max, grids))
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for panel, grid, title in zip(panels, grids, ("NI", "Key spheres, M = 128"), strict=True):
        panel.imshow(grid, cmap="viridis", vmin=lowest, vmax=highest)
        panel.set_xticks(range(len(WIDTHS)), map(str, WIDTHS))
        panel.set_yticks(range(len(LAYERS)), map(str, LAYERS))
        panel.set(title=title, xlabel="nodes of a layer", ylabel="hidden layers")
        for row, column in np.ndindex(grid.shape):
            light = (grid[row, column] - lowest) / max(highest - lowest, 1e-9) > 0.6
            colour = "black" if light else "white"
            panel.text(column, row, f"{grid[row, column]:.1f}", ha="center", va="center", color=colour)
    figure.suptitle("Surface error, times 10,000")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    measuring = Measuring(options)
    kept = KeptRows(options.out, command(options.sets), measuring.options())
    for layers in LAYERS:
        for width in WIDTHS:
            for system in SYSTEMS:
                codec = codec_of(system, layers, width)
                kept.add(name_of(system, layers, width), lambda codec=codec: measuring.measure(codec)[0])
    if options.picture:
        draw(kept.rows, options.picture)


if __name__ == "__main__":
    main()
