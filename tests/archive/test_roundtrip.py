"""What goes in comes out, and no more of the file is read than that takes."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshset.archive import ArchiveReader, ArchiveWriter
from meshset.archive import texts as texts_module
from meshset.archive.boxes import DECIMAL, FLOAT32, FLOAT64, ROUNDED, pack_boxes, round_box, unpack_boxes
from meshset.archive.columns import Cursor, cost, pack_column
from meshset.archive.distances import pack_distance, round_distance, unpack_distance
from meshset.archive.entries import RUNGS, is_box, to_float32
from meshset.archive.layout import HEADER_SIZE
from meshset.archive.texts import pack_texts, unpack_texts
from meshset.errors import ArchiveError

U32 = st.integers(0, 2**32 - 1)
DISTANCES = st.none() | st.integers(0, 65534).map(unpack_distance)
NAMES = st.lists(st.text("abcXYZ019 _-{}٣é猫", min_size=1, max_size=9), min_size=1, max_size=3).map(
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


BOUNDS = st.just({}) | st.fixed_dictionaries(
    {"rung": st.sampled_from(RUNGS), "bound": st.floats(2.0**-40, 100, width=32)},
)
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
        "notes": st.lists(st.sampled_from(["one", "två", "12 faces", "7 faces, 003 {edges}"]), max_size=3).map(tuple),
        "generation": st.integers(0, 3) | st.integers(0, 2**16 - 1),
        "less_exact": st.booleans(),
        "open_edges": st.integers(0, 20) | U32,
    }
).flatmap(lambda mesh: st.tuples(boxes(), BOUNDS).map(lambda more: mesh | more[0] | more[1]))
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
        assert (reader.size, reader.torn_bytes, reader.version) == (path.stat().st_size, 0, (1, 1))
        for name, mesh in meshes.items():
            assert reader.read_payload(name) == mesh.pop("payload")
            assert {field: getattr(reader.entries[name], field) for field in mesh} == mesh
        chunks = sum(map(len, shared)) + sum(entry.length for entry in written.values())
        assert reader.index_size == reader.size - chunks


@pytest.mark.parametrize(
    ("box", "form", "most"),
    [
        (((0.5, 0.125, 2.0), (1.5, 3.25, 7.0)), ROUNDED, 15),
        (((0.0, 0.0, 0.0), (0.0, 2.0**1000, 0.0)), ROUNDED, 25),
        (((0.0, 5e-324, 0.0), (0.0, 1e-323, 0.0)), ROUNDED, 15),
        (((0.5, to_float32(1e-30), 2.0), (1.5, 3.25, 7.0)), FLOAT32, 32),
        (((1 / 3, 0.1, 2.0), (1.5, 3.25, 1e300)), FLOAT64, 62),
        (((1e-7, -123.456789, 0.0), (2e-7, 99999.999999, 1.0)), DECIMAL, 40),
    ],
)
def test_a_box_comes_back_exactly(box: Any, form: int, most: int) -> None:
    packed = b"".join(piece.data for piece in pack_boxes([box]))
    assert packed[0] == 2 * form
    assert len(packed) <= most
    assert unpack_boxes(Cursor(packed), 1) == [box]


def test_a_rounded_box_is_near_and_small() -> None:
    lower, upper = round_box((0.1, -20.35, 3.0), (0.2, -20.15, 3.5), 0.001)
    exact = (0.1, -20.35, 3.0, 0.2, -20.15, 3.5)
    assert all(abs(a - b) <= 2.0**-11 for a, b in zip((*lower, *upper), exact, strict=True))
    assert all(value * 1024 == round(value * 1024) for value in (*lower, *upper))
    assert round_box(lower, upper, 0.001) == (lower, upper)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan"), float("inf"), 1e-30, 1.0, 1e300, 5e-324])
def test_a_box_that_cannot_be_rounded_stays(tolerance: float) -> None:
    box = (0.1, -20.35, 3.0), (0.2, -20.15, 3.5)
    assert round_box(*box, tolerance) == (box if tolerance != 1.0 else ((0.0, -20.0, 3.0), (0.0, -20.0, 4.0)))


@given(box=boxes(), tolerance=st.floats(1e-300, 1e300))
def test_a_rounded_box_is_valid_and_comes_back(box: dict[str, Any], tolerance: float) -> None:
    rounded = round_box(**box, tolerance=tolerance)
    assert is_box(*rounded)
    assert unpack_boxes(Cursor(b"".join(piece.data for piece in pack_boxes([rounded]))), 1) == [rounded]


@given(
    st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300) | st.sampled_from([7, 1007]), max_size=40), st.booleans()
)
def test_a_column_comes_back(values: list[int], sort: bool) -> None:
    values = sorted(values) if sort else values
    cursor = Cursor(pack_column(values).data)
    assert cursor.column(len(values)) == values
    assert cursor.remaining == 0


@pytest.mark.parametrize(
    ("values", "most"),
    [
        ([5] * 1000, 2),
        ([24 * k + 7 for k in range(1000)], 6),
        ([random.Random(k).randrange(4096) for k in range(1000)], 1505),
        ([random.Random(k).randrange(8) for k in range(999)] + [10**9], 800),
        ([2**63 + k % 3 for k in range(1000)], 300),
    ],
    ids=["equal", "even steps", "bits", "one outlier", "far off"],
)
def test_a_column_takes_few_bytes(values: list[int], most: int) -> None:
    assert cost(pack_column(values).data) <= most


@given(st.floats(0, 20))
def test_a_distance_is_rounded_up_by_little(value: float) -> None:
    rounded = round_distance(value)
    assert round_distance(rounded) == rounded
    if 2.0**-28 < value < 15.99:
        assert value <= rounded <= value * (1 + 2.0**-11)


def test_extreme_distances() -> None:
    assert [pack_distance(value) for value in (None, 0.0, 1e-300, 2.0**-28, 31.985, 1e300)] == [
        65535,
        0,
        1,
        1,
        65534,
        65534,
    ]
    assert [unpack_distance(number) for number in (0, 65535)] == [0.0, None]
    assert all(pack_distance(unpack_distance(number)) == number for number in range(65536))


TEXTS = st.lists(st.text("0123456789", max_size=30) | st.text("ab01{}\n٣", max_size=8), min_size=1, max_size=8).map(
    "".join
)


@given(st.lists(TEXTS, max_size=12), st.booleans())
def test_texts_with_numbers_come_back(texts: list[str], templates: bool) -> None:
    pieces = texts_module._pack_templates(texts) if templates and texts else pack_texts(texts)
    cursor = Cursor(b"".join(piece.data for piece in pieces))
    assert unpack_texts(cursor, len(texts)) == texts
    assert cursor.remaining == 0


def test_numbered_names_take_few_bytes() -> None:
    generator = random.Random(3)
    names = [
        f"body{k // 4:02}_{k % 4:02}_{generator.randrange(14):02}_f{24 * generator.randrange(180):04}"
        for k in range(200)
    ]
    assert sum(cost(piece.data) for piece in pack_texts(names)) < 2 * len(names)


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
    assert made.mean_distance == 0.100006103515625
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
        opening = reader.index_size - HEADER_SIZE  # the checksum in the trailer says what the header is
        assert file.count == reader.bytes_read == opening
        assert file.reads == 2
        reader.read_shared(0)
        payload = reader.read_payload("m/0321")
        reader.read_shared(0)
        assert file.count == reader.bytes_read == opening + 5000 + len(payload)
        assert file.reads == 4
    assert not file.closed


def test_short_reads_are_completed(golden: Path, contents: Any) -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 3))

    assert contents(Trickle(golden.read_bytes())) == contents(golden)


def test_unknown_mesh_and_shared_part(golden: Path) -> None:
    with ArchiveReader(golden) as reader:
        with pytest.raises(ArchiveError, match=r"tiny11\.mset: holds no mesh named 'ghost'"):
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
