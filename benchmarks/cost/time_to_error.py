"""How long codec necgs trains to reach the error that necgs-paper ends with, in one run.

python benchmarks/cost/time_to_error.py sets/humans --out benchmarks/results/time_to_error_humans.json

First necgs-paper on the narrow band, as fast as it gets here (docs/necgs-paper.md); then necgs at growing lengths, each
with its own schedule, until the mean distance is no larger. Fields are in the cache before either starts. The command
goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from meshset.bench.plan import paper_widths
from meshset.codecs.common.stored_fields import make_fields
from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.necgs.recipe import recipe_for
from meshset.codecs.necgs_paper.codec import NecgsPaperCodec
from meshset.codecs.protocol import SetCodec, Settings
from meshset.pipeline.steps.failures import NoMeshError

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import KeptRows, Row, command
from benchmarks.common.meshes import largest_clean, normalised
from benchmarks.common.options import parsed
from benchmarks.cost.set_growth import measured

LENGTHS = (5, 7, 10, 14, 20, 28, 34, 40, 48, 56, 66, 80, 95, 120, 170, 240)


def trained(paths: Sequence[Path], codec: SetCodec, settings: Settings) -> Row:
    """Return what `measured` does; a decoder trained so short may give no mesh a surface, and then there is no file."""
    try:
        return measured(paths, codec, settings)
    except NoMeshError as error:
        return {"meshes": 0, "failures": len(error.failures)}


def reaches(row: Row, goal: Row) -> bool:
    """Whether a set lacks no mesh and is no farther and no larger than another."""
    return (
        not row["failures"]
        and row["mean_distance"] <= goal["mean_distance"]
        and row["archive_bytes"] <= goal["archive_bytes"]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of meshes")
    parser.add_argument("--count", type=int, default=24, help="meshes: the clean ones with the most faces")
    parser.add_argument("--epochs", type=int, default=120, help="visits of each mesh in training necgs-paper")
    parser.add_argument("--share", type=float, default=0.5, help="its decoder, as a share of the paper's widths")
    parser.add_argument("--resolution", type=int, default=64)
    options = parsed(parser)
    settings = Settings(resolution=options.resolution, preset="fast")
    paths = largest_clean(options.folder, options.count)
    described = {key: getattr(options, key) for key in ("count", "epochs", "share", "resolution", "threads")}
    kept = KeptRows(options.out, command([options.folder]), {"set": options.folder.name, **described})
    with TemporaryDirectory() as folder:
        make_fields([normalised(path) for path in paths], settings, Path(folder))
    paper = NecgsPaperCodec(paper_widths(options.share), epochs=options.epochs)
    kept.add("necgs-paper", lambda: measured(paths, paper, settings))
    goal = kept.rows["necgs-paper"]
    for epochs in LENGTHS:
        codec = NecgsCodec(replace(recipe_for(settings), visits=0, epochs=epochs))
        name = f"necgs, {epochs} epochs"
        kept.add(name, lambda codec=codec: trained(paths, codec, settings))
        row = kept.rows[name]
        print(f"{name}: {row}")
        if reaches(row, goal):
            print(f"{goal['seconds'] / row['seconds']:.1f} times as fast as necgs-paper")
            break


if __name__ == "__main__":
    main()
