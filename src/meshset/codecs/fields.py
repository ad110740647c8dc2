"""The first half of every codec that works on fields: meshes become fields on disk, or are refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from meshset.codecs.base import Refusal, Settings
from meshset.errors import MeshFileError
from meshset.field import compute_field
from meshset.geometry.mesh import Mesh
from meshset.progress import Progress


def make_fields(
    meshes: Sequence[Mesh], settings: Settings, folder: Path, progress: Progress
) -> list[tuple[Path, tuple[str, ...]] | Refusal]:
    """Store the field of each mesh in `folder`.

    Returns:
        For each mesh the file, to be read by `Field.load`, with one line for each repair; or why there is no field.

    Raises:
        ImportError: torch, scipy or libigl is not installed.
    """
    from meshset.field.fitting import fit_deformation

    outcomes: list[tuple[Path, tuple[str, ...]] | Refusal] = []
    progress.start("computing fields", len(meshes))
    for i in range(len(meshes)):
        try:
            mesh = meshes[i]
            field, notes = compute_field(mesh, settings.resolution)
        except MeshFileError as error:
            outcomes.append(Refusal(str(error)))
        else:
            if settings.field == "tsdf-def":
                field = fit_deformation(mesh, field)
            path = folder / f"{i}.npz"
            field.save(path)
            outcomes.append((path, notes))
        progress.advance()
    return outcomes
