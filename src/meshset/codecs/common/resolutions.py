"""The grids that an archive may name."""

from __future__ import annotations

from meshset.errors import ArchiveError
from meshset.vocabulary import RESOLUTIONS, Resolution


def known_resolution(number: int) -> Resolution:
    """Return a resolution that was read from an archive. Raises ArchiveError for one that no codec can have written."""
    for resolution in RESOLUTIONS:
        if number == resolution:
            return resolution
    raise ArchiveError(f"unknown resolution {number}")
