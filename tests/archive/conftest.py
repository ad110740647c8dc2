"""Archives to read, and forged ones that no writer would make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import archive_1_0
from meshset.archive import ArchiveReader, ArchiveWriter, MeshEntry, SharedEntry, layout
from meshset.archive.columns import Piece
from meshset.archive.deflate import DICTIONARY, deflate
from meshset.archive.entries import to_float32
from meshset.archive.index import Index, pack_index
from meshset.archive.layout import Trailer, index_checksum, pack_header, pack_tail, pack_trailer

FOLDER = Path(__file__).parent / "golden"
OLD_GOLDEN, GOLDEN, GOLDEN_TWO = FOLDER / "tiny.mset", FOLDER / "tiny11.mset", FOLDER / "two11.mset"
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


GOLDEN_STATES: dict[str, dict[str, Any]] = {
    "animals/cat": {
        "rung": "refined",
        "bound": to_float32(0.002),
        "generation": 2,
        "less_exact": True,
        "open_edges": 12,
    },
    "Würfel": {"rung": "alone", "bound": 0.5},
    "animals/dog": {},
}
"""What version 1.1 has fields for and the contents above do not say."""


def write_golden_two(path: Path) -> None:
    """Write the contents of the archive with two copies: something of every form of columns, names and boxes."""
    boxes = [
        ((-1.5, 0.25, 2.0), (1.5, 4.25, 2.5)),
        ((0.1, -20.35, 3.0), (0.2, -20.15, 3.5)),
        ((to_float32(1e-30), 0.0, 0.0), (to_float32(1e30), 1.0, 1.0)),
        ((1 / 3, 1e-200, 0.0), (2 / 3, 1e200, 0.0)),
    ]
    with ArchiveWriter(path) as writer:
        writer.add_shared(1, b"decoder" * 20)
        for number in range(60):
            noise = number * 40503 % 65536
            writer.add_mesh(
                f"set/body{number // 10:02}_f{24 * (noise % 100):04}_{number}" if number % 20 else f"odd {number}",
                bytes([number]) * (1 + noise % 50),
                codec_id=1 if number % 7 else 2,
                shared=0 if number % 7 else None,
                lower=boxes[number % 4][0],
                upper=boxes[number % 4][1],
                vertices=6702 + noise,
                faces=2 * (6702 + noise) - 4,
                source_vertices=6890,
                source_faces=13776,
                source_bytes=480_000 + (noise if number % 9 else 1 << 40),
                mean_distance=0.001 + noise / 1e8 if number % 11 else None,
                max_distance=0.01 + noise / 1e6,
                peak_memory=(1 + number // 30) << 20,
                notes=() if number % 3 else (f"{number} faces without area", "colours dropped"),
                rung="set" if number % 2 else None,
                bound=0.01 if number % 2 else None,
                open_edges=0 if number % 13 else number,
            )
        writer.finish({"codec": "necgs", "resolution": 128})


@pytest.fixture
def golden() -> Path:
    """The committed archive."""
    return GOLDEN


@pytest.fixture
def golden_1_0() -> Path:
    """The same contents in version 1.0."""
    return OLD_GOLDEN


@pytest.fixture(params=[OLD_GOLDEN, GOLDEN], ids=["1.0", "1.1"])
def golden_each(request: pytest.FixtureRequest) -> Path:
    """The committed archives with these contents."""
    return Path(request.param)


@pytest.fixture
def golden_two() -> Path:
    """A committed archive with two copies of its index."""
    return GOLDEN_TWO


@pytest.fixture
def golden_contents() -> tuple[Any, ...]:
    """Settings, shared parts and meshes of the committed archives, and what only version 1.1 says of the meshes."""
    return GOLDEN_SETTINGS, GOLDEN_SHARED, GOLDEN_MESHES, GOLDEN_STATES


@pytest.fixture
def write_golden() -> Callable[[Path], None]:
    """Writes the contents of the committed archive to a path."""

    def write(path: Path) -> None:
        with ArchiveWriter(path) as writer:
            writer.add_shared(*GOLDEN_SHARED[0])
            for position, (name, payload, fields) in enumerate(GOLDEN_MESHES):
                if position == 1:
                    writer.add_shared(*GOLDEN_SHARED[1])
                writer.add_mesh(name, payload, **fields, **GOLDEN_STATES[name])
            writer.finish(GOLDEN_SETTINGS)

    return write


@pytest.fixture
def write_two(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Writes the contents of the committed archive with two copies of its index to a path, small as they are."""

    def write(path: Path) -> None:
        monkeypatch.setattr(layout, "COPIED_FROM", 1)
        monkeypatch.setattr(layout, "COPY_PERCENT", 100)
        write_golden_two(path)

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
    trailer = Trailer(position, len(stored), raw_length, index_checksum(header, stored))
    return before + stored + pack_trailer(trailer)


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
            stored, raw_length = deflate([Piece(body, False)], DICTIONARY), len(body)
        return seal(header + chunks, stored, raw_length, header)

    return make


@pytest.fixture
def forge_1_0() -> Callable[..., bytes]:
    """Does the same in version 1.0 of the format."""

    def make(
        meshes: tuple[MeshEntry, ...] = (),
        shared: tuple[SharedEntry, ...] = (),
        chunks: bytes = bytes(64),
        body: bytes | None = None,
        header: bytes = archive_1_0.HEADER,
    ) -> bytes:
        body = archive_1_0.body(Index({}, shared, meshes)) if body is None else body
        return archive_1_0.seal(header + chunks, archive_1_0.deflated(body), len(body), header)

    return make


@pytest.fixture(params=["1.0", "1.1"])
def forge_each(request: pytest.FixtureRequest, forge: Any, forge_1_0: Any) -> Callable[..., bytes]:
    """Does it in each version of the format."""
    return forge if request.param == "1.1" else forge_1_0


@pytest.fixture
def append() -> Callable[[bytes, bytes, tuple[MeshEntry, ...]], bytes]:
    """Appends chunks and an index of `meshes` to the bytes of an archive, as an appending writer does."""

    def make(old: bytes, chunks: bytes, meshes: tuple[MeshEntry, ...]) -> bytes:
        return old + chunks + b"".join(pack_tail(len(old + chunks), *pack_index(Index({}, (), meshes))))

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
