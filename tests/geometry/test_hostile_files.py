"""Files that are damaged, hostile or no meshes: one line, `MeshFileError`, nothing else."""

import base64
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshset.errors import MeshFileError
from meshset.geometry import Mesh, _soup, _threemf, read_mesh, reading, write_mesh

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
PLY = (
    "ply\nformat {} 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\n"
    "element face {}\nproperty list uchar int vertex_indices\nend_header\n"
)
MESH = Mesh(
    np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32),
)


def failure(path: Path) -> str:
    """The reason that `read_mesh` gives, after checking that it is one line that names the file."""
    with pytest.raises(MeshFileError) as caught:
        read_mesh(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert line.isprintable()
    return line.removeprefix(f"{path}: ")


def failure_of(tmp_path: Path, name: str, content: str | bytes) -> str:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return failure(path)


def model_3mf(path: Path, model: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/3dmodel.model", model)
    return path


class TestAnyFile:
    def test_missing(self, tmp_path):
        assert failure(tmp_path / "a.obj") == "no such file"

    def test_folder(self, tmp_path):
        (tmp_path / "a.obj").mkdir()
        assert failure(tmp_path / "a.obj") == "is a folder, expected a file"

    def test_pipe_does_not_block(self, tmp_path):
        os.mkfifo(tmp_path / "a.obj")
        assert failure(tmp_path / "a.obj") == "is not a regular file"

    def test_unreadable(self, tmp_path, monkeypatch):
        (tmp_path / "a.obj").write_text(TRIANGLE)

        def refuse(self):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuse)
        assert failure(tmp_path / "a.obj") == "cannot be read (Permission denied)"

    @pytest.mark.parametrize("suffix", ["obj", "ply", "stl", "off", "glb", "gltf", "3mf"])
    def test_empty(self, tmp_path, suffix):
        assert failure_of(tmp_path, f"a.{suffix}", b"") == "empty file"

    @pytest.mark.parametrize("name", ["a.xyz", "a"])
    def test_unknown_format(self, tmp_path, name):
        assert failure_of(tmp_path, name, TRIANGLE).startswith("unknown format")

    @pytest.mark.parametrize("suffix", ["obj", "ply", "stl", "off", "glb", "gltf", "3mf"])
    def test_an_image_under_a_wrong_name(self, tmp_path, suffix):
        failure_of(tmp_path, f"a.{suffix}", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4)

    def test_line_breaks_in_names_and_reasons(self, tmp_path):
        with pytest.raises(MeshFileError) as caught:
            read_mesh(tmp_path / "a\nb.obj")
        assert str(caught.value).isprintable()

    @pytest.mark.parametrize("error", [MemoryError(), RecursionError(), KeyError("x"), SystemError("odd")])
    def test_whatever_a_parser_raises(self, tmp_path, monkeypatch, error):
        def stumble(data, folder):
            raise error

        monkeypatch.setitem(reading._PARSERS, ".obj", stumble)
        failure_of(tmp_path, "a.obj", TRIANGLE)

    def test_nothing_reaches_the_screen(self, tmp_path, capfd):
        failure_of(tmp_path, "a.obj", TRIANGLE.replace("0 1 0", "1e400 nan 0"))
        assert capfd.readouterr() == ("", "")


class TestGeometry:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("# nothing\n", "empty: neither vertices nor faces"),
            ("v 0 0 0\nv 1 0 0\n", "no faces, only 2 points"),
            ("v 0 0 0\nv 1 0 0\nf 1 2\n", "no faces with 3 corners or more"),
            (TRIANGLE.replace("1 0 0", "nan 0 0"), "NaN or infinite coordinates"),
            (TRIANGLE.replace("1 0 0", "-inf 0 0"), "NaN or infinite coordinates"),
            (TRIANGLE.replace("1 0 0", "1e300 0 0"), "absurd coordinates: up to 1e+300"),
            (TRIANGLE.replace("1 0 0", "3e38 0 0").replace("0 1 0", "-3e38 0 0"), "absurd coordinates"),
            ("v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", "zero extent"),
            ("v 1 1 1\nv 1 1 1\nv 2 1 1\nf 1 2 3\n", "no area: every face has two corners"),
            ("v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n", "no area: the corners of every face lie on a line"),
            (TRIANGLE.replace("f 1 2 3", "f 1 2 4"), "face indices out of range: 3, of 3 vertices"),
            (TRIANGLE.replace("f 1 2 3", "f 1 2 -4"), "face indices out of range: -1"),
            (TRIANGLE.replace("f 1 2 3", "f 0 1 2"), "a face corner without a vertex, or vertex 0"),
            (TRIANGLE.replace("f 1 2 3", "f 1 2 99999999999999999999"), "a face index that is not an integer"),
            (TRIANGLE.replace("f 1 2 3", "f 1 2 three"), "a face index that is not an integer"),
            (TRIANGLE.replace("1 0 0", "1 zero 0"), "a vertex that is not a number"),
            (TRIANGLE.replace("1 0 0", "1 0"), "a vertex with fewer than 3 coordinates"),
            (TRIANGLE + "f 1 2", "truncated: the last line is an unfinished face"),
        ],
    )
    def test_reason(self, tmp_path, text, reason):
        assert failure_of(tmp_path, "a.obj", text).startswith(reason)

    def test_too_many_for_int32(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_soup, "MAX_COUNT", 3)
        text = TRIANGLE + "f 1 2 3\n" * 3
        assert failure_of(tmp_path, "a.obj", text).startswith("too large: 4 triangles")


