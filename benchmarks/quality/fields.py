"""What the fields alone keep of thin and fine shapes, before any network: Table 2 of the NeCGS paper on our data.

python benchmarks/quality/fields.py sets --out benchmarks/results/fields.json
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from meshset.evaluation import compare
from meshset.field import Field, compute_field, extract_surface
from meshset.field.fitting import fit_deformation
from meshset.geometry import Mesh

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.common.meshes import normalised
from benchmarks.common.running import in_processes
from benchmarks.common.thin import thinnest

RESOLUTIONS = (64, 128)
STEP = 1 / 128
"""A deformation is not zero after quantisation if it is at least half of the paper's step, 2 / 2^8."""


def rows(mesh: Mesh, resolution: int) -> dict[str, dict[str, float]]:
    """Return the three rows of the table for one mesh."""
    field, _ = compute_field(mesh, resolution)
    fields = {
        "tsdf": field,
        "tsdf-def without L1": fit_deformation(mesh, field, sparse=False),
        "tsdf-def": fit_deformation(mesh, field),
    }
    return {name: row(mesh, made) for name, made in fields.items()}


def row(mesh: Mesh, field: Field) -> dict[str, float]:
    recovered = Mesh(*extract_surface(field.coords, field.tsdf, field.resolution, field.deformation))
    moved = float((np.abs(field.deformation) >= STEP / 2).mean())
    return {**asdict(compare(mesh, recovered)), "deformations_not_zero": moved}


def one(path: Path) -> dict[str, Any]:
    mesh = normalised(path)
    found = {f"K={resolution}": rows(mesh, resolution) for resolution in RESOLUTIONS}
    return {**found, "floor": asdict(compare(mesh, mesh))}


def mean(values: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.fmean(float(value[key]) for value in values) for key in values[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with things and classics")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    chosen = thinnest(options.data, options.count)
    meshes = in_processes(one, [options.data / path for path in chosen])
    table: dict[str, Any] = {"sampling floor": mean([mesh["floor"] for mesh in meshes])}
    for name in (f"K={resolution}" for resolution in RESOLUTIONS):
        table[name] = {kind: mean([mesh[name][kind] for mesh in meshes]) for kind in meshes[0][name]}
        table[name]["ratio of mean distances"] = (
            table[name]["tsdf-def"]["mean_distance"] / table[name]["tsdf"]["mean_distance"]
        )
    each = dict(zip(map(str, chosen), meshes, strict=True))
    write_json(options.out, command(data=options.data), {"meshes": len(meshes), "means": table, "each": each})


if __name__ == "__main__":
    main()
