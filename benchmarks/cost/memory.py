"""Peak memory of compressing many meshes at K = 128, in a process of its own.

python benchmarks/cost/memory.py sets/humans --count 200 --out benchmarks/results/memory.json
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from meshset.codecs.protocol import Settings
from meshset.pipeline.compress import compress
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.common.meshes import manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = sorted(manifest(options.folder), key=lambda row: -int(row["n_faces"]))
    paths = [options.folder / row["file"] for row in rows[: options.count]]
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, showing_progress():
        settings = Settings(resolution=options.resolution, preset="fast")
        result = compress(paths, Path(folder) / "set.mset", codec="necgs", **vars(settings))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    figures = {
        "meshes": len(result.entries),
        "failures": [str(failure) for failure in result.failures],
        "source_bytes": result.source_bytes,
        "archive_bytes": result.archive_bytes,
        "mean_distance": statistics.fmean(e.mean_distance for e in result.entries if e.mean_distance is not None),
        "resolution": options.resolution,
        "peak_memory_bytes": peak,
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(figures)
    write_json(options.out, command([options.folder]), figures)


if __name__ == "__main__":
    main()