class TestTextFormats:
    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("a.ply", "ply\nformat ascii 1.0\nelement vertex 3\n", "truncated: the PLY header"),
            ("a.ply", PLY.format("ascii", 3, 0) + "0 0 0\n1 0 0\n0 1 0\n", "no faces, only 3 points"),
            ("a.ply", PLY.format("ascii", 3, 1) + "0 0 0\n1 0 0\n0 1 0\n", "truncated"),
            ("a.ply", PLY.format("ascii", 3, 1) + "0 0 0\n1 0 0\n0 1\n3 0 1 2\n", "truncated"),
            ("a.ply", PLY.format("binary_little_endian", 4 * 10**9, 1), "truncated: 4,000,000,000 vertex"),
            ("a.ply", PLY.format("ascii", 3, 1).replace("float z", "float w"), "truncated"),
            (
                "a.ply",
                PLY.format("ascii", 3, 1).replace("float", "quaternion"),
                "PLY header line not understood",
            ),
            ("a.ply", PLY.format("binary_middle_endian", 3, 1), "PLY header line not understood"),
            (
                "a.ply",
                PLY.format("ascii", 3, 1) + "0 0 0\n1 0 0\n0 1 0\n3 0 1 0.5\n",
                "a face index that is no",
            ),
            ("a.ply", PLY.format("ascii", 3, 1) + "0 0 0\n1 0 0\n0 1 0\n-3 0 1 2\n", "a list of length -3"),
            ("a.off", "OFF BINARY\n" + "\0" * 99, "binary OFF, which meshset does not read"),
            ("a.off", "4OFF\n1 1 0\n", "OFF with other than three dimensions"),
            ("a.off", "OFF\n", "no vertex and face counts"),
            (
                "a.off",
                "OFF\n3 9999999999 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n",
                "truncated: 3 vertices and 9,999,999,999",
            ),
            ("a.off", "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1\n", "a face with fewer corners"),
            (
                "a.stl",
                "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\n",
                "truncated: a solid has no endsolid",
            ),
            ("a.stl", "solid a\nouter loop\nvertex 0 0 0\nendloop\nendsolid\n", "1 facet with 1 vertices"),
            ("a.stl", "solid a\nendsolid a\n", "empty: neither vertices nor faces"),
            ("a.stl", bytes(80) + struct.pack("<I", 2**32 - 1) + bytes(50), "truncated, or not STL"),
        ],
    )
    def test_reason(self, tmp_path, name, content, reason):
        assert failure_of(tmp_path, name, content).startswith(reason)


def tree(**changes: object) -> dict:
    buffer = base64.b64encode(MESH.vertices.tobytes()).decode()
    return {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "mode": 6}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteLength": 48}],
        "buffers": [{"byteLength": 48, "uri": f"data:application/octet-stream;base64,{buffer}"}],
        **changes,
    }


