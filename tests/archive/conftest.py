"""Archives to read, and forged ones that no writer would make."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshset.archive import ArchiveReader, ArchiveWriter, MeshEntry, SharedEntry
from meshset.archive.index import Index, pack_index
from meshset.archive.layout import Trailer, index_checksum, pack_header, pack_trailer

GOLDEN = Path(__file__).parent / "golden" / "tiny.mset"
GOLDEN_SETTINGS = {"codec": "necgs", "resolution": 64, "title": "Bälle"}
GOLDEN_SHARED = [(1, b"decoder"), (7, b"")]
GOLDEN_MESHES: list[tuple[str, bytes, dict[str, Any]]] = [
    (
        "animals/cat",
        b"cat latents",
        {
            "codec_id": 1,
            "shared": 0,
            "lower": (-1.0, -0.5, 0.25),
            "upper": (1.0, 0.5, 0.75),
            "vertices": 1000,
            "faces": 1996,
            "source_vertices": 70002,
            "source_faces": 140000,
            "source_bytes": 7_654_321,
            "mean_distance": 0.00390625,
            "max_distance": 0.03125,
            "peak_memory": 100 << 20,
            "notes": ("texture coordinates dropped", "3 holes closed"),
        },
    ),
    (
        "Würfel",
        b"w",
        {
            "codec_id": 65535,
            "shared": None,
            "lower": (-0.1, 12.345678, 0.0),
            "upper": (0.1, 99.9, 1e-07),
            "vertices": 8,
            "faces": 12,
            "source_vertices": 24,
            "source_faces": 12,
            "source_bytes": 812,
        },
    ),
    (
        "animals/dog",
        bytes(range(32)),
        {
            "codec_id": 1,
            "shared": 1,
            "lower": (-1 / 3, 0.0, 2.0),
            "upper": (1 / 3, 0.0, 1e300),
            "vertices": 4_294_967_295,
            "faces": 0,
            "source_vertices": 0,
            "source_faces": 4_294_967_295,
            "source_bytes": (1 << 64) - 1,
            "mean_distance": 0.0,
            "notes": ("3 holes closed",),
        },
    ),
]


@pytest.fixture
def golden() -> Path:
    """The committed archive."""
    return GOLDEN


@pytest.fixture
def golden_contents() -> tuple[Any, ...]:
    """Settings, shared parts and meshes of the committed archive."""
    return GOLDEN_SETTINGS, GOLDEN_SHARED, GOLDEN_MESHES


@pytest.fixture
def write_golden() -> Callable[[Path], None]:
    """Writes the contents of the committed archive to a path."""

    def write(path: Path) -> None:
        with ArchiveWriter(path) as writer:
            writer.add_shared(*GOLDEN_SHARED[0])
            for position, (name, payload, fields) in enumerate(GOLDEN_MESHES):
                if position == 1:
                    writer.add_shared(*GOLDEN_SHARED[1])
                writer.add_mesh(name, payload, **fields)
            writer.finish(GOLDEN_SETTINGS)

    return write


@pytest.fixture
def fields() -> dict[str, Any]:
    """Arguments that `add_mesh` accepts, beside name and payload."""
    return {
        "codec_id": 1,
        "shared": None,
        "lower": (0.0, 0.0, 0.0),
        "upper": (1.0, 1.0, 1.0),
        "vertices": 8,
        "faces": 12,
        "source_vertices": 8,
        "source_faces": 12,
        "source_bytes": 300,
    }


@pytest.fixture
def entry() -> MeshEntry:
    """A valid entry for a payload of 4 bytes right behind the header."""
    return MeshEntry(
        name="a",
        codec_id=1,
        shared=None,
        offset=16,
        length=4,
        crc32c=0,
        lower=(0.0, 0.0, 0.0),
        upper=(1.0, 1.0, 1.0),
        vertices=8,
        faces=12,
        source_vertices=8,
        source_faces=12,
        source_bytes=300,
        mean_distance=None,
        max_distance=None,
        peak_memory=0,
        notes=(),
    )


def seal(before: bytes, stored: bytes, raw_length: int, header: bytes) -> bytes:
    """Return `before`, an index and a trailer that vouches for it."""
    position = len(before) + len(stored)
    checksum = index_checksum(header, stored)
    return before + stored + pack_trailer(Trailer(len(before), len(stored), raw_length, checksum, position))


@pytest.fixture
def forge() -> Callable[..., bytes]:
    """Makes an archive with valid checksums out of entries or index bytes that need not be valid."""

    def make(
        meshes: tuple[MeshEntry, ...] = (),
        shared: tuple[SharedEntry, ...] = (),
        chunks: bytes = bytes(64),
        body: bytes | None = None,
        header: bytes = pack_header(),
    ) -> bytes:
        if body is None:
            stored, raw_length = pack_index(Index({}, shared, meshes))
        else:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            stored, raw_length = packer.compress(body) + packer.flush(), len(body)
        return seal(header + chunks, stored, raw_length, header)

    return make


@pytest.fixture
def append() -> Callable[[bytes, bytes, tuple[MeshEntry, ...]], bytes]:
    """Appends chunks and an index of `meshes` to the bytes of an archive, as an appending writer does."""

    def make(old: bytes, chunks: bytes, meshes: tuple[MeshEntry, ...]) -> bytes:
        stored, raw_length = pack_index(Index({}, (), meshes))
        return seal(old + chunks, stored, raw_length, pack_header())

    return make


@pytest.fixture
def contents() -> Callable[[Any], tuple[Any, ...]]:
    """Reads everything that an archive holds."""

    def read(source: Any) -> tuple[Any, ...]:
        with ArchiveReader(source) as reader:
            shared = [reader.read_shared(number) for number in range(len(reader.shared))]
            payloads = {name: reader.read_payload(name) for name in reader.entries}
            return reader.settings, reader.shared, dict(reader.entries), shared, payloads

    return read
