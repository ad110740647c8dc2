"""A decoded mesh against what the index states about it."""

from __future__ import annotations

import numpy as np

from meshset.archive import MeshEntry
from meshset.errors import ArchiveError
from meshset.geometry import Mesh, Placement
from meshset.pipeline.steps.collect import Source
from meshset.pipeline.steps.measure import SAMPLES
from meshset.vocabulary import LONGEST_SIDE

_COUNTS = 0.01
"""Share by which counts may differ: readers that round differently may cut a surface into other triangles."""

_ERROR = 0.05
"""Share by which the mean distance may differ, for the same reason."""

_ROUNDING = 1e-5
"""Distance in the cube that float32 in world units may cost."""


def check_stated(mesh: Mesh, entry: MeshEntry) -> None:
    """Compare counts and place of a mesh in world units with its entry. Raises ArchiveError where they differ.

    A mesh lies within its bounding box but for the largest error that was measured when it was made, at some points of
    it; twice that is allowed here.
    """
    for what, found, stated in (
        ("vertices", len(mesh.vertices), entry.vertices),
        ("faces", len(mesh.faces), entry.faces),
    ):
        if abs(found - stated) > _COUNTS * stated:
            raise ArchiveError(f"decodes to {found} {what}, the index states {stated}")
    if entry.max_distance is None:
        return
    lower, upper = np.array(entry.lower), np.array(entry.upper)
    unit = (upper - lower).max() / LONGEST_SIDE
    slack = (2 * entry.max_distance + _ROUNDING) * unit + 1e-6 * np.abs([lower, upper]).max()
    if (mesh.vertices < lower - slack).any() or (mesh.vertices > upper + slack).any():
        raise ArchiveError("decodes to a surface outside the bounding box that the index states")


def check_error(mesh: Mesh, entry: MeshEntry, source: Source) -> None:
    """Measure a mesh in world units against its source again.

    Raises:
        ArchiveError: it is less exact than the index states.
        MeshFileError: the source cannot be read.
    """
    from meshset.evaluation import surface_distance

    original = source.read().mesh
    placement = Placement.of(original)
    mean, _ = surface_distance(placement.normalise(original), placement.normalise(mesh), SAMPLES)
    stated = entry.mean_distance
    if stated is not None and mean > (1 + _ERROR) * stated + _ROUNDING:
        raise ArchiveError(f"has a mean error of {mean:.2e} against {source.path}, the index states {stated:.2e}")
