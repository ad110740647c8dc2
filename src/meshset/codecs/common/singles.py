"""What codecs have in common that code every mesh by itself and share nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from meshset.codecs.common.outcomes import make_each
from meshset.codecs.protocol import Checkpoint, CodedMesh, CodedSet, MeshDecoder, Refusal, Settings
from meshset.errors import ArchiveError
from meshset.geometry import Mesh


class SingleMeshCodec(ABC):
    """A codec whose sets have no shared part, so that a mesh that is added is coded like the first.

    Attributes:
        decoder: makes the decoder of its payloads.
    """

    id: ClassVar[int]
    name: ClassVar[str]
    decoder: ClassVar[Callable[[], MeshDecoder]]

    @abstractmethod
    def code(self, mesh: Mesh, settings: Settings) -> CodedMesh | Refusal:
        """Code a mesh. May raise MeshFileError to refuse it."""

    def compress(self, meshes: Sequence[Mesh], settings: Settings, checkpoint: Checkpoint | None = None) -> CodedSet:
        """Code each mesh by itself; `checkpoint` does not matter.

        Raises:
            MissingExtraError: a library that the codec needs for coding is not installed.
        """
        coded = make_each(self.name, range(len(meshes)), lambda place: self.code(meshes[place], settings))
        return CodedSet(b"", tuple(coded), {})

    def add(self, meshes: Sequence[Mesh], shared: bytes, settings: Settings) -> tuple[CodedMesh | Refusal, ...]:
        """Code each mesh by itself, as `compress` does. Raises ArchiveError for a shared part."""
        self.open(shared)
        return self.compress(meshes, settings).meshes

    def open(self, shared: bytes, device: str | None = None) -> MeshDecoder:
        """Return the decoder; it runs on the CPU whatever the device. Raises ArchiveError for a shared part."""
        if shared:
            raise ArchiveError(f"has a shared part, which codec {self.name} does not use")
        return type(self).decoder()
