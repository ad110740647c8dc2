"""Archives of the default by number of meshes, beside those of codec necgs, the default before, at equal mean distance.

python benchmarks/cost/default_growth.py sets/humans --out benchmarks/results/default_growth_humans.json

The meshes and their order are those of benchmarks/cost/set_growth.py, whose figures of codec necgs and of Draco after
simplification are taken as they are. Where there are none, the default keeps its own bound. The command goes on where
it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from meshset.codecs.control_mesh.codec import DEFAULT_ERROR, diagonal
from meshset.pipeline.compress import compress
from meshset.pipeline.summary import summarise
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import ROOT, KeptRows, Row, command
from benchmarks.common.meshes import normalised
from benchmarks.common.options import parsed
from benchmarks.cost.set_growth import clean_in_random_order

FEW = (1, 8)
"""Numbers of meshes that are packed, beside those of the other figures."""


def packed(paths: Sequence[Path], before: Row | None) -> Row:
    """Return the figures of an archive of the default whose mean distance is about that of another."""
    diagonals = mean(diagonal(normalised(path)) for path in paths)
    bound = DEFAULT_ERROR if before is None else before["mean_distance"] / diagonals
    with TemporaryDirectory() as folder, showing_progress():
        archive = Path(folder) / "set.mset"
        result = compress(paths, archive, max_error=bound)
        takes = summarise(archive).settings["report"]["would_take"]
    distances = [entry.mean_distance for entry in result.entries if entry.mean_distance is not None]
    draco = None if before is None else before.get("draco_bytes_a_mesh")
    return {
        "meshes": len(result.entries),
        "bound": bound,
        "archive_bytes": result.archive_bytes,
        "mean_distance": mean(distances),
        "mean_error_of_diagonal": mean(error for entry in result.entries if (error := entry.mean_error_of_diagonal)),
        "would_take": takes,
        "seconds": result.coding_seconds,
        "necgs_bytes": None if before is None else before["archive_bytes"],
        "necgs_distance": None if before is None else before["mean_distance"],
        "draco_bytes": None if draco is None else draco * len(result.entries),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of meshes")
    options = parsed(parser)
    growth = json.loads((ROOT / f"benchmarks/results/growth_{options.folder.name}.json").read_text())
    before = {row["meshes"]: row for name, row in growth["rows"].items() if name.startswith("necgs")}
    paths = clean_in_random_order(options.folder, seed=0)
    kept = KeptRows(options.out, command([options.folder]), {"set": options.folder.name})
    for count in sorted({*FEW, *before}):
        kept.add(f"{count} meshes", lambda count=count: packed(paths[:count], before.get(count)))
        print(kept.rows[f"{count} meshes"])


if __name__ == "__main__":
    main()
