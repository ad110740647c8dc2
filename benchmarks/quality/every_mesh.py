"""Fit a TSDF-Def to every mesh of whole folders, broken ones too: what crashes, what is refused, what is worst.

python benchmarks/quality/every_mesh.py sets/things sets/animals --out benchmarks/results/every_mesh.json
"""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path
from typing import Any

from meshset.errors import MeshsetError
from meshset.evaluation import surface_distance
from meshset.field import Field, compute_field, extract_surface
from meshset.field.buried import buried_share
from meshset.field.fitting import fit_deformation
from meshset.geometry import Mesh, Placement, read_mesh
from meshset.geometry.diagnosis import boundary_edge_count, diagnose
from meshset.geometry.queries import SurfaceQueries

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.common.meshes import manifest, normalised
from benchmarks.common.running import in_processes
from benchmarks.common.thin import thin_share

RESOLUTION = 64
SAMPLES = 20_000
WORST = 10


def one(path: Path) -> dict[str, Any]:
    try:
        return fitted(path)
    except MeshsetError as error:
        return {"refused": str(error)}
    except Exception:
        return {"crashed": traceback.format_exc(limit=3)}


def fitted(path: Path) -> dict[str, Any]:
    mesh = normalised(path)
    plain, _ = compute_field(mesh, RESOLUTION)
    surface = extracted(fit_deformation(mesh, plain))
    mean, largest = surface_distance(mesh, surface, SAMPLES)
    return {"mean_distance": mean, "max_distance": largest, "open_edges": boundary_edge_count(surface)}


def extracted(field: Field) -> Mesh:
    return Mesh(*extract_surface(field.coords, field.tsdf, RESOLUTION, field.deformation))


def explained(path: Path) -> dict[str, Any]:
    """Return what may have caused a large distance."""
    reading = read_mesh(path)
    mesh = Placement.of(reading.mesh).normalise(reading.mesh)
    plain, notes = compute_field(mesh, RESOLUTION)
    return {
        "buried_share": buried_share(mesh, SurfaceQueries(mesh), RESOLUTION),
        "tsdf_mean_distance": surface_distance(mesh, extracted(plain), SAMPLES)[0],
        "thin_share": thin_share(path),
        "defects": diagnose(mesh).defects(),
        "notes": (*reading.notes, *notes),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    paths = [folder / row["file"] for folder in options.folders for row in manifest(folder)]
    sources = {f"{path.parent.name}/{path.name}": path for path in paths}
    rows = dict(zip(sources, in_processes(one, paths), strict=True))
    made = {name: row for name, row in rows.items() if "mean_distance" in row}
    worst = sorted(made, key=lambda name: -made[name]["mean_distance"])[:WORST]
    figures = {
        "meshes": len(rows),
        "fitted": len(made),
        "refused": {name: row["refused"] for name, row in rows.items() if "refused" in row},
        "crashed": {name: row["crashed"] for name, row in rows.items() if "crashed" in row},
        "come back open": [name for name, row in made.items() if row["open_edges"]],
        "worst": {name: {**made[name], **explained(sources[name])} for name in worst},
        "each": {name: made[name]["mean_distance"] for name in made},
    }
    print({key: value for key, value in figures.items() if key not in ("each", "worst")})
    write_json(options.out, command(options.folders), figures)


if __name__ == "__main__":
    main()
