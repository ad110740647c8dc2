"""Seconds from a mesh file to its TSDF-Def, and how they grow with faces and with K.

python benchmarks/cost/fit_times.py sets --out benchmarks/results/fit_times.json
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from meshset.field import compute_field
from meshset.field.fitting import fit_deformation

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.common.meshes import manifest, normalised

SETS = ("things", "animals", "humans", "classics")
FACES = (1_000, 120_000)


def by_faces(data: Path, count: int) -> list[tuple[int, Path]]:
    """Return meshes, with their numbers of faces, spread evenly in the logarithm of that number."""
    rows = [(int(row["n_faces"]), data / name / row["file"]) for name in SETS for row in manifest(data / name)]
    goals = np.geomspace(*FACES, count)
    chosen: list[tuple[int, Path]] = []
    for goal in goals:
        left = [row for row in rows if row not in chosen]
        chosen.append(min(left, key=lambda row: abs(np.log(row[0] / goal))))
    return chosen


def timed(path: Path, resolution: int) -> dict[str, float]:
    start = time.perf_counter()
    mesh = normalised(path)
    field, _ = compute_field(mesh, resolution)
    sampled = time.perf_counter()
    fit_deformation(mesh, field)
    return {"field_s": sampled - start, "fit_s": time.perf_counter() - sampled, "points": len(field.coords)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    chosen = by_faces(options.data, options.count)
    timed(chosen[0][1], 32)
    rows: list[dict[str, Any]] = []
    for number, (faces, path) in enumerate(chosen):
        for resolution in (32, 64, 128, 256) if number % 8 == 2 else (128,):
            rows.append({"mesh": path.name, "faces": faces, "K": resolution, **timed(path, resolution)})
            print(rows[-1])
    at_128 = [row for row in rows if row["K"] == 128]
    totals = [row["field_s"] + row["fit_s"] for row in at_128]
    growing = [row for row in rows if sum(row["mesh"] == other["mesh"] for other in rows) > 1]
    summary = {
        "median_s at K=128": statistics.median(totals),
        "worst_s at K=128": max(totals),
        "exponent of faces": float(np.polyfit(np.log([row["faces"] for row in at_128]), np.log(totals), 1)[0]),
        "mean_s by K": {
            resolution: statistics.fmean(row["field_s"] + row["fit_s"] for row in growing if row["K"] == resolution)
            for resolution in (32, 64, 128, 256)
        },
    }
    print(summary)
    write_json(options.out, command(data=options.data), {"summary": summary, "rows": rows})


if __name__ == "__main__":
    main()
