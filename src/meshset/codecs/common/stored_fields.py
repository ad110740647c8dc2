"""The first half of every codec that works on fields: meshes become fields on disk, or are refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from meshset.codecs.protocol import CodedMesh, Refusal, Settings
from meshset.errors import MeshFileError
from meshset.field import compute_field
from meshset.field.cache import FieldCache, cache_folder, field_key
from meshset.geometry.mesh import Mesh
from meshset.progress import advance, stage

Outcome = tuple[Path, tuple[str, ...]] | Refusal
"""A stored field and the notes of making it, or why there is none."""


def make_fields(meshes: Sequence[Mesh], settings: Settings, folder: Path) -> list[Outcome]:
    """Store the field of each mesh in `folder`; fields that were made before come from the cache.

    Returns:
        For each mesh the file, to be read by `Field.load`, with one line for each repair; or why there is no field.

    Raises:
        ImportError: torch, scipy or libigl is not installed.
    """
    cache = FieldCache(cache_folder())
    outcomes: list[Outcome] = []
    stage("computing fields", len(meshes))
    for i in range(len(meshes)):
        try:
            mesh, path = meshes[i], folder / f"{i}.npz"
            key = field_key(mesh, settings.resolution, _kind(settings))
            notes = cache.load(key, path)
            if notes is None:
                notes = _make_field(mesh, settings, path)
                cache.store(key, path, notes)
            outcomes.append((path, notes))
        except MeshFileError as error:
            outcomes.append(Refusal(str(error)))
        advance()
    return outcomes


def _kind(settings: Settings) -> str:
    return settings.field if settings.objective == "project" else f"{settings.field} {settings.objective}"


def _make_field(mesh: Mesh, settings: Settings, path: Path) -> tuple[str, ...]:
    """Store the field of one mesh and return its notes. Raises MeshFileError if the grid is too coarse for it."""
    from meshset.field.fitting import fit_deformation

    field, notes = compute_field(mesh, settings.resolution)
    if settings.field == "tsdf-def":
        field = fit_deformation(mesh, field, settings.objective)
    field.save(path)
    return notes


def coded_meshes(outcomes: Sequence[Outcome], payloads: Sequence[bytes]) -> tuple[CodedMesh | Refusal, ...]:
    """Join the payloads of the meshes that have a field with the refusals of the others."""
    left = iter(payloads)
    return tuple(outcome if isinstance(outcome, Refusal) else CodedMesh(next(left), outcome[1]) for outcome in outcomes)
