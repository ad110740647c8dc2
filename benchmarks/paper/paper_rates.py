"""Batch size and learning rate of codec necgs-paper where visits are few: what is a fair baseline for a small set.

python benchmarks/paper/paper_rates.py sets/things --out benchmarks/results/paper_rates.json
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from meshset.codecs.necgs_paper.codec import NecgsPaperCodec
from meshset.codecs.necgs_paper.recipe import Recipe
from meshset.codecs.protocol import Settings
from meshset.pipeline.compress import compress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, set_figures, write_json
from benchmarks.common.meshes import clean
from benchmarks.common.options import add_paper_codec

CHOICES = ((4, 1e-3), (4, 4e-3), (4, 1e-2), (2, 2e-3), (1, 1e-3), (1, 3e-3), (1, 6e-3))
"""Batch and peak learning rate; the first is that of the released code."""


def measured(files: list[Path], recipe: Recipe, settings: Settings, widths: tuple[int, ...]) -> dict[str, Any]:
    """Return the figures of the set trained with one recipe."""
    with (
        TemporaryDirectory() as folder,
        patch("meshset.codecs.necgs_paper.codec.training_recipe", lambda epochs, meshes: recipe),
    ):
        archive = Path(folder) / "set.mset"
        compress(files, archive, **vars(settings), codec=NecgsPaperCodec(widths, epochs=recipe.epochs))
        figures = set_figures(archive, files)
    kept = ("archive_bytes", "mean_distance", "worst_mean_distance", "cd", "nc", "f1_01")
    return {"batch": recipe.batch, "rate": recipe.rate, **{name: figures[name] for name in kept}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paper_codec(parser, widths="24-18-12")
    options = parser.parse_args()
    chosen = [row["file"] for row in clean(options.folder)[: options.count]]
    files = [options.folder / name for name in chosen]
    rows = []
    for batch, rate in CHOICES:
        recipe = Recipe(epochs=options.epochs, batch=batch, rate=rate)
        rows.append(measured(files, recipe, Settings(resolution=options.resolution), options.widths))
        print(rows[-1], flush=True)
    write_json(
        options.out,
        command([options.folder]),
        {"meshes": chosen, "visits": options.epochs * options.count, "rows": rows},
    )


if __name__ == "__main__":
    main()
