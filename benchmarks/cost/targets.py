"""Sets compressed to a size that was asked for: how near the archive comes, and at what distance.

python benchmarks/cost/targets.py sets/things sets/humans --out benchmarks/results/targets.json

The command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import torch

from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.necgs.recipe import Recipe, recipe_for
from meshset.codecs.protocol import Settings
from meshset.pipeline.compress import compress
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import KeptRows, Row, command
from benchmarks.common.meshes import largest_clean


def reached(paths: Sequence[Path], size: int, recipe: Recipe, settings: Settings) -> Row:
    """Return the bytes of the archive, and the mean of the errors that it states."""
    with TemporaryDirectory() as folder, showing_progress():
        result = compress(
            paths, Path(folder) / "set.mset", **vars(settings), codec=NecgsCodec(recipe), target_size=size
        )
    distances = [entry.mean_distance for entry in result.entries if entry.mean_distance is not None]
    return {
        "asked_bytes": size,
        "archive_bytes": result.archive_bytes,
        "miss": result.archive_bytes / size - 1,
        "mean_distance": mean(distances),
        "meshes": len(result.entries),
        "seconds": result.coding_seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", help="folders of meshes")
    parser.add_argument("--kilobytes", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--count", type=int, default=24, help="meshes of each: the clean ones with the most faces")
    parser.add_argument("--epochs", type=int, default=120, help="visits of each mesh")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    settings = Settings(resolution=options.resolution, preset="fast")
    recipe = replace(recipe_for(settings), visits=0, epochs=options.epochs)
    described = {key: getattr(options, key) for key in ("count", "epochs", "resolution")}
    kept = KeptRows(options.out, command(options.sets), described)
    for folder in options.sets:
        paths = largest_clean(folder, options.count)
        for kilobytes in options.kilobytes:
            name = f"{folder.name}, {kilobytes} KB"
            kept.add(name, partial(reached, paths, 1000 * kilobytes, recipe, settings))
            print(name, kept.rows[name])


if __name__ == "__main__":
    main()
