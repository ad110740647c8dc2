"""What a field alone keeps of a mesh, without any network."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from meshset.codecs.protocol import Settings
from meshset.evaluation import lost_parts, surface_distance
from meshset.field import compute_field, extract_surface
from meshset.geometry import Mesh, Placement, read_mesh, write_mesh
from meshset.pipeline.steps.draft import loss_notes
from meshset.pipeline.steps.measure import SAMPLES
from meshset.pipeline.steps.outputs import require_apart
from meshset.pipeline.steps.requirements import require_modules
from meshset.text import figure, printable
from meshset.vocabulary import FieldKind, Objective, Resolution


@dataclass(frozen=True, repr=False)
class FitResult:
    """What `fit` made.

    Attributes:
        path: the file that was written.
        faces: triangles of the mesh that was written.
        mean_distance: mean symmetric distance to the original, in the cube [-1, 1]^3.
        max_distance: largest distance of the samples, likewise.
        notes: what was dropped, repaired, lost or is in doubt.
    """

    path: Path
    faces: int
    mean_distance: float
    max_distance: float
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{printable(str(self.path))}: {self.faces} faces, mean distance {figure(self.mean_distance)}, max "
            f"distance {figure(self.max_distance)} in the cube [-1, 1]^3"
        )

    __repr__ = __str__


def fit(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    resolution: Resolution = 64,
    field: FieldKind = "tsdf-def",
    objective: Objective = "project",
) -> FitResult:
    """Write the mesh that is recovered from the field of one mesh file.

    Args:
        path: the mesh file.
        output: the file to write; its suffix chooses the format.
        resolution: K, grid points along each side of the cube.
        field: whether grid points may move.
        objective: what moving grid points are fitted by.

    Raises:
        UsageError: `output` is the mesh file itself.
        MeshFileError: a file cannot be read or written, or the mesh is too thin for the grid.
        MissingExtraError: the 'compress' extra is not installed.

    >>> fit("models/bunny.ply", "bunny32.ply", resolution=32).mean_distance < 0.01
    True
    """
    require_apart(output, [path])
    require_modules("fitting", "compress", ("torch", "igl", "scipy"))
    from meshset.field.fitting import fit_deformation

    settings = Settings(resolution, field, objective=objective)
    reading = read_mesh(Path(path))
    placement = Placement.of(reading.mesh)
    original = placement.normalise(reading.mesh)
    found, notes = compute_field(original, settings.resolution)
    if settings.field == "tsdf-def":
        found = fit_deformation(original, found, settings.objective)
    recovered = Mesh(*extract_surface(found.coords, found.tsdf, settings.resolution, found.deformation))
    write_mesh(placement.restore(recovered), Path(output))
    mean, largest = surface_distance(original, recovered, SAMPLES)
    notes = (*reading.notes, *notes, *loss_notes(lost_parts(original, recovered)))
    return FitResult(Path(output), len(recovered.faces), mean, largest, notes)
