"""What `read_mesh` makes of well-formed files of every format."""

import base64
import json
import struct
import sys
import zipfile
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshset.errors import MeshFileError
from meshset.geometry import SUPPORTED_SUFFIXES, Reading, read_mesh

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
IDENTITY = "1 0 0 0 1 0 0 0 1"


def read(tmp_path: Path, name: str, content: str | bytes) -> Reading:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_mesh(path)


def area(reading: Reading) -> float:
    a, b, c = np.moveaxis(reading.mesh.triangles, 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def area_vector(reading: Reading) -> list[float]:
    a, b, c = np.moveaxis(reading.mesh.triangles, 1, 0)
    return list(np.cross(b - a, c - a).sum(axis=0) / 2)


def gltf(positions: bytes, primitive: dict, accessor: dict, **tree: object) -> dict:
    """A glTF tree of one primitive whose buffer is inside the JSON."""
    primitive = {"attributes": {"POSITION": 0}, **primitive}
    uri = "data:application/octet-stream;base64," + base64.b64encode(positions).decode()
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", **accessor}],
        "bufferViews": [{"buffer": 0, "byteLength": len(positions)}],
        "buffers": [{"byteLength": len(positions), "uri": uri}],
        **tree,
    }


def fan(**tree: object) -> dict:
    return gltf(SQUARE.astype("<f4").tobytes(), {"mode": 6}, {}, **tree)


def object_3mf(number: int, z: float) -> str:
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    vertices = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y in corners)
    faces = '<triangle v1="0" v2="1" v3="2"/><triangle v1="0" v2="2" v3="3"/>'
    body = f"<mesh><vertices>{vertices}</vertices><triangles>{faces}</triangles></mesh>"
    return f'<object id="{number}">{body}</object>'


def write_3mf(path: Path, resources: str, build: str, unit: str = "millimeter", **parts: str) -> Path:
    space = 'xmlns:p="http://schemas.microsoft.com/3dmanufacturing/production/2015/06"'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(f"3D/Objects/{name}.model", f"<model><resources>{content}</resources></model>")
        model = f"<resources>{resources}</resources><build>{build}</build>"
        archive.writestr("3D/3dmodel.model", f'<model unit="{unit}" {space}>{model}</model>')
    return path


