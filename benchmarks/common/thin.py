"""Which meshes have thin and fine structure: a rule in place of the paper's choice by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.common.meshes import manifest, normalised
from meshset.field.grid import spacing
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import sample_surface

SETS = ("things", "classics")
VOXELS = 2 * spacing(64)
"""Thin is what is less than two voxels thick at K = 64."""


def thinnest(data: Path, count: int) -> list[Path]:
    """Return the `count` meshes with the largest share of thin surface, the thinnest first, relative to `data`.

    Of each of 2000 samples of the surface, a ray inward measures the thickness there. Meshes whose manifest flags them
    as open or no manifold are left out, since thickness means little there.
    """
    shares = {}
    for name in SETS:
        for row in manifest(data / name):
            if not {"open", "nonmanifold", "winding"} & set(row["flag"].split("+")):
                shares[Path(name) / row["file"]] = thin_share(data / name / row["file"])
    return sorted(shares, key=lambda path: (-shares[path], path))[:count]


def thin_share(path: Path) -> float:
    mesh = normalised(path)
    samples = sample_surface(mesh, 2000, seed=0)
    inside = samples.points - 1e-4 * samples.normals
    return float((SurfaceQueries(mesh).first_hit(inside, -samples.normals) < VOXELS).mean())


def spread(chosen: list[Path], count: int) -> list[Path]:
    """Return `count` of the meshes, evenly spaced."""
    return [chosen[int(place)] for place in np.linspace(0, len(chosen) - 1, count)]
