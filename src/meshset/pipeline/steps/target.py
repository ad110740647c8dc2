"""How large an archive shall be: bytes, or how many times smaller than its meshes as OBJ text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from meshset.archive import MeshEntry
from meshset.archive.chunks import as_stored
from meshset.archive.entries import SharedEntry
from meshset.archive.index import Index, pack_index
from meshset.archive.layout import HEADER_SIZE, pack_tail
from meshset.errors import MeshsetError
from meshset.pipeline.steps.measure import rounded
from meshset.pipeline.steps.prepare import PreparedMesh

_SHARED = 100_000
"""Bytes of a usual decoder."""

TOLERANCE = 0.05
"""Share by which an archive may miss the size that was asked for without a word."""


@dataclass(frozen=True)
class Target:
    """A size that was asked for, one of the two.

    Attributes:
        size: bytes of the archive.
        ratio: bytes of the meshes as OBJ text over those of the archive.

    Raises:
        MeshsetError: neither or both are given, or one is not above 0.
    """

    size: int | None = None
    ratio: float | None = None

    def __post_init__(self) -> None:
        if (self.size is None) == (self.ratio is None):
            raise MeshsetError("either a size or a ratio can be the target, not both")
        if not (self.size or self.ratio or 0) > 0:
            raise MeshsetError("a target must be above 0")

    def bytes_for(self, source_bytes: int) -> int:
        """Return the bytes of an archive of meshes that take `source_bytes` as OBJ text."""
        return self.size if self.size is not None else round(source_bytes / (self.ratio or 1.0))

    def budget(self, prepared: Sequence[PreparedMesh], settings: dict[str, Any]) -> Callable[[Sequence[int], int], int]:
        """Return the `Goal.budget` of meshes whose archive will have about these settings."""

        def left(kept: Sequence[int], least: int) -> int:
            sources = [prepared[i] for i in kept]
            wanted, rest = self.bytes_for(sum(one.obj_bytes for one in sources)), _rest(sources, settings)
            if wanted < rest + least:
                raise MeshsetError(
                    f"a target of {wanted:,} bytes cannot be reached: names and index take about {rest:,}, decoder and "
                    f"latents at least about {least:,}; ask for more than {rest + least:,}"
                )
            return wanted - rest

        return left

    def missed(self, archive_bytes: int, source_bytes: int) -> str:
        """Return what to tell where an archive is not within 5 % of the target, "" where it is."""
        wanted = self.bytes_for(source_bytes)
        if abs(archive_bytes - wanted) <= TOLERANCE * wanted:
            return ""
        way = (
            "longer training (--preset, --time-budget) or a coarser --resolution makes smaller ones"
            if archive_bytes > wanted
            else "more bytes would not bring these meshes nearer; a finer --resolution would"
        )
        return f"the target of {wanted:,} bytes is missed: the archive takes {archive_bytes:,}; {way}"


def _rest(sources: Sequence[PreparedMesh], settings: dict[str, Any]) -> int:
    """Return about how many bytes an archive takes beside the decoder and payloads of its meshes."""
    noise = np.random.default_rng(0)  # checksums and distances cannot be compressed
    entries, position = [], HEADER_SIZE + _SHARED
    for one in sources:
        length, error = int(noise.integers(300, 600)), noise.uniform(0.001, 0.004)
        vertices = int(noise.integers(5_000, 20_000))
        lower, upper = rounded(one.placement, error)
        entry = MeshEntry(
            name=one.name,
            codec_id=1,
            shared=0,
            offset=position,
            length=length,
            crc32c=int(noise.integers(1 << 32)),
            lower=lower,
            upper=upper,
            vertices=vertices,
            faces=2 * vertices - 4,
            source_vertices=one.vertices,
            source_faces=one.faces,
            source_bytes=one.obj_bytes,
            mean_distance=error,
            max_distance=noise.uniform(0.01, 0.04),
            peak_memory=int(noise.integers(2, 8)) << 20,
            notes=one.notes,
        )
        entries.append(entry)
        position += length
    shared = (SharedEntry(1, HEADER_SIZE, _SHARED, int(noise.integers(1 << 32))),)
    index = Index(settings, shared, tuple(map(as_stored, entries)))
    return HEADER_SIZE + sum(map(len, pack_tail(position, *pack_index(index))))
