"""The grids that there are."""

from __future__ import annotations

from meshset.errors import ArchiveError, MeshsetError

RESOLUTIONS = (32, 64, 128, 256)


def require_resolution(resolution: int) -> None:
    """Raise MeshsetError for a resolution that a user cannot have."""
    if resolution not in RESOLUTIONS:
        *others, last = RESOLUTIONS
        raise MeshsetError(f"resolution {resolution} is not {', '.join(map(str, others))} or {last}")


def check_resolution(resolution: int) -> None:
    """Raise ArchiveError for a resolution, read from an archive, that no codec can have written."""
    if resolution not in RESOLUTIONS:
        raise ArchiveError(f"unknown resolution {resolution}")
