"""Read every file of a folder with a manifest.csv and compare with what the manifest expects.

python robustness/formats.py sets/formats --out robustness/results/formats.json
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

from meshset.errors import MeshFileError
from meshset.geometry import read_mesh

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.figures import command, write_json


def read_one(path: Path) -> dict[str, Any]:
    """Return what reading `path` gave: counts and notes, or the error line without the folder."""
    try:
        reading = read_mesh(path)
    except MeshFileError as error:
        return {"error": str(error).replace(str(path), path.name)}
    except Exception as error:
        return {"crash": f"{type(error).__name__}: {error}".replace(str(path), path.name)}
    vertices, faces = len(reading.mesh.vertices), len(reading.mesh.faces)
    return {"vertices": vertices, "faces": faces, "notes": list(reading.notes)}


def expectation(row: dict[str, str]) -> dict[str, Any]:
    """Return what the manifest says of a file."""
    counts = {k: int(row[f"n_{k}_trimesh"]) for k in ("vertices", "faces") if row[f"n_{k}_trimesh"]}
    return {**counts, "result": row["trimesh_result"], "note": row["note"]}


def main() -> int:
    """Read the folder, print a table, write the JSON; 1 if a file raised anything but MeshFileError."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    with (arguments.folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    results = {r["file"]: {**read_one(arguments.folder / r["file"]), "expected": expectation(r)} for r in rows}
    for name, found in results.items():
        expected = found["expected"]
        counts = f"{found.get('vertices', '-'):>6}/{expected.get('vertices', '-'):>6} "
        counts += f"{found.get('faces', '-'):>6}/{expected.get('faces', '-'):>6}"
        text = found.get("error") or found.get("crash") or "; ".join(found["notes"])
        print(f"{name:42} {counts}  {text}")
    write_json(arguments.out, command([arguments.folder]), {"files": results})
    return int(any("crash" in found for found in results.values()))


if __name__ == "__main__":
    sys.exit(main())
