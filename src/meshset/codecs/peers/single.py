"""What codecs have in common that code every mesh by itself and share nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from meshset.codecs.protocol import Checkpoint, CodedMesh, CodedSet, MeshDecoder, Refusal, Settings
from meshset.errors import ArchiveError
from meshset.geometry import Mesh


class SingleMeshCodec(ABC):
    """A codec whose sets have no shared part, so that a mesh that is added is coded like the first.

    Attributes:
        title: what messages call it.
        decoder: makes the decoder of its payloads.
    """

    title: ClassVar[str]
    decoder: ClassVar[Callable[[], MeshDecoder]]

    @abstractmethod
    def compress(self, meshes: Sequence[Mesh], settings: Settings, checkpoint: Checkpoint | None = None) -> CodedSet:
        """Code each mesh by itself."""

    def add(self, meshes: Sequence[Mesh], shared: bytes, settings: Settings) -> tuple[CodedMesh | Refusal, ...]:
        """Code each mesh by itself, as `compress` does. Raises ArchiveError for a shared part."""
        self.open(shared)
        return self.compress(meshes, settings).meshes

    def open(self, shared: bytes, device: str | None = None) -> MeshDecoder:
        """Return the decoder; it runs on the CPU whatever the device. Raises ArchiveError for a shared part."""
        if shared:
            raise ArchiveError(f"has a shared part, which {self.title} does not use")
        return type(self).decoder()