def test_types_and_suffixes(tmp_path):
    mesh = read(tmp_path, "a.OBJ", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n").mesh
    assert mesh.vertices.dtype == np.float64
    assert mesh.faces.dtype == np.int32
    assert {".obj", ".ply", ".stl", ".off", ".glb", ".gltf", ".3mf"} == SUPPORTED_SUFFIXES


def test_import_is_light():
    code = "import sys, meshset.geometry; sys.exit(any(m in sys.modules for m in ('trimesh', 'scipy', 'igl')))"
    assert run([sys.executable, "-c", code], check=False).returncode == 0


class TestObj:
    def test_polygons_groups_and_attributes(self, tmp_path):
        text = (
            "# a comment\nmtllib x.mtl\ng one\nv 0 0 0 0.1 0.2 0.3\r\nv 1 0 0 1 1 1\nv 1 1 0 nan nan nan\n"
            "v 0 1 0 1 1 1\nv 0.5 0.5 1 1 1 1\nvt 0 0\nvn 0 0 1\nusemtl m\n"
            "f 1/1/1 2/1/1 3/1/1 4/1/1 # quad\ng two\nf 1// 2// \\\n 5//\nl 1 2\n"
        )
        reading = read(tmp_path, "a.obj", text)
        assert reading.mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 4]]
        assert set(reading.notes) == {
            "vertex colours dropped",
            "texture coordinates dropped",
            "normals dropped",
            "materials dropped",
            "lines dropped",
            "2 groups joined into one mesh",
            "1 polygon triangulated",
        }

    def test_negative_indices_count_from_the_line(self, tmp_path):
        block = "v 0 0 {0}\nv 1 0 {0}\nv 0 1 {0}\nf -3 -2 -1\n"
        reading = read(tmp_path, "a.obj", block.format(0) + block.format(5))
        assert reading.mesh.faces.tolist() == [[0, 1, 2], [3, 4, 5]]
        assert reading.notes == ()

    def test_concave_polygon_does_not_fold(self, tmp_path):
        # Corner 1 sees past the dent at corner 4, so a fan around it would fold.
        text = "v 0 0 0\nv 2 0 0\nv 4 4 0\nv 2 1 0\nv 0 4 0\nv -1 3 0\nf 2 3 4 5 6 1\n"
        reading = read(tmp_path, "a.obj", text)
        assert area(reading) == pytest.approx(abs(area_vector(reading)[2]))
        assert len(reading.mesh.faces) == 4

    @given(st.integers(4, 12), st.randoms(use_true_random=False))
    def test_star_polygons_keep_their_area(self, tmp_path_factory, count, random):
        angles = np.arange(count) / count * 2 * np.pi
        radii = [random.uniform(0.1, 1) for _ in angles]
        lines = [f"v {r * np.cos(a)} {r * np.sin(a)} {a * 0}" for r, a in zip(radii, angles, strict=True)]
        face = "f " + " ".join(str(i + 1) for i in range(count))
        reading = read(tmp_path_factory.mktemp("obj"), "a.obj", "\n".join([*lines, face, ""]))
        assert len(reading.mesh.faces) == count - 2
        assert area(reading) == pytest.approx(area_vector(reading)[2])

    def test_seams_are_closed(self, tmp_path):
        text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 0 -0\nv 1 1 0\nv 0 1 0\nf 1 2 3\nf 4 5 6\n"
        reading = read(tmp_path, "a.obj", text)
        assert reading.mesh.faces.tolist() == [[0, 1, 2], [1, 3, 2]]
        assert reading.notes == ("2 vertices merged with another at the same position",)

    def test_nothing_is_removed_without_a_word(self, tmp_path):
        text = "v 9 9 9\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv nan 0 0\nf 2 3 4\nf 4 3 2\nf 2 2 3\nf 2 3\n"
        reading = read(tmp_path, "a.obj", text)
        assert reading.mesh.faces.tolist() == [[0, 1, 2], [2, 1, 0]]
        assert set(reading.notes) == {
            "1 face with fewer than 3 corners ignored",
            "2 unreferenced vertices dropped",
            "1 degenerate face removed (two corners at one position)",
            "1 duplicate face kept",
        }

    def test_far_from_the_origin_is_noted(self, tmp_path):
        text = "v 500000 0 0\nv 500001 0 0\nv 500000 1 0\nf 1 2 3\n"
        assert read(tmp_path, "a.obj", text).notes[0].startswith("far from the origin")


PLY_HEADER = (
    "ply\nformat {} 1.0\ncomment made by a test\nelement vertex 4\nproperty {}x\nproperty {}y\nproperty {}z\n"
    "property uchar red\nelement face 2\n{}property list uchar int vertex_indices\nend_header\n"
)


class TestPly:
    def test_text_with_mixed_polygons(self, tmp_path):
        text = PLY_HEADER.format("ascii", *["float "] * 3, "")
        rows = "0 0 0 255\n1 0 0 255\n1 1 0 255\n0 1 0 255\n3 0 1 2\n4 0 1 2 3\n"
        reading = read(tmp_path, "a.ply", text + rows)
        assert reading.mesh.faces.tolist() == [[0, 1, 2], [0, 1, 2], [0, 2, 3]]
        assert "colours dropped" in reading.notes
        assert "1 polygon triangulated" in reading.notes

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("sizes", [(3, 3), (3, 4)])
    def test_binary(self, tmp_path, order, sizes):
        kind = "binary_little_endian" if order == "<" else "binary_big_endian"
        header = PLY_HEADER.format(kind, *["double "] * 3, "property short group\n").encode()
        body = b"".join(struct.pack(order + "dddB", *row, 7) for row in SQUARE)
        for size in sizes:
            body += struct.pack(f"{order}hB{size}i", 1, size, *range(size))
        reading = read(tmp_path, "a.ply", header + body)
        assert reading.mesh.vertices.tolist() == SQUARE[: max(sizes)].tolist()
        assert len(reading.mesh.faces) == sum(sizes) - 4
        assert "further properties dropped: group" in reading.notes

    def test_values_that_the_header_does_not_announce(self, tmp_path):
        rows = "0 0 0 1\n1 0 0 1\n1 1 0 1\n0 1 0 1\n3 0 1 2 9 1\n3 0 2 3 9 1\n"
        reading = read(tmp_path, "a.ply", PLY_HEADER.format("ascii", *["float "] * 3, "") + rows)
        assert reading.mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
        assert "4 values beyond what the header announces ignored" in reading.notes


