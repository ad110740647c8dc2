"""One ablation of the paper on a set of meshes, into one JSON file: bytes, metrics, seconds.

python benchmarks/paper/ablate.py ssim sets/animals --out benchmarks/results/ablation_ssim.json

NAME is resolutions (Table 3, codec necgs), resolutions-paper (Table 3, the paper's configuration), autoencoder (Figure
9a), ssim (Figure 9b) or quantisation (in training against after it). What is done stays in --work, so that an
interrupted run goes on, points that several ablations share are made once, and `meshset report WORK` draws the curves
and pictures of the last one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from meshset.bench.coders import ArchiveCoder
from meshset.bench.plan import (
    FIELD_SECONDS,
    STEP_SECONDS,
    PlannedPoint,
    System,
    paper_seconds,
    paper_widths,
)
from meshset.bench.run import bench, prepare
from meshset.bench.selection import choose_from_folder
from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.necgs.recipe import recipe_for
from meshset.codecs.necgs_paper.codec import NecgsPaperCodec
from meshset.codecs.protocol import Settings
from meshset.errors import MeshsetError
from meshset.progress import tell
from meshset.progress.bars import showing_progress
from meshset.text import duration

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.condensed import condensed
from benchmarks.common.figures import command, write_json
from benchmarks.paper.ablations.variants import AUTO_ENCODER, PAPER, POST_TRAINING, WITHOUT_SSIM, Variant, VariantCoder

SHARES = (0.75, 0.5, 0.375, 0.25, 0.1875)
"""Decoders, as shares of the paper's widths."""

EXACT = "dense"
"""In float32: weights that are not quantised would be rounded by anything less."""


def variant_point(label: str, variant: Variant, settings: Settings, epochs: int | None, **codec: Any) -> PlannedPoint:
    """Return a point of codec necgs-paper with a change; `codec` are parameters of the codec."""
    made = NecgsPaperCodec(epochs=epochs, **codec)
    return PlannedPoint(label, VariantCoder(made, settings, variant), partial(paper_seconds, settings, made))


def necgs_point(settings: Settings, epochs: int | None) -> PlannedPoint:
    """Return a point of codec necgs, named by its resolution."""
    recipe = recipe_for(settings)
    if epochs is not None:
        recipe = replace(recipe, visits=0, epochs=epochs)
    k = settings.resolution

    def expected(meshes: int) -> float:
        return FIELD_SECONDS[k] * meshes + STEP_SECONDS[k] * recipe.steps(meshes)

    return PlannedPoint(f"K = {k}", ArchiveCoder(NecgsCodec(recipe), settings), expected)


def by_resolution(options: argparse.Namespace, settings: Settings) -> tuple[System, ...]:
    """Return Table 3 of codec necgs."""
    grids = (replace(settings, resolution=k) for k in options.resolutions)
    return (System("necgs", tuple(necgs_point(grid, options.epochs) for grid in grids)),)


def by_resolution_paper(options: argparse.Namespace, settings: Settings) -> tuple[System, ...]:
    """Return Table 3 of codec necgs-paper, which leaves off a block for each halving of K."""
    grids = (replace(settings, resolution=k) for k in options.resolutions)
    points = (variant_point(f"K = {grid.resolution}", PAPER, grid, options.epochs) for grid in grids)
    return (System(PAPER.name, tuple(points)),)


def by_variant(variant: Variant, engine: str, options: argparse.Namespace, settings: Settings) -> tuple[System, ...]:
    """Return the curves of codec necgs-paper as it is and with a change, over decoders of the same sizes."""

    def points(one: Variant) -> Iterator[PlannedPoint]:
        for share in SHARES:
            widths, label = paper_widths(share), f"{share:g} of the widths"
            yield variant_point(label, one, settings, options.epochs, widths=widths, engine=engine)

    return tuple(System(one.name, tuple(points(one))) for one in (PAPER, variant))


ABLATIONS: dict[str, Callable[[argparse.Namespace, Settings], tuple[System, ...]]] = {
    "resolutions": by_resolution,
    "resolutions-paper": by_resolution_paper,
    "autoencoder": partial(by_variant, AUTO_ENCODER, NecgsPaperCodec.engine),
    "ssim": partial(by_variant, WITHOUT_SSIM, NecgsPaperCodec.engine),
    "quantisation": partial(by_variant, POST_TRAINING, EXACT),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=ABLATIONS, metavar="NAME")
    parser.add_argument("set", type=Path, help="a folder of meshes; meshset sample makes one")
    parser.add_argument("--count", type=int, default=8, help="meshes of it, chosen as meshset bench does")
    parser.add_argument("--resolution", type=int, default=32, help="K, where it is not what varies")
    parser.add_argument("--resolutions", type=int, nargs="+", default=[32, 64, 128], help="K, where it is")
    parser.add_argument("--epochs", type=int, help="visits of each mesh; those of preset fast if not given")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("ablations.work"), help="where points are kept")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    settings = Settings(options.resolution, preset="fast", device=options.device, seed=options.seed)
    made = command([options.set])
    with showing_progress():
        try:
            selection = choose_from_folder(options.set, options.count, options.seed)
            plan = partial(ABLATIONS[options.name], options)
            job = prepare([selection], plan, options.work, settings)
            left = job.outlook()
            tell(f"{left.points} points, {left.kept} on disk already; about {duration(left.seconds)} on one CPU core")
            (one,) = bench(job, made)["sets"]
        except MeshsetError as error:
            raise SystemExit(str(error)) from None
    write_json(options.out, made, condensed(one))


if __name__ == "__main__":
    main()
