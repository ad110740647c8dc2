"""Ways to code one mesh by itself within a distance: whichever takes the fewest bytes is stored.

A new way is a class with a codec and `smallest`, listed in `CANDIDATES`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from meshset.codecs.common.crossing import Crossing
from meshset.codecs.control_mesh.codec import ControlMeshCodec
from meshset.codecs.peers.draco import DracoCodec, DracoDecoder
from meshset.codecs.peers.simplification import FEWEST_FACES
from meshset.codecs.protocol import CodedMesh, Refusal, SetCodec, Settings
from meshset.evaluation import lost_parts
from meshset.geometry import Mesh
from meshset.pipeline.steps.bound import Bound
from meshset.progress import Silent, listening

if TYPE_CHECKING:
    from meshset.codecs.control_mesh.coarse import Coarse
    from meshset.codecs.control_mesh.fitting import Original

BITS = range(5, 21)
"""Quantisations of Draco that are tried."""

KEPT = 0.7
"""Share of the faces that each simplification keeps of the one before."""

_FIRST, _TRIES = 600, 8
"""Faces of the first simplification for Draco; how often their number is tried."""

_ROOM = 0.8
"""Share of the distance that simplification may use up before Draco rounds positions."""


@dataclass(frozen=True)
class Wanted:
    """What a mesh shall come back as.

    Attributes:
        mesh: the original, normalised.
        bound: on its distances, in the cube.
        settings: of the set.
        original: the mesh as what others are judged by.
        coarse: simplified versions of the mesh.
    """

    mesh: Mesh
    bound: Bound
    settings: Settings
    original: Original
    coarse: Coarse

    @classmethod
    def of(cls, mesh: Mesh, bound: Bound, settings: Settings) -> Wanted:
        """Return what a normalised mesh shall come back as within a bound in the cube."""
        from meshset.codecs.control_mesh.coarse import Coarse
        from meshset.codecs.control_mesh.fitting import Original

        return cls(mesh, bound, settings, Original(mesh, bound.mean / bound.largest), Coarse(mesh))

    def nearer(self, share: float) -> Wanted:
        """Return the same with bounds that are so many times lower."""
        return replace(self, bound=Bound(share * self.bound.mean, share * self.bound.largest))

    def met_by(self, mesh: Mesh) -> bool:
        """Whether a mesh is near enough and has all the parts."""
        return self.original.distance(mesh) <= self.bound.mean and not lost_parts(self.mesh, mesh).lost


class Candidate(Protocol):
    """One way.

    Attributes:
        codec: what decodes its payloads.
    """

    @property
    def codec(self) -> SetCodec: ...

    def smallest(self, wanted: Wanted) -> CodedMesh | None:
        """Return the fewest bytes that meet what is wanted, None where none do.

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
        coded = ControlMeshCodec().within(wanted.original, wanted.coarse, wanted.bound.mean, wanted.settings.preset)
        return None if isinstance(coded, Refusal) else coded


class SimplifiedDraco:
    """Draco, after as much simplification as leaves the fewest bytes."""

    @property
    def codec(self) -> SetCodec:
        """Return the codec."""
        return DracoCodec()

    def smallest(self, wanted: Wanted) -> CodedMesh | None:
        """Simplify about as far as the distance allows, then less for as long as that takes fewer bytes."""
        whole = len(wanted.mesh.faces)
        faces, bits = _fewest_faces(wanted), BITS[len(BITS) // 2]
        best: CodedMesh | None = None
        while True:
            simple, changed = wanted.coarse.of(faces)
            found = _coarsest_draco(wanted, simple, bits)
            if found is not None and (best is None or len(found[1].payload) < len(best.payload)):
                bits, coded = found
                share = len(simple.faces) / whole
                told = (f"simplified to {share:.0%} of its faces",) if share < 1 else ()
                best = CodedMesh(coded.payload, (*changed, *told, *coded.notes))
            elif best is not None:
                return best
            if faces >= whole:
                return best
            faces = min(whole, math.ceil(faces / KEPT))


CANDIDATES: tuple[Candidate, ...] = (ControlMeshes(), SimplifiedDraco())


def _fewest_faces(wanted: Wanted) -> int:
    """Return about how few faces leave room for rounding."""
    whole = len(wanted.mesh.faces)
    crossing, faces, tried = Crossing(1.0), min(_FIRST, whole), set[int]()
    while faces not in tried and len(tried) < _TRIES:
        tried.add(faces)
        simple, _ = wanted.coarse.of(faces)
        distance = wanted.original.distance(simple)
        crossing.add(math.log(len(simple.faces)), math.log(max(distance, 1e-12) / (_ROOM * wanted.bound.mean)))
        faces = min(max(round(math.exp(crossing.next())), FEWEST_FACES), whole)
    return whole if crossing.within is None else round(math.exp(crossing.within[0]))


def _coarsest_draco(wanted: Wanted, simple: Mesh, near: int) -> tuple[int, CodedMesh] | None:
    """Return the fewest bits of a coordinate, from `near` on, by which `simple` meets what is wanted, and its bytes."""
    met: dict[int, CodedMesh] = {}
    bits, step = near, 0
    while bits in BITS:
        coded = coded_alone(DracoCodec(bits), simple)
        if isinstance(coded, Refusal):
            return None
        if wanted.met_by(DracoDecoder().decode(coded.payload)):
            met[bits] = coded
        if step and (bits in met) != (step < 0):
            break
        step = -1 if bits in met else 1
        bits += step
    return min(met.items(), default=None, key=lambda pair: pair[0])


def coded_alone(codec: SetCodec, mesh: Mesh) -> CodedMesh | Refusal:
    """Return what a codec makes of one normalised mesh, without a word."""
    with listening(Silent()):
        return codec.compress([mesh], Settings()).meshes[0]
