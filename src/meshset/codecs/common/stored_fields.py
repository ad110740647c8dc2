"""The first half of every codec that works on fields: meshes become fields on disk, or are refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from meshset.codecs.common.outcomes import joined, make_each, usable
from meshset.codecs.protocol import CodedMesh, Refusal, Settings
from meshset.errors import writing_temporary
from meshset.field import compute_field
from meshset.field.cache import FieldCache, cache_folder, field_key
from meshset.geometry.mesh import Mesh

StoredField = tuple[Path, tuple[str, ...]]
"""Where a field is stored, and the notes of making it."""


def make_fields(meshes: Sequence[Mesh], settings: Settings, folder: Path) -> list[StoredField | Refusal]:
    """Store the field of each mesh in `folder`; fields that were made before come from the cache.

    Returns:
        For each mesh the file, to be read by `Field.load`, with one line for each repair; or why there is no field.

    Raises:
        MeshsetError: `folder` cannot be written.
        ImportError: torch, scipy or libigl is not installed.
    """
    cache = FieldCache(cache_folder())

    def stored(place: int) -> StoredField:
        mesh, path = meshes[place], folder / f"{place}.npz"
        key = field_key(mesh, settings.resolution, _kind(settings))
        with writing_temporary(folder):
            notes = cache.load(key, path)
        if notes is None:
            notes = _make_field(mesh, settings, path)
            cache.store(key, path, notes)
        return path, notes

    return make_each("computing fields", range(len(meshes)), stored)


def _kind(settings: Settings) -> str:
    return settings.field if settings.objective == "project" else f"{settings.field} {settings.objective}"


def _make_field(mesh: Mesh, settings: Settings, path: Path) -> tuple[str, ...]:
    """Store the field of one mesh and return its notes. Raises MeshFileError if the grid is too coarse for it."""
    from meshset.field.fitting import fit_deformation

    field, notes = compute_field(mesh, settings.resolution)
    if settings.field == "tsdf-def":
        field = fit_deformation(mesh, field, settings.objective)
    with writing_temporary(path.parent):
        field.save(path)
    return notes


def coded_meshes(fields: Sequence[StoredField | Refusal], payloads: Sequence[bytes]) -> tuple[CodedMesh | Refusal, ...]:
    """Join the payloads of the meshes that have a field with the refusals of the others."""
    notes = [notes for _, notes in usable(fields)]
    return joined(fields, (CodedMesh(*coded) for coded in zip(payloads, notes, strict=True)))