FACET = "facet normal 0 0 1\n outer loop\n  vertex {}\n  vertex {}\n  vertex {}\n endloop\nendfacet\n"


class TestStl:
    def test_text_solids_share_vertices(self, tmp_path):
        first = FACET.format("0 0 0", "1 0 0", "0 1 0")
        second = FACET.format("1 0 0", "1 1e0 0", "0 1 0").upper()
        text = f"solid a\n{first}endsolid a\nSOLID vertex\n{second}ENDSOLID"
        reading = read(tmp_path, "a.stl", text)
        assert reading.mesh.faces.tolist() == [[0, 1, 2], [1, 3, 2]]
        assert "2 solids joined into one mesh" in reading.notes
        assert "2 vertices merged with another at the same position" in reading.notes

    def test_binary_that_begins_with_solid(self, tmp_path):
        record = struct.pack("<12fH", 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 5)
        data = b"solid but binary".ljust(80) + struct.pack("<I", 1) + record
        reading = read(tmp_path, "a.stl", data)
        assert reading.mesh.faces.tolist() == [[0, 1, 2]]
        assert reading.notes == ("normals dropped", "colours (attribute bytes) dropped")


class TestOff:
    def test_comments_white_space_and_colours(self, tmp_path):
        text = "# first\n\t \n COFF5 2 # counts\n\n0 0 0 1 1 1 1\r\n1 0 0\t1 1 1 1\n1 1 0\n\n0 1 0\n5 5 5\n"
        reading = read(tmp_path, "a.off", text + "4  0 1 2 3  1.0 0 0 0.7\n3 0 1 2 # end")
        assert reading.mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 2]]
        assert reading.notes[0] == "colours dropped"
        assert "1 unreferenced vertex dropped" in reading.notes


