"""What the index says about each chunk, and the rules that hold for it on writing and on reading."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from meshset.archive.names import is_one_line, validate_name
from meshset.errors import ArchiveError
from meshset.vocabulary import LONGEST_SIDE

MEBIBYTE = 1 << 20
MAX_CHUNK_BYTES = 1 << 30
"""Most bytes of one chunk; what a reader allocates for a hostile length is bounded by it."""

MAX_SHARED = 1 << 16
"""Most shared parts; they may be empty, so the size of the file does not bound their number."""

MAX_MESHES = 1 << 20
"""Most meshes; an index may say the same of all of them in a few bytes, so its size does not bound their number."""

MAX_U16 = (1 << 16) - 1
MAX_U32 = (1 << 32) - 1
MAX_U64 = (1 << 64) - 1

Corner = tuple[float, float, float]

Rung = Literal["set", "refined", "alone"]
"""How a mesh came to be stored under a bound on its error: coded as every mesh of its set; with the shared part of its
set, by more work on its own payload; by itself, with an ordinary codec."""
RUNGS: tuple[Rung, ...] = get_args(Rung)


@dataclass(frozen=True, slots=True)
class SharedEntry:
    """One part that is stored once for many meshes.

    Attributes:
        codec_id: number of the codec that reads it, as in docs/SPEC.md.
        offset: position of its first byte in the file.
        length: bytes; may be 0.
        crc32c: CRC-32C of these bytes.
    """

    codec_id: int
    offset: int
    length: int
    crc32c: int


@dataclass(frozen=True, slots=True)
class MeshEntry:
    """One mesh.

    Attributes:
        name: relative path with '/' between segments; see `validate_name`.
        codec_id: number of the codec that reads the payload, as in docs/SPEC.md.
        shared: number of the shared part that the payload needs, or None.
        offset: position of the payload's first byte in the file.
        length: bytes of the payload, at least 1.
        crc32c: CRC-32C of the payload.
        lower: smallest corner of the bounding box in world units.
        upper: largest corner of the bounding box in world units; at least one side is longer than 0.
        vertices: vertices of the decoded mesh.
        faces: triangles of the decoded mesh.
        source_vertices: vertices of the mesh that was compressed.
        source_faces: triangles of the mesh that was compressed.
        source_bytes: bytes of the mesh that was compressed, as OBJ text.
        mean_distance: mean symmetric surface distance in normalised units, or None if it was not measured.
        max_distance: maximum symmetric surface distance in normalised units, or None if it was not measured.
        peak_memory: bytes that decoding allocates at its peak, a whole number of MiB.
        notes: what was dropped, repaired or approximated, one line each.
        rung: how the mesh came to be stored under a bound on its error, or None if there was no bound.
        bound: that bound on the mean symmetric surface distance, a float32 above 0, as a share of the bounding-box
            diagonal; None if there was none.
        generation: how often the mesh was coded again from its stored form; 0 for one coded from its source.
        less_exact: whether it is clearly less exact than the set that it joined.
        open_edges: edges of only one face in the decoded mesh; 0 if it is closed.
    """

    name: str
    codec_id: int
    shared: int | None
    offset: int
    length: int
    crc32c: int
    lower: Corner
    upper: Corner
    vertices: int
    faces: int
    source_vertices: int
    source_faces: int
    source_bytes: int
    mean_distance: float | None
    max_distance: float | None
    peak_memory: int
    notes: tuple[str, ...]
    rung: Rung | None = None
    bound: float | None = None
    generation: int = 0
    less_exact: bool = False
    open_edges: int = 0

    @property
    def mean_error_of_diagonal(self) -> float | None:
        """Mean distance as a share of the bounding-box diagonal, None if it was not measured."""
        return None if self.mean_distance is None else self.mean_distance / self._diagonal

    @property
    def max_error_of_diagonal(self) -> float | None:
        """Largest distance as a share of the bounding-box diagonal, None if it was not measured."""
        return None if self.max_distance is None else self.max_distance / self._diagonal

    @property
    def _diagonal(self) -> float:
        """Diagonal of the bounding box in the cube [-1, 1]^3."""
        sides = [high - low for low, high in zip(self.lower, self.upper, strict=True)]
        longest = max(sides)
        return LONGEST_SIDE * math.hypot(*(side / longest for side in sides))

    @property
    def within_bound(self) -> bool:
        """Whether the mesh keeps its bound; also where it has none."""
        error = self.mean_error_of_diagonal
        return self.bound is None or (error is not None and error <= self.bound)


def to_float32(value: float) -> float:
    """Return the float32 nearest to `value`; infinite where it is out of range."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def bits_of_float32(value: float) -> int:
    """Return the 32 bits of a float32."""
    return int.from_bytes(struct.pack("<f", value), "little")


