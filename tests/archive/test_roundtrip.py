"""What goes in comes out, and no more of the file is read than that takes."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshset.archive import ArchiveReader, ArchiveWriter
from meshset.archive.boxes import pack_boxes, unpack_boxes
from meshset.archive.columns import Cursor, unzigzag, zigzag
from meshset.errors import ArchiveError

U32 = st.integers(0, 2**32 - 1)
DISTANCES = st.none() | st.floats(0, 2.0**100, width=32)
NAMES = st.lists(st.text("abcXYZ019 _-é猫", min_size=1, max_size=9), min_size=1, max_size=3).map(
    lambda segments: "/".join("m" + segment.strip() for segment in segments)
)
COORDINATES = (
    st.floats(-1e100, 1e100)
    | st.floats(-(2.0**100), 2.0**100, width=32)
    | st.decimals(-10000, 10000, places=6, allow_nan=False).map(float)
)


@st.composite
def boxes(draw: st.DrawFn) -> dict[str, tuple[float, ...]]:
    values = [sorted(draw(st.lists(COORDINATES, min_size=2, max_size=2, unique=True))) for _ in range(3)]
    lower, upper = zip(*values, strict=True)
    return {"lower": lower, "upper": upper}


MESHES = st.fixed_dictionaries(
    {
        "payload": st.binary(min_size=1, max_size=50),
        "codec_id": st.integers(0, 2**16 - 1),
        "shared": st.none() | st.integers(0, 1),
        "vertices": U32,
        "faces": U32,
        "source_vertices": U32,
        "source_faces": U32,
        "source_bytes": st.integers(0, 2**64 - 1),
        "mean_distance": DISTANCES,
        "max_distance": DISTANCES,
        "peak_memory": st.integers(0, 2**32 - 1).map(lambda mebibytes: mebibytes << 20),
        "notes": st.lists(st.sampled_from(["one", "två", "a longer note, with a comma"]), max_size=3).map(tuple),
    }
).flatmap(lambda mesh: boxes().map(lambda box: mesh | box))
JSON = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    meshes=st.dictionaries(NAMES, MESHES, max_size=12),
    shared=st.tuples(st.binary(max_size=40), st.binary(max_size=40)),
    chosen=JSON,
)
def test_whatever_is_written_is_read(
    tmp_path: Path, meshes: dict[str, Any], shared: tuple[bytes, bytes], chosen: dict[str, Any]
) -> None:
    path = tmp_path / "set.mset"
    with ArchiveWriter(path, overwrite=True) as writer:
        assert [writer.add_shared(3, data) for data in shared] == [0, 1]
        written = {name: writer.add_mesh(name, **mesh) for name, mesh in meshes.items()}
        writer.finish(chosen)
    with ArchiveReader(path) as reader:
        assert list(reader.entries) == list(meshes)
        assert dict(reader.entries) == written
        assert reader.settings == chosen
        assert [part.codec_id for part in reader.shared] == [3, 3]
        assert (reader.read_shared(0), reader.read_shared(1)) == shared
        assert (reader.size, reader.torn_bytes, reader.version) == (path.stat().st_size, 0, (1, 0))
        for name, mesh in meshes.items():
            assert reader.read_payload(name) == mesh.pop("payload")
            assert {field: getattr(reader.entries[name], field) for field in mesh} == mesh
        chunks = sum(map(len, shared)) + sum(entry.length for entry in written.values())
        assert reader.index_size == reader.size - chunks


@given(st.integers(-(2**63), 2**63 - 1))
def test_zigzag_is_undone(value: int) -> None:
    assert unzigzag(zigzag(value)) == value
    assert 0 <= zigzag(value) < 2**64


@pytest.mark.parametrize(
    ("box", "most"),
    [
        (((0.5, 0.1, 2.0), (1.5, 3.25, 7.0)), 50),
        (((0.5, struct.unpack("<f", b"\xcd\xcc\xcc\x3d")[0], 2.0), (1.5, 3.25, 7.0)), 25),
        (((1 / 3, 0.1, 2.0), (1.5, 3.25, 7.0)), 49),
        (((1e-7, -123.456789, 0.0), (2e-7, 99999.999999, 1.0)), 50),
        (((1e-300, 0.0, 0.0), (1.0, 1.0, 1e300)), 49),
    ],
)
def test_a_box_comes_back_exactly(box: Any, most: int) -> None:
    packed = b"".join(pack_boxes([box]))
    assert len(packed) <= most
    assert unpack_boxes(Cursor(packed), 1) == [box]


def test_decimal_boxes_are_a_third_of_the_bytes_of_doubles(tmp_path: Path, fields: dict[str, Any]) -> None:
    random.seed(5)
    sizes = {}
    for digits in (6, 17):
        path = tmp_path / f"{digits}.mset"
        with ArchiveWriter(path) as writer:
            for number in range(300):
                corners = [round(random.uniform(0.01, 1), digits) for _ in range(6)]
                fields |= {"lower": [-value for value in corners[:3]], "upper": corners[3:]}
                writer.add_mesh(f"mesh_{number}", b"x", **fields)
            writer.finish({})
        sizes[digits] = path.stat().st_size / 300
    assert sizes[17] - sizes[6] > 20


def test_values_are_rounded_as_the_index_holds_them(tmp_path: Path, fields: dict[str, Any]) -> None:
    path = tmp_path / "set.mset"
    with ArchiveWriter(path) as writer:
        made = writer.add_mesh("a", b"x", **fields, mean_distance=0.1, peak_memory=(1 << 20) + 1)
        writer.finish({})
    assert made.mean_distance == struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert made.peak_memory == 2 << 20
    with ArchiveReader(path) as reader:
        assert reader.entries["a"] == made


def test_meshes_move_between_archives(tmp_path: Path, golden: Path) -> None:
    path = tmp_path / "copy.mset"
    with ArchiveReader(golden) as old, ArchiveWriter(path) as writer:
        number = writer.add_shared(old.shared[0].codec_id, old.read_shared(0))
        cat = writer.copy_mesh(old.entries["animals/cat"], old.read_payload("animals/cat"), number)
        writer.finish(old.settings)
    with ArchiveReader(path) as reader:
        assert reader.entries["animals/cat"] == cat
        assert cat.notes == ("texture coordinates dropped", "3 holes closed")
        assert reader.read_payload("animals/cat") == b"cat latents"


class CountingFile(io.BytesIO):
    """Counts what is read, apart from what the reader itself says."""

    reads: int = 0
    count: int = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.reads += 1
        self.count += len(data)
        return data


def test_one_mesh_of_five_hundred_reads_nothing_else(tmp_path: Path, fields: dict[str, Any]) -> None:
    random.seed(2)
    path = tmp_path / "set.mset"
    with ArchiveWriter(path) as writer:
        fields["shared"] = writer.add_shared(1, random.randbytes(5000))
        writer.add_shared(1, random.randbytes(7000))
        for number in range(500):
            writer.add_mesh(f"m/{number:04}", random.randbytes(random.randint(400, 600)), **fields)
        writer.finish({"codec": "necgs"})
    file = CountingFile(path.read_bytes())
    with ArchiveReader(file) as reader:
        assert file.count == reader.bytes_read == reader.index_size
        assert file.reads == 3
        reader.read_shared(0)
        payload = reader.read_payload("m/0321")
        reader.read_shared(0)
        assert file.count == reader.bytes_read == reader.index_size + 5000 + len(payload)
        assert file.reads == 5
    assert not file.closed


def test_short_reads_are_completed(golden: Path, contents: Any) -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 3))

    assert contents(Trickle(golden.read_bytes())) == contents(golden)


def test_unknown_mesh_and_shared_part(golden: Path) -> None:
    with ArchiveReader(golden) as reader:
        with pytest.raises(ArchiveError, match=r"tiny\.mset: holds no mesh named 'ghost'"):
            reader.read_payload("ghost")
        for number in (-1, 2):
            with pytest.raises(ArchiveError, match="holds no shared part"):
                reader.read_shared(number)


def test_an_empty_archive(tmp_path: Path) -> None:
    path = tmp_path / "empty.mset"
    with ArchiveWriter(path) as writer:
        writer.finish({})
    with ArchiveReader(path) as reader:
        assert not reader.entries
        assert reader.index_size == reader.size < 100


def test_importing_the_archive_does_not_import_numpy() -> None:
    code = "import sys, meshset.archive; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
