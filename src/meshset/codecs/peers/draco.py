"""Draco, the ordinary mesh codec, alone or after simplification: every mesh for itself, nothing shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import DracoPy
import numpy as np

from meshset.codecs.common.singles import SingleMeshCodec
from meshset.codecs.peers.checks import checked_mesh
from meshset.codecs.peers.simplification import simplify
from meshset.codecs.protocol import CodedMesh, Refusal, Settings
from meshset.errors import ArchiveError
from meshset.geometry import Mesh

SMALLEST = 10
"""Draco's compression level with the fewest bytes."""

MOST_BITS = 30
"""Draco's finest quantisation."""

REARRANGED = "Draco merged equal vertices or split those where the surface is not a manifold"
DROPPED = "Draco dropped faces whose corners are not three different points"


class DracoDecoder:
    """Decodes Draco bitstreams of triangle meshes."""

    def decode(self, payload: bytes) -> Mesh:
        """Return the normalised mesh, vertices (V, 3) float32.

        Raises:
            ArchiveError: the bytes are no Draco mesh.
        """
        try:
            found = DracoPy.decode(payload)
            # A point cloud has no faces.
            points, faces = np.asarray(found.points), np.asarray(found.faces)
        except Exception as error:
            # The binding lets TypeError, AttributeError and more escape for bytes that Draco half understands.
            raise ArchiveError(f"payload is not a Draco mesh ({error})") from None
        if points.ndim != 2 or faces.ndim != 2 or points.shape[1] != 3 or faces.shape[1] != 3:
            raise ArchiveError("payload is not a Draco mesh of triangles in space")
        return checked_mesh(points, faces)


@dataclass(frozen=True)
class DracoCodec(SingleMeshCodec):
    """Draco on the normalised mesh, with the quadric simplification that makes it a strong peer.

    Attributes:
        quantisation: bits of a coordinate over the longest side of the bounding box, 1 to 30.
        kept: share of the faces that simplification keeps, above 0; 1 leaves the mesh as it is.

    Raises:
        ValueError: one of the two is out of range.
    """

    id: ClassVar[int] = 2
    name: ClassVar[str] = "draco"
    decoder = DracoDecoder
    quantisation: int = 11
    kept: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.quantisation <= MOST_BITS:
            raise ValueError(f"Draco quantises to 1 to {MOST_BITS} bits, not {self.quantisation}")
        if not 0 < self.kept <= 1:
            raise ValueError(f"simplification keeps a share of the faces above 0 and up to 1, not {self.kept}")

    def parameters(self) -> dict[str, Any]:
        """Return quantisation and share of the faces kept."""
        return {"quantisation": self.quantisation, "kept": self.kept}

    def with_parameters(self, parameters: Mapping[str, Any]) -> DracoCodec:
        """Return the codec with other parameters. Raises ArchiveError for invalid ones."""
        quantisation, kept = parameters.get("quantisation", self.quantisation), parameters.get("kept", self.kept)
        if not (isinstance(quantisation, int) and isinstance(kept, int | float)):
            raise ArchiveError("states settings of Draco that are not numbers")
        try:
            return DracoCodec(quantisation, float(kept))
        except ValueError as error:
            raise ArchiveError(f"states invalid settings of Draco: {error}") from None

    def code(self, mesh: Mesh, settings: Settings) -> CodedMesh | Refusal:
        """Code a mesh. Raises MissingExtraError where a library for simplification is not installed."""
        notes: tuple[str, ...] = ()
        if self.kept < 1:
            mesh, notes = simplify(mesh, self.kept)
        try:
            payload = DracoPy.encode(
                mesh.vertices.astype(np.float32),
                mesh.faces.astype(np.uint32),
                quantization_bits=self.quantisation,
                compression_level=SMALLEST,
            )
        except DracoPy.EncodingFailedException as error:
            return Refusal(f"Draco cannot code it: {error}")
        return CodedMesh(payload, (*notes, *_changes(mesh, DracoDecoder().decode(payload))))


def _changes(mesh: Mesh, decoded: Mesh) -> tuple[str, ...]:
    """Return a note for each way in which Draco changed more than positions.

    The texts hold no numbers: an archive stores equal notes once, and the counts are in the index anyway.
    """
    notes = []
    if len(decoded.vertices) != len(np.unique(mesh.faces)):
        notes.append(REARRANGED)
    if len(decoded.faces) != len(mesh.faces):
        notes.append(DROPPED)
    return tuple(notes)
