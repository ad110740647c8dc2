"""Compress the largest clean meshes of a data folder and report size, error and time.

python benchmarks/cost/real_set.py sets/things --count 24 --out benchmarks/results/things24.json
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from meshset.pipeline.compress import compress
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, set_figures, write_json
from benchmarks.common.meshes import largest_clean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    paths = largest_clean(options.folder, options.count)
    with tempfile.TemporaryDirectory() as folder, showing_progress():
        archive = Path(folder) / "set.mset"
        result = compress(paths, archive)
        figures = set_figures(archive, list(paths))
    figures["compress_seconds"] = round(result.seconds, 1)
    for key, value in figures.items():
        print(f"{key:>20} {value}")
    errors = {e.name: {"mean": e.mean_distance, "max": e.max_distance, "bytes": e.length} for e in result.entries}
    write_json(options.out, command([options.folder]), {**figures, "meshes_by_name": errors})


if __name__ == "__main__":
    main()
