"""From archives to another one, each shared part once."""

from __future__ import annotations

import hashlib

from meshset.archive.chunks import ChunkWriter
from meshset.archive.reader import ArchiveReader


class Copier:
    """Copies meshes between archives without decoding them.

    A shared part is written when the first mesh needs it; equal parts of several archives are written once.

    Args:
        writer: where the copies go.
    """

    def __init__(self, writer: ChunkWriter) -> None:
        self._writer = writer
        self._numbers: dict[tuple[int, bytes], int] = {}

    def copy(self, reader: ArchiveReader, name: str) -> None:
        """Copy one mesh. Raises ArchiveError if it is damaged or its name is taken; then nothing was written."""
        entry = reader.entries[name]
        payload = reader.read_payload(name)
        shared = None if entry.shared is None else self._shared(reader, entry.shared)
        self._writer.copy_mesh(entry, payload, shared)

    def _shared(self, reader: ArchiveReader, number: int) -> int:
        data = reader.read_shared(number)
        key = reader.shared[number].codec_id, hashlib.sha256(data).digest()
        if key not in self._numbers:
            self._numbers[key] = self._writer.add_shared(key[0], data)
        return self._numbers[key]
