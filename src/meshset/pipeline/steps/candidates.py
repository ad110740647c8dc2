"""Ways to code one mesh by itself within a distance: whichever takes the fewest bytes is stored.

A new way is a class with a name and `smallest`, listed in `CANDIDATES`; the more a way usually saves, the earlier it
stands there, for what it takes is the limit of those after it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Protocol

from meshset.codecs.control_mesh.codec import ControlMeshCodec
from meshset.codecs.peers.draco import DracoCodec
from meshset.codecs.peers.simplification import simplify
from meshset.codecs.protocol import CodedMesh, Refusal, SetCodec, Settings
from meshset.errors import MeshFileError
from meshset.evaluation import lost_parts, surface_distance
from meshset.geometry import Mesh
from meshset.pipeline.steps.measure import SAMPLES
from meshset.progress import Silent, listening

BITS = range(5, 21)
"""Quantisations of Draco that are tried."""

KEPT = 0.7
"""Share of the faces that each simplification keeps of the one before."""


@dataclass(frozen=True)
class Wanted:
    """What a mesh shall come back as.

    Attributes:
        mesh: the original, normalised.
        distance: bound on the mean symmetric surface distance, in the cube.
        limit: bytes that a payload must stay below to be of use.
        settings: of the set.
    """

    mesh: Mesh
    distance: float
    limit: float
    settings: Settings

    def met_by(self, mesh: Mesh) -> bool:
        """Whether a mesh is near enough and has all the parts."""
        try:
            return (
                surface_distance(self.mesh, mesh, SAMPLES)[0] <= self.distance and not lost_parts(self.mesh, mesh).lost
            )
        except MeshFileError:  # so coarse that no area is left
            return False


class Candidate(Protocol):
    """One way.

    Attributes:
        codec: what decodes its payloads.
    """

    @property
    def codec(self) -> SetCodec: ...

    def smallest(self, wanted: Wanted) -> CodedMesh | None:
        """Return the fewest bytes that meet what is wanted, None where none below the limit do.

        May raise MeshsetError where the mesh cannot be coded at all.
        """
        ...


class ControlMeshes:
    """The smallest control mesh."""

    @property
    def codec(self) -> SetCodec:
        """Return the codec."""
        return ControlMeshCodec()

    def smallest(self, wanted: Wanted) -> CodedMesh | None:
        """Search for the control mesh of fewest bytes."""
        coded = ControlMeshCodec().within(wanted.mesh, wanted.distance, wanted.settings.preset)
        if isinstance(coded, Refusal) or len(coded.payload) >= wanted.limit:
            return None
        return coded


class SimplifiedDraco:
    """Draco, after as much simplification as leaves the fewest bytes."""

    @property
    def codec(self) -> SetCodec:
        """Return the codec."""
        return DracoCodec()

    def smallest(self, wanted: Wanted) -> CodedMesh | None:
        """Simplify step by step for as long as the distance is kept, each at its coarsest quantisation."""
        best: CodedMesh | None = None
        limit, simple = wanted.limit, wanted.mesh
        notes: tuple[str, ...] = ()
        while True:
            least = coded_alone(DracoCodec(BITS[0]), simple)
            if isinstance(least, Refusal):
                return best
            if len(least.payload) < limit:
                found = _coarsest_draco(wanted, simple)
                if found is None:
                    return best  # nor will fewer faces do
                if len(found.payload) < limit:
                    share = len(simple.faces) / len(wanted.mesh.faces)
                    told = (f"simplified to {share:.0%} of its faces",) if share < 1 else ()
                    best, limit = CodedMesh(found.payload, (*notes, *told, *found.notes)), len(found.payload)
            fewer, changed = simplify(simple, KEPT)
            if len(fewer.faces) >= len(simple.faces):
                return best  # a mesh of so few faces that none can go
            simple, notes = fewer, notes or changed


CANDIDATES: tuple[Candidate, ...] = (ControlMeshes(), SimplifiedDraco())


def _coarsest_draco(wanted: Wanted, simple: Mesh) -> CodedMesh | None:
    """Return `simple` at the coarsest quantisation that meets what is wanted, or None."""
    decoder = DracoCodec().open(b"")

    def keeps(bits: int) -> bool:
        coded = coded_alone(DracoCodec(bits), simple)
        return not isinstance(coded, Refusal) and wanted.met_by(decoder.decode(coded.payload))

    place = bisect_left(BITS, True, key=keeps)
    if place == len(BITS):
        return None
    coded = coded_alone(DracoCodec(BITS[place]), simple)
    return None if isinstance(coded, Refusal) else coded


def coded_alone(codec: SetCodec, mesh: Mesh) -> CodedMesh | Refusal:
    """Return what a codec makes of one normalised mesh, without a word."""
    with listening(Silent()):
        return codec.compress([mesh], Settings()).meshes[0]