def float32_of_bits(bits: int) -> float:
    """Return the float32 of 32 bits."""
    return float(struct.unpack("<f", bits.to_bytes(4, "little"))[0])


def check_shared(entry: SharedEntry) -> None:
    """Raise ArchiveError unless codec and length of a shared part are in range."""
    _require(0 <= entry.codec_id <= MAX_U16, "codec id of a shared part is out of range")
    _require(0 <= entry.length <= MAX_CHUNK_BYTES, f"a shared part is longer than {MAX_CHUNK_BYTES} bytes")


def check_mesh(entry: MeshEntry, shared_count: int) -> None:
    """Raise ArchiveError unless every field of `entry`, its position aside, keeps the rules of the format."""
    validate_name(entry.name)
    reason = _objection(entry, shared_count)
    if reason:
        raise ArchiveError(f"mesh '{entry.name}' {reason}")


def check_unpacked(entry: MeshEntry) -> None:
    """Do the part of `check_mesh` that no column of an index can promise."""
    reason = _objection_to_unpacked(entry)
    if reason:
        raise ArchiveError(f"mesh '{entry.name}' {reason}")


def are_notes(lines: Iterable[str]) -> bool:
    """Return whether each of `lines` is a line of text."""
    return all(line and is_one_line(line) for line in lines)


def is_box(lower: Corner, upper: Corner) -> bool:
    """Return whether all corners and sides are finite, no side is negative and one is longer than 0."""
    x, y, z = upper[0] - lower[0], upper[1] - lower[1], upper[2] - lower[2]
    # A finite side has finite ends.
    return 0 <= x < math.inf and 0 <= y < math.inf and 0 <= z < math.inf and max(x, y, z) > 0


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ArchiveError(message)


def _objection(entry: MeshEntry, shared_count: int) -> str | None:
    if not 0 <= entry.codec_id <= MAX_U16:
        return "has a codec id out of range"
    if entry.shared is not None and not 0 <= entry.shared < shared_count:
        return "needs a shared part that does not exist"
    if not 1 <= entry.length <= MAX_CHUNK_BYTES:
        return f"has a payload of {entry.length} bytes"
    if not (0 <= entry.vertices <= MAX_U32 and 0 <= entry.faces <= MAX_U32):
        return "has a vertex or face count out of range"
    if not (0 <= entry.source_vertices <= MAX_U32 and 0 <= entry.source_faces <= MAX_U32):
        return "has a vertex or face count out of range"
    if not 0 <= entry.source_bytes <= MAX_U64:
        return "has a source size out of range"
    if not (_is_distance(entry.mean_distance) and _is_distance(entry.max_distance)):
        return "has an invalid distance"
    if not 0 <= entry.peak_memory <= MAX_U32 * MEBIBYTE:
        return "has a peak memory out of range"
    if entry.rung is not None and entry.rung not in RUNGS:
        return "has an unknown rung"
    if not are_notes(entry.notes):
        return "has a note that is not one line of text"
    if not 0 <= entry.generation <= MAX_U16:
        return "has a generation out of range"
    if not 0 <= entry.open_edges <= MAX_U32:
        return "has a number of open edges out of range"
    return _objection_to_unpacked(entry)


def _objection_to_unpacked(entry: MeshEntry) -> str | None:
    if not is_box(entry.lower, entry.upper):
        return "has an invalid bounding box"
    if (entry.rung is None) != (entry.bound is None):
        return "has a rung without a bound, or a bound without a rung"
    if entry.bound is not None and not 0 < entry.bound < math.inf:
        return "has an invalid bound"
    return None


def _is_distance(value: float | None) -> bool:
    return value is None or 0 <= value < math.inf