class TestGltf:
    def test_nodes_are_placed_by_their_transforms(self, tmp_path):
        half = 0.5**0.5
        nodes = [
            {"translation": [10, 0, 0], "children": [1, 2]},
            {"mesh": 0, "rotation": [0, 0, half, half], "scale": [2, 1, 1]},
            {"mesh": 0, "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 3, 1]},
        ]
        reading = read(tmp_path, "a.gltf", json.dumps(fan(nodes=nodes)))
        first, second = reading.mesh.vertices[:4], reading.mesh.vertices[4:]
        assert np.allclose(first, [[10, 0, 0], [10, 2, 0], [9, 2, 0], [9, 0, 0]])
        assert np.allclose(second, SQUARE + np.array([10, 0, 3]))
        assert reading.notes == ("2 parts joined into one mesh",)

    def test_mirrored_node_keeps_its_outside(self, tmp_path):
        tree = fan(nodes=[{"mesh": 0, "scale": [1, 1, -1]}])
        assert area_vector(read(tmp_path, "a.gltf", json.dumps(tree))) == [0, 0, -1]

    def test_strip(self, tmp_path):
        positions = SQUARE[[0, 1, 3, 2]].astype("<f4").tobytes()
        reading = read(tmp_path, "a.gltf", json.dumps(gltf(positions, {"mode": 5}, {})))
        assert area_vector(reading) == [0, 0, 1]

    def test_normalised_integers_with_stride(self, tmp_path):
        rows = np.zeros((4, 4), "<i2")
        rows[:, :3] = SQUARE * 32767
        tree = gltf(rows.tobytes(), {"mode": 6}, {"componentType": 5122, "normalized": True})
        tree["bufferViews"][0]["byteStride"] = 8
        assert read(tmp_path, "a.gltf", json.dumps(tree)).mesh.vertices.tolist() == SQUARE.tolist()

    def test_sparse_positions(self, tmp_path):
        positions = SQUARE[1:].astype("<f4").tobytes() + bytes([1, 2, 3])
        sparse = {
            "count": 3,
            "indices": {"bufferView": 1, "componentType": 5121},
            "values": {"bufferView": 0},
        }
        tree = gltf(positions, {"mode": 6}, {"sparse": sparse})
        del tree["accessors"][0]["bufferView"]
        tree["bufferViews"].append({"buffer": 0, "byteOffset": 36, "byteLength": 3})
        assert read(tmp_path, "a.gltf", json.dumps(tree)).mesh.vertices.tolist() == SQUARE.tolist()

    def test_buffer_beside_the_file(self, tmp_path):
        tree = fan()
        (tmp_path / "my data.bin").write_bytes(SQUARE.astype("<f4").tobytes())
        tree["buffers"][0]["uri"] = "my%20data.bin"
        assert len(read(tmp_path, "a.gltf", json.dumps(tree)).mesh.faces) == 2

    def test_glb_with_lines_and_points_beside_the_surface(self, tmp_path):
        binary = SQUARE.astype("<f4").tobytes() + np.array([0, 1, 2], "<u2").tobytes() + b"\0\0"
        tree = gltf(binary, {"indices": 1, "material": 0}, {})
        del tree["buffers"][0]["uri"]
        tree["accessors"].append({"bufferView": 1, "componentType": 5123, "count": 3, "type": "SCALAR"})
        tree["bufferViews"].append({"buffer": 0, "byteOffset": 48, "byteLength": 6})
        tree["meshes"][0]["primitives"] += [{"attributes": {"POSITION": 0}, "mode": mode} for mode in (0, 1)]
        text = json.dumps(tree).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
        chunks += struct.pack("<II", len(binary), 0x004E4942) + binary
        data = struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
        reading = read(tmp_path, "a.glb", data)
        assert reading.mesh.vertices.tolist() == SQUARE[:3].tolist()
        assert "1 primitive of points ignored" in reading.notes
        assert "1 primitive of lines ignored" in reading.notes
        assert "materials dropped" in reading.notes


class Test3mf:
    def test_two_placed_objects(self, tmp_path):
        build = f'<item objectid="1"/><item objectid="2" transform="{IDENTITY} 0 0 7"/>'
        path = write_3mf(tmp_path / "a.3mf", object_3mf(1, 0) + object_3mf(2, 1), build, unit="inch")
        reading = read_mesh(path)
        assert reading.mesh.vertices.tolist() == [*SQUARE.tolist(), *(SQUARE + np.array([0, 0, 8])).tolist()]
        assert reading.notes == ("unit 'inch' dropped, coordinates kept", "2 parts joined into one mesh")

    def test_rotation_follows_row_vectors(self, tmp_path):
        build = '<item objectid="1" transform="0 1 0 -1 0 0 0 0 1 0 0 0"/>'
        reading = read_mesh(write_3mf(tmp_path / "a.3mf", object_3mf(1, 0), build))
        assert reading.mesh.vertices.tolist() == [[0, 0, 0], [0, 1, 0], [-1, 1, 0], [-1, 0, 0]]

    def test_components_of_another_part_are_read_once_each(self, tmp_path):
        names = "".join(
            f'<component p:path="/3D/Objects/sub.model" objectid="{i}" transform="{IDENTITY} {i} 0 0"/>' for i in (1, 2)
        )
        resources = f'<object id="9"><components>{names}</components></object>'
        build = f'<item objectid="9" transform="{IDENTITY} 0 0 1"/>'
        parts = object_3mf(1, 0) + object_3mf(2, 5)
        reading = read_mesh(write_3mf(tmp_path / "a.3mf", resources, build, sub=parts))
        expected = [*(SQUARE + np.array([1, 0, 1])).tolist(), *(SQUARE + np.array([2, 0, 6])).tolist()]
        assert reading.mesh.vertices.tolist() == expected

    def test_without_a_build(self, tmp_path):
        reading = read_mesh(write_3mf(tmp_path / "a.3mf", object_3mf(1, 0), ""))
        assert len(reading.mesh.faces) == 2
        assert reading.notes == ("no build items: every object placed as it is",)


def test_error_is_one_line_with_the_file_name(tmp_path):
    with pytest.raises(MeshFileError, match=r"a b\.obj: no faces, only 1 point$"):
        read(tmp_path, "a b.obj", "v 0 0 0\n")
