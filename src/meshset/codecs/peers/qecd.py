"""Quadric edge collapse decimation to a number of parameters, as the key spheres paper compares with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from meshset.codecs.common.singles import SingleMeshCodec
from meshset.codecs.peers.ply import PlyZstdDecoder, frame_of
from meshset.codecs.peers.simplification import FEWEST_FACES, simplify
from meshset.codecs.protocol import CodedMesh, Settings
from meshset.errors import ArchiveError
from meshset.geometry import Mesh

BUDGET = 7200
"""What the paper gives it in Fig. 1: "about 2400" vertices and facets, "about 7200 parameters"."""

SMALLEST_BUDGET = 3 * (4 + FEWEST_FACES)
"""A tetrahedron."""

MISSED = "could not be simplified to the requested number of parameters"

_TRIALS = 4


@dataclass(frozen=True)
class QecdCodec(SingleMeshCodec):
    """The mesh with as few vertices and faces as a budget allows, three parameters each.

    What the paper counts in float32 is stored as float32 coordinates and int32 indices in a zstd frame, as ply-zstd
    does. `DracoCodec` with `kept` below 1 is the same method with a coder that deserves it.

    Attributes:
        budget: most parameters of a mesh, 3 a vertex and 3 a face, at least `SMALLEST_BUDGET`.

    Raises:
        ValueError: the budget is smaller.
    """

    id: ClassVar[int] = 11
    name: ClassVar[str] = "qecd"
    decoder = PlyZstdDecoder
    budget: int = BUDGET

    def __post_init__(self) -> None:
        if self.budget < SMALLEST_BUDGET:
            raise ValueError(f"the smallest mesh has {SMALLEST_BUDGET} parameters, so {self.budget} are too few")

    def code(self, mesh: Mesh, settings: Settings) -> CodedMesh:
        """Code a mesh. Raises MissingExtraError where a library for simplification is not installed."""
        simple, notes = simplify_to_budget(mesh, self.budget)
        return CodedMesh(frame_of(simple), notes)

    def parameters(self) -> dict[str, Any]:
        """Return the budget."""
        return {"budget": self.budget}

    def with_parameters(self, parameters: Mapping[str, Any]) -> QecdCodec:
        """Return the codec with another budget. Raises ArchiveError for an invalid one."""
        budget = parameters.get("budget", self.budget)
        if not isinstance(budget, int) or budget < SMALLEST_BUDGET:
            raise ArchiveError("states an invalid budget of qecd")
        return QecdCodec(budget)


def parameters_of(mesh: Mesh) -> int:
    """Return what the key spheres paper counts: three coordinates a vertex and three indices a face."""
    return 3 * (len(mesh.vertices) + len(mesh.faces))


def simplify_to_budget(mesh: Mesh, budget: int) -> tuple[Mesh, tuple[str, ...]]:
    """Simplify `mesh` until it has at most `budget` parameters, or as few as can be.

    Returns:
        The mesh without unused vertices, and a note for each way in which it is not what was asked for.

    Raises:
        MissingExtraError: libigl or fast-simplification is not installed.
    """
    simple = _without_unused(mesh)
    notes: tuple[str, ...] = ()
    # A closed surface has about two faces a vertex, so two parameters in three are indices of faces.
    wanted = budget * 2 / 9
    for _ in range(_TRIALS):
        if parameters_of(simple) <= budget:
            return simple, notes
        simple, notes = simplify(mesh, wanted / len(mesh.faces))
        simple = _without_unused(simple)
        wanted *= 0.99 * budget / parameters_of(simple)
    return simple, notes if parameters_of(simple) <= budget else (*notes, MISSED)


def _without_unused(mesh: Mesh) -> Mesh:
    used, faces = np.unique(mesh.faces, return_inverse=True)
    return Mesh(mesh.vertices[used], faces.reshape(-1, 3).astype(np.int32))
