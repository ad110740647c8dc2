"""The two objectives of the fitting side by side: distance and seconds, each mesh in one run with one thread.

python benchmarks/quality/objectives.py sets --out benchmarks/results/objectives.json
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any, get_args

from meshset.evaluation import surface_distance
from meshset.field import compute_field, extract_surface
from meshset.field.fitting import ObjectiveName, fit_deformation
from meshset.geometry import Mesh

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.common.meshes import normalised
from benchmarks.common.running import in_processes
from benchmarks.common.thin import spread, thinnest

RESOLUTION = 64
SAMPLES = 50_000


def one(path: Path) -> dict[str, Any]:
    mesh = normalised(path)
    field, _ = compute_field(mesh, RESOLUTION)
    found: dict[str, Any] = {"tsdf": {"mean_distance": distance(mesh, field)[0], "seconds": 0.0}}
    for objective in get_args(ObjectiveName):
        start = time.perf_counter()
        fitted = fit_deformation(mesh, field, objective)
        seconds = time.perf_counter() - start
        mean, largest = distance(mesh, fitted)
        found[objective] = {"mean_distance": mean, "max_distance": largest, "seconds": seconds}
    return found


def distance(mesh: Mesh, field: Any) -> tuple[float, float]:
    recovered = Mesh(*extract_surface(field.coords, field.tsdf, RESOLUTION, field.deformation))
    return surface_distance(mesh, recovered, SAMPLES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with things and classics")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    chosen = spread(thinnest(options.data, 100), options.count)
    meshes = in_processes(one, [options.data / path for path in chosen])
    means = {
        kind: {key: statistics.fmean(mesh[kind][key] for mesh in meshes) for key in meshes[0][kind]}
        for kind in meshes[0]
    }
    ratios = {
        "render / project, mean distance": means["render"]["mean_distance"] / means["project"]["mean_distance"],
        "render / project, seconds": means["render"]["seconds"] / means["project"]["seconds"],
        "meshes where project is nearer": sum(
            mesh["project"]["mean_distance"] <= mesh["render"]["mean_distance"] for mesh in meshes
        ),
    }
    print(means, ratios)
    each = dict(zip(map(str, chosen), meshes, strict=True))
    write_json(
        options.out,
        command(data=options.data),
        {"resolution": RESOLUTION, "means": means, "ratios": ratios, "each": each},
    )


if __name__ == "__main__":
    main()