class TestGltf:
    def test_the_tree_itself_is_sound(self, tmp_path):
        path = tmp_path / "a.gltf"
        path.write_text(json.dumps(tree()))
        assert len(read_mesh(path).mesh.faces) == 2

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"asset": {"version": "1.0"}}, "not glTF version 2"),
            ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "Draco-compressed glTF"),
            ({"extensionsRequired": ["EXT_mesh_gpu_growing"]}, "needs the glTF extension EXT_mesh_gpu_growing"),
            ({"nodes": [{"mesh": 0, "children": [0]}]}, "its nodes form no tree"),
            ({"nodes": [{"mesh": 7}]}, "refers to meshes 7, which is missing"),
            ({"nodes": [{"mesh": -1}]}, "refers to meshes -1, which is missing"),
            ({"nodes": [{"mesh": 0, "rotation": "abc"}]}, "damaged"),
            ({"buffers": [{"byteLength": 48, "uri": "gone.bin"}]}, "its buffer 'gone.bin' is missing"),
            ({"buffers": [{"byteLength": 48}]}, "a buffer without data"),
            ({"buffers": [{"byteLength": 48, "uri": "data:;base64,AAAA"}]}, "truncated: buffer of 48 bytes"),
            ({"bufferViews": [{"buffer": 0, "byteLength": 480}]}, "truncated: a buffer view"),
            ({"bufferViews": [{"buffer": 0, "byteLength": 48, "byteOffset": -4}]}, "byteOffset is -4"),
        ],
    )
    def test_reason(self, tmp_path, changes, reason):
        assert failure_of(tmp_path, "a.gltf", json.dumps(tree(**changes))).startswith(reason)

    @pytest.mark.parametrize("count", [5, 2**31, 10**30])
    def test_accessor_beyond_its_view(self, tmp_path, count):
        content = tree()
        content["accessors"][0]["count"] = count
        assert failure_of(tmp_path, "a.gltf", json.dumps(content)).startswith("truncated: an accessor")

    def test_draco_without_the_requirement(self, tmp_path):
        content = tree()
        del content["accessors"][0]["bufferView"]
        content["meshes"][0]["primitives"][0]["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0}}
        assert failure_of(tmp_path, "a.gltf", json.dumps(content)).startswith("Draco-compressed glTF")

    @pytest.mark.parametrize("uri", ["../secret.bin", "%2e%2e/secret.bin", "link.bin", "file:secret.bin", "{}"])
    def test_reads_nothing_outside_its_folder(self, tmp_path, uri):
        secret = tmp_path / "secret.bin"
        secret.write_bytes(MESH.vertices.tobytes())
        folder = tmp_path / "models"
        folder.mkdir()
        (folder / "link.bin").symlink_to(secret)
        buffers = [{"byteLength": 48, "uri": uri.format(secret)}]
        assert "outside its own folder" in failure_of(folder, "a.gltf", json.dumps(tree(buffers=buffers)))

    def test_deep_nesting(self, tmp_path):
        failure_of(tmp_path, "a.gltf", "[" * 200_000)


class Test3mf:
    def test_declared_size(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_threemf, "MAX_INFLATED", 1000)
        path = model_3mf(tmp_path / "a.3mf", os.urandom(600).hex())
        assert failure(path).startswith("would inflate to 1,200 bytes")

    def test_compression_ratio(self, tmp_path):
        path = model_3mf(tmp_path / "a.3mf", bytes(3 * 2**20))
        assert failure(path).startswith("suspicious compression")

    def test_sizes_are_checked_before_inflating(self, tmp_path, monkeypatch):
        def inflate(self, *_):
            raise AssertionError("inflated")

        path = model_3mf(tmp_path / "a.3mf", bytes(3 * 2**20))
        monkeypatch.setattr(zipfile.ZipFile, "open", inflate)
        assert failure(path).startswith("suspicious compression")

    def test_entities(self, tmp_path):
        bomb = '<!DOCTYPE m [<!ENTITY a "aaaa">]><model><resources>&a;</resources></model>'
        assert "document type" in failure(model_3mf(tmp_path / "a.3mf", bomb))

    @pytest.mark.parametrize(
        ("model", "reason"),
        [
            ("<model><resources>", "damaged XML"),
            ("<model/>", "empty: neither vertices nor faces"),
            ('<model><build><item objectid="5"/></build></model>', "refers to object 5"),
            (
                '<model><object id="1"><vertex x="0" y="0"/></object></model>',
                "an element without its attribute 'z'",
            ),
            ('<model><object id="1"/><object id="1"/></model>', "two objects with id 1"),
        ],
    )
    def test_reason(self, tmp_path, model, reason):
        assert failure(model_3mf(tmp_path / "a.3mf", model)).startswith(reason)

    @pytest.mark.parametrize("doubling", [True, False])
    def test_components_that_multiply_or_loop(self, tmp_path, doubling):
        copies = 2 if doubling else 1
        objects = "".join(
            f'<object id="{i}">' + f'<component objectid="{i + 1 if doubling else i}"/>' * copies + "</object>"
            for i in range(40)
        )
        model = f'<model>{objects}<object id="40"/><build><item objectid="0"/></build></model>'
        assert "nested in a circle, too deeply or too often" in failure(model_3mf(tmp_path / "a.3mf", model))

    def test_instances_add_up(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_soup, "MAX_PLACED_FACES", 5)
        points = "".join(f'<vertex x="{x}" y="{y}" z="0"/>' for x, y in ((0, 0), (1, 0), (0, 1)))
        mesh = f'<object id="1">{points}<triangle v1="0" v2="1" v3="2"/></object>'
        items = '<item objectid="1"/>' * 6
        path = model_3mf(tmp_path / "a.3mf", f"<model>{mesh}<build>{items}</build></model>")
        assert "more than 5 triangles" in failure(path)

    def test_an_index_of_one_part_does_not_reach_into_the_next(self, tmp_path):
        points = "".join(f'<vertex x="{x}" y="{y}" z="0"/>' for x, y in ((0, 0), (1, 0), (0, 1)))
        mesh = '<object id="{}">' + points + '<triangle v1="0" v2="1" v3="{}"/></object>'
        build = '<build><item objectid="1"/><item objectid="2"/></build>'
        model = f"<model>{mesh.format(1, 3)}{mesh.format(2, 2)}{build}</model>"
        assert failure(model_3mf(tmp_path / "a.3mf", model)).startswith("face indices out of range")


def whole_files(folder: Path) -> dict[str, bytes]:
    """A small sound file of every format."""
    points = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in MESH.vertices.tolist())
    faces = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in MESH.faces.tolist())
    model_3mf(folder / "a.3mf", f'<model><object id="1">{points}{faces}</object></model>')
    for suffix in ("obj", "ply", "stl", "off", "glb"):
        write_mesh(MESH, folder / f"a.{suffix}")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    rows = "\n".join(["0 0 0", "1 0 0", "0 1 0", "0 0 1", "3 0 1 2", "3 0 1 3", ""])
    files["b.ply"] = (PLY.format("ascii", 4, 2) + rows).encode()
    facet = "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
    files["b.stl"] = f"solid a\n{facet}endsolid a\n".encode()
    files["b.gltf"] = json.dumps(tree()).encode()
    return files


