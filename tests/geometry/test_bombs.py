"""Small files that ask for a lot, and coordinates and bytes that no format should hold, in every format."""

import base64
import io
import json
import struct
import tracemalloc
import zipfile
from contextlib import contextmanager, suppress

import numpy as np
import pytest

from meshset.errors import MeshFileError
from meshset.geometry import Mesh, _soup, read_mesh, write_mesh
from meshset.geometry.diagnosis import diagnose

POINTS = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
FACES = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
FORMATS = ["obj", "ply", "ascii.ply", "stl", "ascii.stl", "off", "glb", "gltf", "3mf"]
PLY = (
    "ply\nformat {} 1.0\ncomment {}\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\n"
    "element face {}\nproperty list {} int vertex_indices\nend_header\n"
)


@contextmanager
def little_memory(limit):
    """Assert that the block never holds more than `limit` bytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def tetrahedron(suffix, points=POINTS, text="plain"):
    """The bytes of a tetrahedron in a format, with `text` wherever the format has room for words."""
    text = text if isinstance(text, bytes) else text.encode()
    rows = [" ".join(map(repr, point)) for point in points]
    return globals()[f"_{suffix.replace('.', '_')}"](points, rows, text)


def _obj(points, rows, text):
    lines = [*(f"v {row}" for row in rows), *("f {} {} {}".format(*(i + 1 for i in face)) for face in FACES)]
    return b"# " + text + b"\no " + text + b"\n" + "\n".join(lines).encode() + b"\n"


def _ply(points, rows, text):
    header = PLY.format("binary_little_endian", "COMMENT", 4, 4, "uchar").encode().replace(b"COMMENT", text)
    with np.errstate(over="ignore"):
        vertices = np.array(points, np.float64).astype("<f4").tobytes()
    return header + vertices + b"".join(struct.pack("<B3i", 3, *face) for face in FACES)


def _ascii_ply(points, rows, text):
    header = PLY.format("ascii", "COMMENT", 4, 4, "uchar").encode().replace(b"COMMENT", text)
    return header + "\n".join([*rows, *("3 {} {} {}".format(*face) for face in FACES)]).encode() + b"\n"


def _stl(points, rows, text):
    with np.errstate(over="ignore"):
        corners = np.array(points, np.float64).astype("<f4")[np.array(FACES)]
    records = b"".join(bytes(12) + face.tobytes() + bytes(2) for face in corners)
    return text.ljust(80, b" ")[:80] + struct.pack("<I", len(FACES)) + records


def _ascii_stl(points, rows, text):
    facets = ["".join(f"vertex {rows[i]}\n" for i in face) for face in FACES]
    body = "".join(f"facet normal 0 0 1\nouter loop\n{facet}endloop\nendfacet\n" for facet in facets)
    return b"solid " + text + b"\n" + body.encode() + b"endsolid " + text + b"\n"


def _off(points, rows, text):
    return (
        b"OFF # "
        + text
        + b"\n"
        + "\n".join(["4 4 0", *rows, *("3 {} {} {}".format(*f) for f in FACES)]).encode()
        + b"\n"
    )


def _gltf(points, rows, text, **changes):
    with np.errstate(over="ignore"):
        data = np.array(points, np.float64).astype("<f4").tobytes() + np.array(FACES, "<u4").tobytes()
    tree = {
        "asset": {"version": "2.0", "generator": "TEXT"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5125, "count": 12, "type": "SCALAR"},
        ],
        "bufferViews": [{"buffer": 0, "byteLength": 48}, {"buffer": 0, "byteOffset": 48, "byteLength": 48}],
        "buffers": [{"byteLength": 96, "uri": "data:;base64," + base64.b64encode(data).decode()}],
        **changes,
    }
    return json.dumps(tree).encode().replace(b"TEXT", text)


def _glb(points, rows, text):
    content = _gltf(points, rows, text)
    content += b" " * (-len(content) % 4)
    return struct.pack("<4sIIII", b"glTF", 2, 20 + len(content), len(content), 0x4E4F534A) + content


def _3mf(points, rows, text):
    vertices = "".join('<vertex x="{}" y="{}" z="{}"/>'.format(*row.split()) for row in rows)
    triangles = "".join('<triangle v1="{}" v2="{}" v3="{}"/>'.format(*face) for face in FACES)
    model = f'<model><metadata name="Title">TEXT</metadata><object id="1">{vertices}{triangles}</object></model>'
    return zipped(model.encode().replace(b"TEXT", text))


def zipped(model):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/3dmodel.model", model)
    return file.getvalue()


@pytest.fixture
def read(tmp_path):
    """Read a file of these bytes."""

    def run(suffix, data):
        path = tmp_path / f"mesh.{suffix}"
        path.write_bytes(data)
        return read_mesh(path)

    return run


@pytest.fixture
def refused(read):
    """The reason why a file of these bytes is refused."""

    def run(suffix, data):
        with pytest.raises(MeshFileError) as caught:
            read(suffix, data)
        assert str(caught.value).isprintable()
        return str(caught.value)

    return run


@pytest.mark.parametrize("suffix", FORMATS)
class TestEveryFormat:
    def test_the_files_themselves_are_sound(self, read, suffix):
        mesh = read(suffix, tetrahedron(suffix)).mesh
        assert (len(mesh.vertices), len(mesh.faces)) == (4, 4)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
    def test_numbers_that_are_none(self, refused, suffix, value):
        points = [*POINTS[:3], (0.0, value, 1.0)]
        assert "NaN or infinite coordinates" in refused(suffix, tetrahedron(suffix, points))

    def test_numbers_without_measure(self, refused, suffix):
        points = [*POINTS[:3], (0.0, 1e300, 1.0)]
        reason = refused(suffix, tetrahedron(suffix, points))  # binary formats cannot hold 1e300
        assert "absurd coordinates" in reason or "NaN or infinite coordinates" in reason

    def test_no_extent_and_no_area(self, refused, suffix):
        assert "zero extent" in refused(suffix, tetrahedron(suffix, [(1.0, 2.0, 3.0)] * 4))
        line = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (2.0, 0.0, 0.0), (3.0, 0.0, 0.0)]
        assert "no area" in refused(suffix, tetrahedron(suffix, line))

    def test_text_that_is_not_utf8(self, read, refused, suffix):
        data = tetrahedron(suffix, text=b"Gr\xf6\xdfe \xff\xfe")
        if suffix in ("glb", "gltf", "3mf"):  # JSON and XML are UTF-8, or no JSON and XML at all
            refused(suffix, data)
        else:
            assert len(read(suffix, data).mesh.faces) == 4


@pytest.mark.parametrize("suffix", ["obj", "ascii.ply", "ascii.stl", "off", "gltf"])
@pytest.mark.parametrize("piece", ["\n", " ", "\t", "\r", "#", "/", "9", "\\\n"])
def test_a_piece_in_a_row_takes_linear_time(tmp_path, suffix, piece):
    # What takes quadratic time takes minutes here.
    data = tetrahedron(suffix)
    for place in (0, data.index(b"\n") + 1 if b"\n" in data else 1, len(data)):
        path = tmp_path / f"mesh.{suffix}"
        path.write_bytes(data[:place] + piece.encode() * (300_000 // len(piece)) + data[place:])
        with suppress(MeshFileError):
            read_mesh(path)


class TestPolygons:
    @pytest.mark.parametrize("count", [255, 2**31 - 1, 2**32 - 1])
    def test_a_list_longer_than_the_file(self, refused, count):
        data = (
            PLY.format("binary_little_endian", "", 3, 1, "uint").encode()
            + bytes(36)
            + struct.pack("<I3i", count, 0, 1, 2)
        )
        with little_memory(1 << 20):
            assert "truncated" in refused("ply", data)

    @pytest.mark.parametrize("count", ["1e300", "inf", "nan", "4294967296"])
    def test_a_list_of_absurd_length_in_text(self, refused, count):
        data = PLY.format("ascii", "", 3, 1, "uint") + f"0 0 0\n1 0 0\n0 1 0\n{count} 0 1 2\n"
        with little_memory(1 << 20):
            refused("ply", data.encode())

    def test_a_face_with_a_billion_corners(self, refused):
        with little_memory(1 << 20):
            assert "fewer corners" in refused("off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n1000000000 0 1 2\n")

    def test_one_face_with_a_hundred_thousand_corners(self, read):
        corners = 100_000
        angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
        rows = [f"v {x} {y} 0" for x, y in zip(np.cos(angles), np.sin(angles), strict=True)]
        reading = read("obj", "\n".join([*rows, "f " + " ".join(map(str, range(1, corners + 1))), ""]).encode())
        assert len(reading.mesh.faces) == corners - 2
        assert "1 polygon of more than 500 corners cut like a convex one" in reading.notes

    def test_polygons_that_cross_themselves_everywhere(self, read):
        # No ear anywhere: clipping must not look for one again and again.
        rng = np.random.default_rng(0)
        rows = [f"v {x} {y} 0" for x, y in rng.normal(size=(5000, 2))]
        faces = ["f " + " ".join(map(str, range(1 + first, 501 + first))) for first in range(0, 5000, 500)]
        assert len(read("obj", "\n".join([*rows, *faces, ""]).encode()).mesh.faces) == 10 * 498


class TestSmallFilesThatAskForMuch:
    def test_an_accessor_of_zeros(self, refused):
        sparse = {"count": 1, "indices": {"bufferView": 1, "componentType": 5125}, "values": {"bufferView": 0}}
        accessor = {"componentType": 5126, "count": 90_000_000, "type": "VEC3", "sparse": sparse}
        data = _gltf(POINTS, [], b"", accessors=[accessor], meshes=[{"primitives": [{"attributes": {"POSITION": 0}}]}])
        with little_memory(1 << 20):
            assert "an accessor without data" in refused("gltf", data)

    def test_a_mesh_placed_again_and_again(self, refused, monkeypatch):
        monkeypatch.setattr(_soup, "MAX_PLACED_FACES", 100_000)
        nodes = [{"mesh": 0}] * 200_000
        data = _gltf(POINTS, [], b"", nodes=nodes, scenes=[{"nodes": list(range(len(nodes)))}])
        assert "more than 100,000 triangles" in refused("gltf", data)

    def test_a_part_that_says_it_is_small(self, refused):
        data = bytearray(zipped(b"<model>" + b" " * (50 << 20) + b"</model>"))
        directory = data.rindex(b"PK\x01\x02")
        struct.pack_into("<I", data, directory + 24, 1000)
        with little_memory(8 << 20):
            assert "damaged" in refused("3mf", bytes(data))

    def test_coordinates_are_kept_as_numbers(self, read):
        vertices = "".join(f'<vertex x="{x}" y="{x * x % 9973}" z="{x % 97}"/>' for x in range(80_000))
        points = "".join('<vertex x="{}" y="{}" z="{}"/>'.format(*point) for point in POINTS)
        triangles = "".join('<triangle v1="{}" v2="{}" v3="{}"/>'.format(*face) for face in FACES)
        data = zipped(f'<model><object id="1">{points}{triangles}{vertices}</object></model>'.encode())
        with little_memory(12 << 20):  # as text they would take three times as much
            assert len(read("3mf", data).mesh.faces) == 4

    def test_entities_in_entities(self, refused):
        entities = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefg", "bcdefgh", strict=True))
        bomb = f'<!DOCTYPE m [<!ENTITY a "lol">{entities}]><model>&h;</model>'
        with little_memory(1 << 20):
            assert "document type" in refused("3mf", zipped(bomb.encode()))


@pytest.mark.slow
def test_a_million_components(tmp_path):
    count = 1_000_000
    corners = np.random.default_rng(0).random((count, 1, 3)) * 100 + np.eye(3)
    faces = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    path = tmp_path / "dust.stl"
    write_mesh(Mesh(corners.reshape(-1, 3).astype(np.float32), faces), path)
    diagnosis = diagnose(read_mesh(path).mesh)
    assert diagnosis.faces == count
    assert diagnosis.components > 0.99 * count  # a few share a corner by chance
