"""What a mesh became: decoded from the bytes that are stored, placed as the archive places it, and measured."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from typing import Any

import numpy as np

from meshset.archive.boxes import Box, round_box
from meshset.codecs.protocol import MeshDecoder
from meshset.errors import ArchiveError
from meshset.evaluation import Parts, lost_parts, surface_distance
from meshset.geometry import Mesh, Placement
from meshset.geometry.diagnosis import boundary_edge_count
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import sample_surface

SAMPLES = 20_000
"""Points a surface: enough for two digits of the mean distance, in a fraction of a second."""

_FIRST_LOOK = 1_000
"""Points that tell about how exact a mesh is, before its box is rounded to that."""

_BOX_SHARE = 0.25
"""Steps of a rounded box, at most, as a share of the mean distance of its mesh: the mesh moves by an eighth of that
along an axis at most, which adds a percent of its error or less and is measured with it."""

_EXACT = 1e-5
"""Mean distance in the cube below which a box is kept as it is: whole numbers of so small steps would save nothing."""


@dataclass(frozen=True)
class Decoded:
    """A mesh that was decoded.

    Attributes:
        mesh: in the cube [-1, 1]^3, with at least one face.
        peak_memory: bytes that Python and numpy held at most while decoding it.
    """

    mesh: Mesh
    peak_memory: int


@dataclass(frozen=True)
class Measured:
    """One decoded mesh against its original; the names are those of `MeshEntry`.

    Distances are in the units of the cube [-1, 1]^3, `peak_memory` is in bytes, `box` in world units; `parts` are those
    of the original.
    """

    box: Box
    vertices: int
    faces: int
    mean_distance: float
    max_distance: float
    peak_memory: int
    open_edges: int
    parts: Parts


def measure(decoder: MeshDecoder, payload: bytes, original: Mesh, placement: Placement) -> Measured:
    """Decode `payload`, place it where the archive will, and compare it with the original there.

    Args:
        decoder: of the codec that made the payload.
        payload: the bytes that will be stored.
        original: normalised.
        placement: of the original.

    Raises:
        ArchiveError: the payload does not decode, or to nothing.
        MeshFileError: the decoded mesh has no area.
    """
    decoded = decode(decoder, payload)
    first_look = _first_look(original, decoded.mesh)
    box = rounded(placement, first_look)
    stored = Placement(*map(np.array, box))

    def placed(dtype: type[np.floating[Any]]) -> Mesh:
        return placement.normalise(stored.restore(decoded.mesh, dtype))

    dtype = stored.precision(first_look)
    mean_distance, max_distance = surface_distance(original, placed(dtype), SAMPLES)
    if stored.precision(mean_distance) is not dtype:  # readers decide by the mean distance, which was not known
        dtype = stored.precision(mean_distance)
        mean_distance, max_distance = surface_distance(original, placed(dtype), SAMPLES)
    return Measured(
        box,
        len(decoded.mesh.vertices),
        len(decoded.mesh.faces),
        mean_distance,
        max_distance,
        decoded.peak_memory,
        boundary_edge_count(decoded.mesh),
        lost_parts(original, placed(dtype)),
    )


def decode(decoder: MeshDecoder, payload: bytes) -> Decoded:
    """Decode a payload and note how much memory that takes. Raises ArchiveError where nothing comes of it."""
    traced_before = tracemalloc.is_tracing()
    if not traced_before:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        held_before, _ = tracemalloc.get_traced_memory()
        mesh = decoder.decode(payload)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        if not traced_before:
            tracemalloc.stop()
    if not len(mesh.faces):
        raise ArchiveError("nothing of its surface was left after coding")
    return Decoded(mesh, _rounded_up(peak - held_before))


def rounded(placement: Placement, error: float) -> Box:
    """Return the bounding box in world units, rounded as far as a mesh of this mean distance is inexact anyway."""
    box = _corner(placement.lower), _corner(placement.upper)
    return box if error < _EXACT else round_box(*box, _BOX_SHARE * error / placement.scale)


def _first_look(original: Mesh, decoded: Mesh) -> float:
    """Return about how far a decoded mesh is from its original, from a few points."""
    points = sample_surface(original, _FIRST_LOOK, seed=0).points
    return float(SurfaceQueries(decoded).closest(points)[0].mean())


def _corner(point: np.ndarray) -> tuple[float, float, float]:
    x, y, z = map(float, point)
    return x, y, z


def _rounded_up(peak: int) -> int:
    """Round up to three binary digits and whole MiB.

    The peak differs by a few KB from run to run; the archive made from one seed should not.
    """
    step = 1 << max(20, peak.bit_length() - 3)
    return -(-peak // step) * step