NAMES = ["a.obj", "a.ply", "b.ply", "a.stl", "b.stl", "a.off", "a.glb", "b.gltf", "a.3mf"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    return whole_files(tmp_path_factory.mktemp("whole"))


def reads_or_fails(path: Path) -> bool:
    """Whether `path` reads; any exception but `MeshFileError` fails the test."""
    try:
        mesh = read_mesh(path).mesh
    except MeshFileError:
        return False
    assert np.isfinite(mesh.vertices).all()
    assert mesh.faces.max() < len(mesh.vertices)
    return True


@pytest.mark.parametrize("name", NAMES)
def test_truncation_sweep(tmp_path, files, name):
    data, path = files[name], tmp_path / name
    path.write_bytes(data)
    assert reads_or_fails(path)
    for length in sorted({*range(0, len(data), max(1, len(data) // 60)), len(data) - 1, len(data) - 2}):
        path.write_bytes(data[:length])
        reads_or_fails(path)


@pytest.mark.parametrize("name", ["a.ply", "a.stl", "a.off", "a.glb", "b.gltf", "a.3mf", "b.ply"])
def test_half_a_file_never_reads(tmp_path, files, name):
    path = tmp_path / name
    path.write_bytes(files[name][: len(files[name]) // 2])
    assert not reads_or_fails(path)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_changed(tmp_path, files, name, data):
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / name
    path.write_bytes(content)
    reads_or_fails(path)
