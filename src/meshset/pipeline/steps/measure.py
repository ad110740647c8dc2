"""What a mesh became: decoded from the bytes that are stored, and measured."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

from meshset.codecs.protocol import MeshDecoder
from meshset.errors import ArchiveError
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh
from meshset.geometry.diagnosis import diagnose

SAMPLES = 20_000
"""Points a surface: enough for two digits of the mean distance, in a fraction of a second."""


@dataclass(frozen=True)
class Measured:
    """One decoded mesh against its original; the names are those of `MeshEntry`.

    Distances are in the units of the cube [-1, 1]^3, `peak_memory` is in bytes; `boundary_edges` is 0 where the decoded
    mesh is closed.
    """

    vertices: int
    faces: int
    mean_distance: float
    max_distance: float
    peak_memory: int
    boundary_edges: int


def measure(decoder: MeshDecoder, payload: bytes, original: Mesh) -> Measured:
    """Decode `payload` and compare it with `original`, both normalised.

    Raises:
        ArchiveError: the payload does not decode, or to nothing.
        MeshFileError: the decoded mesh has no area.
    """
    decoded, peak = _decode_traced(decoder, payload)
    if not len(decoded.faces):
        raise ArchiveError("nothing of its surface was left after coding")
    mean_distance, max_distance = surface_distance(original, decoded, SAMPLES)
    return Measured(
        len(decoded.vertices),
        len(decoded.faces),
        mean_distance,
        max_distance,
        _rounded_up(peak),
        diagnose(decoded).boundary_edges,
    )


def _decode_traced(decoder: MeshDecoder, payload: bytes) -> tuple[Mesh, int]:
    """Return the decoded mesh and the bytes that Python and numpy held at most while decoding it."""
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
    return mesh, peak - held_before


def _rounded_up(peak: int) -> int:
    """Round up to three binary digits and whole MiB.

    The peak differs by a few KB from run to run; the archive made from one seed should not.
    """
    step = 1 << max(20, peak.bit_length() - 3)
    return -(-peak // step) * step
