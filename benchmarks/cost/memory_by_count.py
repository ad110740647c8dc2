"""Peak memory of compressing and of extracting sets of more and more generated meshes, each in a process of its own.

python benchmarks/cost/memory_by_count.py --counts 50 200 1000 --out benchmarks/results/memory_by_count.json

Training is far too short to look good, but long enough that the decoder knows where surfaces are: what it takes
for each step and each mesh is what it always takes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.necgs.recipe import Recipe
from meshset.codecs.protocol import Settings
from meshset.pipeline.compress import compress
from meshset.pipeline.extract import extract
from meshset.pipeline.sample import sample
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json

SHORT = Recipe(visits=4_000, epochs=2, rate_weight=7e-7)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--field", default="tsdf-def")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    settings = Settings(resolution=options.resolution, field=options.field)
    rows = []
    for count in options.counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source_bytes = sum(path.stat().st_size for path in sample(folder / "models", count))
            row = {
                "meshes": count,
                "source_bytes_ply": source_bytes,
                "compress": in_process(compressed, folder, settings),
                "archive_bytes": (folder / "set.mset").stat().st_size,
                "extract": in_process(extracted, folder, settings),
            }
        print(row)
        rows.append(row)
    figures = {"resolution": options.resolution, "field": options.field, "sets": rows}
    write_json(options.out, command(), figures)


def in_process(work: Callable[[Path, Settings], None], folder: Path, settings: Settings) -> dict[str, Any]:
    """Run `work` in a new process and return its peak memory and seconds."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measured, (work, folder, settings))


def measured(work: Callable[[Path, Settings], None], folder: Path, settings: Settings) -> dict[str, Any]:
    """Run `work` in this process."""
    start = time.perf_counter()
    work(folder, settings)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"peak_memory_bytes": peak, "seconds": round(time.perf_counter() - start, 1)}


def compressed(folder: Path, settings: Settings) -> None:
    with showing_progress():
        compress([folder / "models"], folder / "set.mset", **vars(settings), codec=NecgsCodec(SHORT))


def extracted(folder: Path, settings: Settings) -> None:
    extract(folder / "set.mset", output=folder / "out")


if __name__ == "__main__":
    main()
