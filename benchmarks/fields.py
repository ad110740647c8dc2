"""What the fields alone lose, before any network: the floor below every figure of a codec.

python benchmarks/fields.py ../shared/data/things --out benchmarks/results/fields.json
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from _common import largest_clean, write_json
from meshset.evaluation import surface_distance
from meshset.field import compute_field, extract_surface
from meshset.geometry import Mesh, Placement, read_mesh


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    meshes = [read_mesh(path).mesh for path in largest_clean(options.folder, options.count)]
    meshes = [Placement.of(mesh).normalise(mesh) for mesh in meshes]
    figures = {}
    for resolution in (32, 64, 128):
        start = time.perf_counter()
        fields = [compute_field(mesh, resolution)[0] for mesh in meshes]
        spent = time.perf_counter() - start
        distances = [
            surface_distance(mesh, Mesh(*extract_surface(field.coords, field.tsdf, resolution)), 20_000)
            for mesh, field in zip(meshes, fields, strict=True)
        ]
        figures[f"K={resolution}"] = {
            "mean_distance": statistics.fmean(mean for mean, _ in distances),
            "median_distance": statistics.median(mean for mean, _ in distances),
            "worst_mean_distance": max(mean for mean, _ in distances),
            "max_distance": statistics.fmean(largest for _, largest in distances),
            "seconds_a_mesh": spent / len(meshes),
        }
        print(resolution, figures[f"K={resolution}"])
    command = f"python benchmarks/fields.py {options.folder.name} --count {options.count} --out {options.out}"
    write_json(options.out, command, {"meshes": len(meshes), **figures})


if __name__ == "__main__":
    main()
