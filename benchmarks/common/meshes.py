"""Meshes of a benchmark, chosen by the manifest of their folder."""

from __future__ import annotations

import csv
from pathlib import Path

from meshset.geometry import Mesh, Placement, read_mesh

MIXED = ("humans", "animals", "things")


def normalised(path: Path) -> Mesh:
    """Return a mesh file's mesh in the cube [-1, 1]^3."""
    mesh = read_mesh(path).mesh
    return Placement.of(mesh).normalise(mesh)


def largest_clean(folder: Path, count: int) -> list[Path]:
    """Return the `count` meshes with the most faces among those that the manifest flags as clean."""
    rows = [row for row in manifest(folder) if row["flag"] == "clean"]
    rows.sort(key=lambda row: -int(row["n_faces"]))
    return [folder / row["file"] for row in rows[:count]]


def members(folder: Path, count: int) -> list[Path]:
    """Return `largest_clean`, or for a folder named mixed that does not exist, a third each of three sets beside it."""
    if folder.name == "mixed" and not folder.exists():
        return [path for name in MIXED for path in largest_clean(folder.parent / name, count // len(MIXED))]
    return largest_clean(folder, count)


def manifest(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a data folder's manifest.csv."""
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))
