"""The meshes of a benchmark, chosen by faces and defects."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from meshset.geometry import Mesh, Placement, read_mesh
from meshset.geometry.diagnosis import diagnose
from meshset.pipeline.steps.collect import collect
from meshset.pipeline.steps.failures import FailureLog
from meshset.pipeline.steps.prepare import MeshSpool, PreparedMesh, prepare_meshes

MANIFEST = "manifest.csv"

MIXED = ("humans", "animals", "things")


def normalised(path: Path) -> Mesh:
    """Return a mesh file's mesh in the cube [-1, 1]^3."""
    mesh = read_mesh(path).mesh
    return Placement.of(mesh).normalise(mesh)


def largest_clean(folder: Path, count: int) -> list[Path]:
    """Return the `count` meshes with the most faces among those without defects."""
    rows = clean(folder)
    rows.sort(key=lambda row: -int(row["n_faces"]))
    return [folder / row["file"] for row in rows[:count]]


def clean(folder: Path) -> list[dict[str, str]]:
    """Return the rows of `manifest` of meshes without defects."""
    return [row for row in manifest(folder) if row["flag"] == "clean"]


def members(folder: Path, count: int) -> list[Path]:
    """Return `largest_clean`, or for a folder named mixed that does not exist, a third each of three sets beside it."""
    if folder.name == "mixed" and not folder.exists():
        return [path for name in MIXED for path in largest_clean(folder.parent / name, count // len(MIXED))]
    return largest_clean(folder, count)


@cache
def manifest(folder: Path) -> list[dict[str, str]]:
    """Return a row for each mesh of a folder: file, n_vertices, n_faces and flag, from its manifest.csv if it has one.

    Else every mesh is read. The flag is "clean", or what is wrong joined by "+": nonmanifold, open, winding, and multi
    for several parts. Meshes that cannot be read are left out.
    """
    if (folder / MANIFEST).exists():
        with (folder / MANIFEST).open(newline="") as file:
            return list(csv.DictReader(file))
    log = FailureLog()
    sources = collect([folder], log).sources
    rows = [_row(folder, mesh) for mesh in prepare_meshes(sources, MeshSpool(), log)]
    for failure in log.failures:
        print(failure)
    return rows


def _row(folder: Path, mesh: PreparedMesh) -> dict[str, str]:
    found = diagnose(mesh.load())
    present = {
        "nonmanifold": found.nonmanifold_edges > 0,
        "open": found.boundary_edges > 0,
        "winding": not found.winding_consistent,
        "multi": found.components > 1,
    }
    return {
        "file": mesh.path.relative_to(folder).as_posix(),
        "n_vertices": str(found.vertices),
        "n_faces": str(found.faces),
        "flag": "+".join(flag for flag, wrong in present.items() if wrong) or "clean",
    }
