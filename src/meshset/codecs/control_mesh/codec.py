"""Control meshes: few vertices, fitted to the original, that make a smooth or a flat surface."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from meshset.codecs.common.singles import SingleMeshCodec
from meshset.codecs.common.torch_guard import torch_needed
from meshset.codecs.control_mesh.surface import surface_of
from meshset.codecs.protocol import CodedMesh, Refusal, Settings
from meshset.errors import ArchiveError
from meshset.geometry import Mesh
from meshset.vocabulary import Preset

if TYPE_CHECKING:
    from meshset.codecs.control_mesh.coarse import Coarse
    from meshset.codecs.control_mesh.fitting import Original

DEFAULT_ERROR = 0.001
"""Also the bound where the codec is chosen for each mesh and nothing else is asked for."""

TOO_LARGE = "has more vertices than a control mesh may have"


class ControlMeshDecoder:
    """Decodes control meshes."""

    def decode(self, payload: bytes) -> Mesh:
        """Return the normalised mesh, vertices (V, 3) float32. Raises ArchiveError for bytes that are none."""
        return surface_of(payload)

    def decode_at(self, payload: bytes, level: int) -> Mesh:
        """Return the mesh after so many levels of subdivision; a flat one as it is.

        Raises:
            ArchiveError: the bytes are no control mesh, or make too many faces at this level.
            ValueError: the level is not 0 to 3.
        """
        return surface_of(payload, level)


@dataclass(frozen=True)
class ControlMeshCodec(SingleMeshCodec):
    """Each mesh by itself: the cheapest control mesh whose mean distance is within a bound.

    Attributes:
        error: bound on the mean symmetric surface distance, as a share of the bounding-box diagonal.

    Raises:
        ValueError: the bound is not above 0.
    """

    id: ClassVar[int] = 17
    name: ClassVar[str] = "control-mesh"
    decoder = ControlMeshDecoder
    error: float = DEFAULT_ERROR

    def __post_init__(self) -> None:
        if not 0 < self.error < math.inf:
            raise ValueError(f"the error of a control mesh is a share of the diagonal above 0, not {self.error}")

    def code(self, mesh: Mesh, settings: Settings) -> CodedMesh | Refusal:
        """Code a mesh; of the settings the preset matters.

        Raises:
            MissingExtraError: scipy or libigl is not installed.
        """
        with torch_needed("compressing"):
            from meshset.codecs.control_mesh.coarse import Coarse
            from meshset.codecs.control_mesh.fitting import Original
        return self.within(Original(mesh), Coarse(mesh), self.error * diagonal(mesh), settings.preset)

    def within(self, original: Original, coarse: Coarse, distance: float, preset: Preset) -> CodedMesh | Refusal:
        """Code a mesh within a distance in the cube, whatever `error` is.

        Args:
            original: to be met, by its own measure of distance.
            coarse: simplified versions of it.
            distance: to it, at most.
            preset: how hard to search.
        """
        with torch_needed("compressing"):
            from threadpoolctl import threadpool_limits

            from meshset.codecs.control_mesh.search import EFFORTS, search
        # Systems of some hundred unknowns are solved sooner by one thread, and alike on every machine.
        with threadpool_limits(1, user_api="blas"):
            try:
                found = search(original, distance, EFFORTS[preset], coarse)
            except ArchiveError as error:  # a limit of the format that keeps readers from long work
                return Refusal(f"is too involved for a control mesh: {error}")
        return Refusal(TOO_LARGE) if found is None else CodedMesh(found.payload, found.notes)

    def parameters(self) -> dict[str, Any]:
        """Return the bound."""
        return {"error": self.error}

    def with_parameters(self, parameters: Mapping[str, Any]) -> ControlMeshCodec:
        """Return the codec with another bound. Raises ArchiveError for an invalid one."""
        error = parameters.get("error", self.error)
        if not isinstance(error, int | float) or not 0 < error < math.inf:
            raise ArchiveError("states an invalid error of control meshes")
        return ControlMeshCodec(float(error))


def diagonal(mesh: Mesh) -> float:
    """Return the length of the diagonal of a mesh's bounding box."""
    return float(np.linalg.norm(np.ptp(mesh.vertices[np.unique(mesh.faces)], axis=0)))
