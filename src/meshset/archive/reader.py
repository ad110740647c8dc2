"""Reading an archive: the index at once, chunks one by one when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO

import google_crc32c

from meshset.archive.entries import MeshEntry, SharedEntry
from meshset.archive.index import unpack_index
from meshset.archive.layout import HEADER_SIZE, MAJOR, MINOR, ONLY
from meshset.archive.names import ByName, label, naming, shown
from meshset.archive.sources import ByteSource, LocalSource, ShrunkError
from meshset.archive.tail import find_damage, find_index
from meshset.archive.v1_0 import index as v1_0
from meshset.errors import ArchiveError

_OPEN_TRIES = 5


class ArchiveReader:
    """An open archive.

    Opening reads the trailer and the index; each chunk is read, and its checksum verified, only when it is asked for.
    Threads may share a reader, and processes that are forked from its own; one that is pickled reopens its file.

    Attributes:
        entries: the meshes by name, in stored order, found in every Unicode spelling of their names.
        shared: the shared parts by number.
        settings: what the archive was made with; JSON values only.
        version: major and minor version of the format.
        compact: whether index and trailer are those of version 1.1; if not, those of 1.0.
        size: bytes of the whole file.
        index_size: bytes of header, indices and trailers together.
        index_stored_length: bytes of the index alone, once.
        index_copies: how often the index is stored: 1, or 2 in large sets.
        torn_bytes: bytes behind the last valid trailer. More than 0 means that an append was interrupted or
            the end of the file was damaged: this is the set as it was before.
        bytes_read: bytes read from the file so far; where threads read at once it may say less.

    Args:
        source: path of the file, or a binary file that can seek, which stays open on `close`, or any other source of
            bytes.

    Raises:
        ArchiveError: if the file cannot be read, is damaged, or needs a newer program.
    """

    entries: Mapping[str, MeshEntry]
    shared: tuple[SharedEntry, ...]
    settings: dict[str, Any]
    version: tuple[int, int]
    compact: bool
    size: int
    index_size: int
    index_stored_length: int
    index_copies: int
    torn_bytes: int
    bytes_read: int

    def __init__(self, source: str | os.PathLike[str] | BinaryIO | ByteSource) -> None:
        self.bytes_read = 0
        self._cache: dict[int, bytes] = {}
        if isinstance(source, ByteSource):
            self._source: ByteSource = source
        else:
            with naming(label(source) if isinstance(source, (str, os.PathLike)) else "archive"):
                self._source = LocalSource(source)
        try:
            with naming(self.label):
                self._open_settled()
        except BaseException:
            self.close()
            raise

    def __reduce__(self) -> tuple[Any, ...]:
        return ArchiveReader, (self._source,)

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def label(self) -> str:
        """What messages call the archive: its path or URL, on one line."""
        return self._source.label

    def close(self) -> None:
        """Close the file, if this reader opened it."""
        self._source.close()

    def read_payload(self, name: str) -> bytes:
        """Return the payload of one mesh. Raises ArchiveError for an unknown name and for damaged bytes."""
        with naming(self.label):
            entry = self.entries.get(name)
            if entry is None:
                raise ArchiveError(f"holds no mesh named {shown(name)}")
            return self._read_chunk(entry, f"mesh '{name}'")

    def read_shared(self, number: int) -> bytes:
        """Return one shared part, read once and then kept. Raises ArchiveError as `read_payload` does."""
        if number not in self._cache:
            with naming(self.label):
                if not 0 <= number < len(self.shared):
                    raise ArchiveError(f"holds no shared part {number}")
                self._cache[number] = self._read_chunk(self.shared[number], f"shared part {number}")
        return self._cache[number]

    def find_damage(self) -> tuple[str, ...]:
        """Return what is damaged of header, indices and trailers though no mesh is lost by it, one line each.

        Usually nothing; else the archive should be written anew.
        """
        with naming(self.label):
            return find_damage(self._read_at, self.size, self._found)

    def read_unchecked(self, entry: MeshEntry | SharedEntry) -> bytes:
        """Return the bytes of a chunk, damaged or not."""
        with naming(self.label):
            return self._read_at(entry.offset, entry.length)

    def _open_settled(self) -> None:
        for _ in range(_OPEN_TRIES - 1):
            # A writer that gives up an append cuts the file back to where it was.
            with suppress(ShrunkError):
                return self._open()
        return self._open()

    def _open(self) -> None:
        self.size = self._source.size()
        found = self._found = find_index(self._read_at, self.size)
        self.version = found.header.version
        self.compact = found.header.compact
        unpack = unpack_index if self.compact else v1_0.unpack_index
        trailer = found.trailer
        newer_minor = self.version > (MAJOR, MINOR if self.compact else 0)
        index = unpack(found.stored, trailer.raw_length, trailer.tail, newer_minor)
        self.settings, self.shared = index.settings, index.shared
        self.entries = ByName({mesh.name: mesh for mesh in index.meshes})
        end = min(trailer.end, self.size)
        self.index_size = HEADER_SIZE + end - trailer.tail
        self.index_stored_length = trailer.stored_length
        self.index_copies = 1 if trailer.copy == ONLY else 2
        self.torn_bytes = self.size - end

    def _read_chunk(self, entry: MeshEntry | SharedEntry, what: str) -> bytes:
        data = self._read_at(entry.offset, entry.length)
        if google_crc32c.value(data) != entry.crc32c:
            raise ArchiveError(f"{what} is damaged: its checksum is wrong")
        return data

    def _read_at(self, offset: int, length: int) -> bytes:
        data = self._source.read_at(offset, length)
        self.bytes_read += length
        return data
