"""An archive as a mapping from names to meshes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any

import numpy as np

from meshset.archive import ArchiveReader, MeshEntry
from meshset.archive.names import naming
from meshset.codecs import codec_by_id
from meshset.codecs.control_mesh.subdivision import MOST_LEVELS
from meshset.codecs.protocol import LayeredDecoder, MeshDecoder
from meshset.errors import ArchiveError, MeshsetError
from meshset.geometry import Mesh, Placement
from meshset.pipeline.steps.records import foreign_codec
from meshset.pipeline.steps.requirements import resolve_device
from meshset.pipeline.steps.select import UnknownMeshError
from meshset.remote import ArchiveLike, open_reader
from meshset.text import counted

_OPEN_DECODERS = 4


class Archive(Mapping[str, Mesh]):
    """An open archive: `archive["bunny"]` reads and decodes one mesh, and nothing else.

    Meshes come in world units, vertices (V, 3) float32 and faces (F, 3) int32. Far from the origin, where float32 would
    add to the stated error of a mesh, its vertices are float64. Decoders are parsed when they are first needed; the
    last four are kept. Threads may share an archive, and so may forked processes; one that is pickled opens its file or
    URL again where it is unpickled.

    Args:
        source: path or URL of the archive, or a binary file that can seek, which stays open.
        device: None to decode with numpy, or a torch device string, or "auto" for a GPU if there is one.

    Raises:
        ArchiveError: here if the file is no archive; later if what is read is damaged.

    >>> with Archive("models.mset") as archive:
    ...     sorted(archive), archive["bunny"].faces.shape
    (['animals/cat', 'bunny', 'part'], (320, 3))
    """

    def __init__(self, source: ArchiveLike, device: str | None = None) -> None:
        self._device = None if device is None else resolve_device(device)
        self._reader = open_reader(source)
        self._decoder = lru_cache(maxsize=_OPEN_DECODERS)(self._open_decoder)

    def __getstate__(self) -> tuple[ArchiveReader, str | None]:
        return self._reader, self._device

    def __setstate__(self, state: tuple[ArchiveReader, str | None]) -> None:
        self._reader, self._device = state
        self._decoder = lru_cache(maxsize=_OPEN_DECODERS)(self._open_decoder)

    def __repr__(self) -> str:
        return f"<Archive {self._reader.label}: {counted(len(self), 'mesh', 'meshes')}>"

    @property
    def entries(self) -> Mapping[str, MeshEntry]:
        """What the index says about every mesh, by name; nothing is decoded."""
        return self._reader.entries

    @property
    def settings(self) -> dict[str, Any]:
        """What the archive was made with."""
        return self._reader.settings

    @property
    def reader(self) -> ArchiveReader:
        """The file below, for its sizes and raw bytes."""
        return self._reader

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; meshes that were read stay valid."""
        self._reader.close()

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __getitem__(self, name: str) -> Mesh:
        """Read one mesh. Raises KeyError for an unknown name, ArchiveError for damaged bytes or want of memory."""
        return self.read(name)

    def read(self, name: str, *, levels: int | None = None) -> Mesh:
        """Read one mesh, as archive[name] does, a smooth control mesh as fine as it is wanted.

        Args:
            name: of the mesh.
            levels: of subdivision, 0 to 3; None for its own. Meshes without levels come as they are.

        Raises:
            KeyError: the name is unknown.
            ArchiveError: bytes are damaged, there are too many faces, or memory is short.
            MeshsetError: there is no such level.
        """
        if levels is not None and not 0 <= levels <= MOST_LEVELS:
            raise MeshsetError(f"levels are 0 to {MOST_LEVELS}, not {levels}")
        entry = self.entries.get(name)
        if entry is None:
            raise UnknownMeshError(self._reader.label, name, self.entries)
        try:
            return self._decoded(entry, levels)
        except MemoryError:
            raise ArchiveError(f"{self._reader.label}: not enough memory to decode mesh '{name}'") from None

    def _decoded(self, entry: MeshEntry, levels: int | None) -> Mesh:
        payload = self._reader.read_payload(entry.name)
        decoder = self._decoder(entry.codec_id, entry.shared)
        # A forged decoder or bounding box may leave the range of float32; what comes of it is checked below.
        with naming(self._reader.label), np.errstate(all="ignore"):
            if levels is not None and isinstance(decoder, LayeredDecoder):
                mesh = decoder.decode_at(payload, levels)
            else:
                mesh = decoder.decode(payload)
            if not len(mesh.faces):
                raise ArchiveError(f"mesh '{entry.name}' decodes to nothing")
            return _in_world(mesh, entry)

    def _open_decoder(self, codec_id: int, shared: int | None) -> MeshDecoder:
        data = b"" if shared is None else self._reader.read_shared(shared)
        with naming(self._reader.label):
            return codec_by_id(codec_id, foreign_codec(self.settings)).open(data, self._device)


def open_archive(source: ArchiveLike, device: str | None = None) -> Archive:
    """Open an archive for reading; the arguments and errors are those of `Archive`."""
    return Archive(source, device)


def _in_world(mesh: Mesh, entry: MeshEntry) -> Mesh:
    """Move a decoded mesh to where its original stood."""
    placement = Placement(np.array(entry.lower), np.array(entry.upper))
    placed = placement.restore(mesh, placement.precision(entry.mean_distance))
    if not np.isfinite(placed.vertices).all():
        raise ArchiveError(f"mesh '{entry.name}' has coordinates beyond the range of float32")
    return placed
