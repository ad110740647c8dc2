"""Groups of meshes of one connectivity, told once, with members told from each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from meshset.codecs.common.some import SomeMeshes
from meshset.codecs.common.torch_guard import torch_needed
from meshset.codecs.control_mesh.codec import DEFAULT_ERROR, diagonal
from meshset.codecs.mesh_group.decoding import GroupDecoder
from meshset.codecs.protocol import Checkpoint, CodedMesh, CodedSet, Refusal, Settings
from meshset.errors import ArchiveError, MeshsetError
from meshset.geometry import Mesh
from meshset.geometry.correspondence import match
from meshset.vocabulary import MESH_GROUP

OTHER, MISSED = "has another connectivity than the first mesh", "is not within its bound as a member of a group"


@dataclass(frozen=True)
class MeshGroupCodec:
    """Meshes of one connectivity: what they share is told once.

    Attributes:
        error: bound on the mean symmetric surface distance, as a share of the bounding-box diagonal.
        largest: bound on the largest distance, likewise.
        sequence: whether meshes are frames in order.

    Raises:
        ValueError: a bound is not above 0.
    """

    id: ClassVar[int] = 18
    name: ClassVar[str] = MESH_GROUP
    error: float = DEFAULT_ERROR
    largest: float = math.inf
    sequence: bool = False

    def __post_init__(self) -> None:
        if not (0 < self.error < math.inf and self.largest > 0):
            raise ValueError(f"bounds are shares of the diagonal above 0, not {self.error} and {self.largest}")

    def compress(self, meshes: Sequence[Mesh], settings: Settings, checkpoint: Checkpoint | None = None) -> CodedSet:
        """Code meshes that have the connectivity of the first; others are refused. Of the settings the preset matters.

        Raises:
            MissingExtraError: scipy or libigl is not installed.
        """
        with torch_needed("compressing"):
            from threadpoolctl import threadpool_limits

            from meshset.codecs.mesh_group.search import coded_group
        matches = [match(mesh, meshes[0]) for mesh in meshes]
        members = [k for k, one in enumerate(matches) if one is not None]
        found = [one for one in matches if one is not None]
        own = SomeMeshes(meshes, members)
        bounds = [self.error * diagonal(mesh) for mesh in own]
        outcomes: list[CodedMesh | Refusal] = [Refusal(OTHER)] * len(meshes)
        try:
            with threadpool_limits(1, user_api="blas"):
                group = coded_group(own, found, bounds, self.error / self.largest, settings.preset, self.sequence)
        except MeshsetError as error:
            for k in members:
                outcomes[k] = Refusal(str(error))
            return CodedSet(b"", tuple(outcomes), {"members": 0})
        for k, one, bound in zip(members, group.members, bounds, strict=True):
            outcomes[k] = CodedMesh(one.payload, group.notes) if one.error <= bound else Refusal(MISSED)
        return CodedSet(group.chunk, tuple(outcomes), {"members": len(members)})

    def open(self, shared: bytes, device: str | None = None) -> GroupDecoder:
        """Return a decoder; `device` does not matter. Raises ArchiveError for bytes that are no group."""
        return GroupDecoder(shared)

    def parameters(self) -> dict[str, Any]:
        """Return the bound on the mean."""
        return {"error": self.error}

    def with_parameters(self, parameters: Mapping[str, Any]) -> MeshGroupCodec:
        """Return the codec with another bound. Raises ArchiveError for an invalid one."""
        error = parameters.get("error", self.error)
        if not isinstance(error, int | float) or not 0 < error < math.inf:
            raise ArchiveError("states an invalid error of a group of meshes")
        return MeshGroupCodec(float(error), self.largest, self.sequence)
