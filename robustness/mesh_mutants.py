"""Small mesh files of every format and their mutants; of packed formats also what lies inside."""

from __future__ import annotations

import base64
import io
import json
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from meshset.geometry import Mesh, write_mesh
from robustness.mutations import mutated, number

WORDS = (
    *("0", "-1", "1", "3", "4", "-4", "255", "65536", "2147483647", "2147483648", "-2147483649", "4294967295"),
    *(
        "99999999999999999999",
        "1e300",
        "-1e300",
        "1e39",
        "1e-320",
        "nan",
        "-inf",
        "1e999",
        "0x10",
        "1_0",
        "",
        "\\",
        "#",
    ),
    *("1/", "//", "v", "f", "[", "{", "null", "true", "\u0661", "9" * 5000),
)
FORMATS = ("obj", "ply", "stl", "off", "glb", "gltf", "3mf")
KINDS = [f"{suffix} {what}" for suffix in FORMATS for what in ("bytes", "text", "run")]
_TOKEN = re.compile(rb"[-+]?[0-9][-+.0-9eE]*")


@dataclass(frozen=True)
class Seed:
    """A sound file.

    Attributes:
        suffix: what its name ends with.
        data: its bytes.
        text: what may be changed word by word: the file, or the JSON or XML inside; empty where there is none.
        packed: makes a file of changed text.
    """

    suffix: str
    data: bytes
    text: bytes = b""
    packed: Callable[[bytes], bytes] = bytes


@dataclass(frozen=True)
class Mutant:
    """A changed file: its kind is the format and what was changed."""

    kind: str
    suffix: str
    data: bytes


def seeds() -> list[Seed]:
    """Return sound files, some of one format with other features."""
    mesh = _mesh()
    with TemporaryDirectory() as name:
        written = {}
        for suffix in ("obj", "ply", "stl", "off", "glb"):
            write_mesh(mesh, Path(name) / f"a.{suffix}")
            written[suffix] = (Path(name) / f"a.{suffix}").read_bytes()
    texts = {
        "obj": [written["obj"], _polygons_obj(mesh)],
        "ply": [_ascii_ply(mesh)],
        "off": [written["off"]],
        "stl": [_text_stl(mesh)],
        "gltf": [_gltf(mesh), _posed_gltf(mesh)],
    }
    model = _model(mesh)
    return [
        *(Seed(suffix, text, text) for suffix, some in texts.items() for text in some),
        Seed("ply", written["ply"]),
        Seed("ply", _mixed_ply(mesh, "<")),
        Seed("ply", _mixed_ply(mesh, ">")),
        Seed("ply", _strips_ply(mesh)),
        Seed("stl", written["stl"]),
        Seed("stl", _payload_stl(mesh)),
        Seed("glb", written["glb"], _json_of(written["glb"]), lambda text: _with_json(written["glb"], text)),
        Seed("3mf", _zipped(model), model, _zipped),
    ]


def unchanged(seeds: Sequence[Seed]) -> list[Mutant]:
    """Return the seeds themselves."""
    return [Mutant("none", seed.suffix, seed.data) for seed in seeds]


def mutant(rng: random.Random, seeds: Sequence[Seed]) -> Mutant:
    """Return a mutant of one of the seeds."""
    seed = rng.choice(seeds)
    others = [other.data for other in seeds]
    if rng.random() < 0.02:
        return Mutant(f"{seed.suffix} run", seed.suffix, seed.packed(_with_run(rng, seed.text or seed.data)))
    if not seed.text or rng.random() < 0.3:
        return Mutant(f"{seed.suffix} bytes", seed.suffix, mutated(rng, seed.data, others))
    reworded = rng.random() < 0.7
    text = _reworded(rng, seed.text) if reworded else mutated(rng, seed.text, [other.text for other in seeds])
    return Mutant(f"{seed.suffix} text", seed.suffix, seed.packed(text))


def _with_run(rng: random.Random, content: bytes) -> bytes:
    """Return content with a short piece many times in a row: what takes quadratic time takes too long."""
    at = rng.randrange(len(content) + 1)
    piece = rng.choice(
        (b"\n", b" ", b"\t", b"\r", b"#", b"/", b"\\\n", b"9", b"[", b"<a>", content[at : at + rng.randrange(1, 20)])
    )
    return content[:at] + piece * rng.choice((1_000, 30_000, 200_000)) + content[at:]


def _reworded(rng: random.Random, text: bytes) -> bytes:
    """Return text with some numbers replaced, or lines taken out, repeated or moved."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        if rng.random() < 0.7:
            places = list(_TOKEN.finditer(text))
            if places:
                place = rng.choice(places)
                word = rng.choice(WORDS) if rng.random() < 0.7 else str(number(rng, 1 << 32))
                text = text[: place.start()] + word.encode() + text[place.end() :]
        else:
            lines = re.split(rb"(?<=[\n>,])", text)
            at, count = rng.randrange(len(lines)), rng.randrange(1, 4)
            piece = lines[at : at + count]
            if rng.random() < 0.6:
                del lines[at : at + count]
            if rng.random() < 0.6:
                to = rng.randrange(len(lines) + 1)
                lines[to:to] = piece * rng.choice((1, 1, 30))
            text = b"".join(lines)
    return text


def _mesh() -> Mesh:
    """Return an octahedron, off centre."""
    vertices = np.concatenate([np.eye(3), -np.eye(3)]) + np.array([3.0, 0.5, -2.0])
    faces = [(0, 1, 2), (1, 3, 2), (3, 4, 2), (4, 0, 2), (1, 0, 5), (3, 1, 5), (4, 3, 5), (0, 4, 5)]
    return Mesh(vertices.astype(np.float32), np.array(faces, np.int32))


def _polygons_obj(mesh: Mesh) -> bytes:
    """Return an OBJ file of a concave polygon, quads, groups, relative indices and texture coordinates."""
    rows = [f"v {x} {y} 0 0.5 0.5 0.5" for x, y in ((0, 0), (4, 0), (4, 4), (2, 1), (0, 4))]
    rows += ["vt 0 0", "g one", "f 1/1 2/1 3/1 4/1 5/1", "g two", *(f"v {x} {y} {z}" for x, y, z in mesh.vertices)]
    rows += ["f -6//1 -5 -4 -3", "usemtl red", "l 1 2", "f 6 7 8 \\", " 9"]
    return ("# caf\xe9\n" + "\n".join(rows) + "\n").encode("latin-1")


def _ascii_ply(mesh: Mesh) -> bytes:
    rows = [" ".join(map(str, row)) for row in mesh.vertices.tolist()]
    rows += ["4 0 1 2 3", *(f"3 {a} {b} {c}" for a, b, c in mesh.faces.tolist())]
    return (_ply_header("ascii", len(mesh.vertices), len(mesh.faces) + 1) + "\n".join(rows) + "\n").encode()


def _mixed_ply(mesh: Mesh, order: str) -> bytes:
    """Return a binary PLY file with polygons of several sizes."""
    name = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    faces = [(0, 1, 2, 3), *map(tuple, mesh.faces.tolist())]
    body = mesh.vertices.astype(f"{order}f4").tobytes()
    body += b"".join(struct.pack(f"{order}B{len(face)}i", len(face), *face) for face in faces)
    return _ply_header(name, len(mesh.vertices), len(faces)).encode() + body


def _strips_ply(mesh: Mesh) -> bytes:
    """Return a binary PLY file with a face and triangle strips that -1 ends."""
    header = _ply_header("binary_little_endian", len(mesh.vertices), 1)
    header = header.replace("end_header", "element tristrips 1\nproperty list int int vertex_indices\nend_header")
    strips = [0, 1, 2, 3, 4, -1, *(index for face in mesh.faces.tolist() for index in (*face, -1))]
    body = mesh.vertices.astype("<f4").tobytes() + struct.pack("<B3i", 3, 0, 1, 2)
    return header.encode() + body + struct.pack(f"<i{len(strips)}i", len(strips), *strips)


def _ply_header(encoding: str, vertices: int, faces: int) -> str:
    axes = "".join(f"property float {axis}\n" for axis in "xyz")
    indices = "property list uchar int vertex_indices\n"
    return f"ply\nformat {encoding} 1.0\nelement vertex {vertices}\n{axes}element face {faces}\n{indices}end_header\n"


def _text_stl(mesh: Mesh) -> bytes:
    facets = []
    for corners in mesh.vertices[mesh.faces].tolist():
        rows = "".join(f"vertex {x} {y} {z}\n" for x, y, z in corners)
        facets.append(f"facet normal 0 0 1\nouter loop\n{rows}endloop\nendfacet\n")
    return f"solid a\n{''.join(facets)}endsolid a\n".encode()


def _payload_stl(mesh: Mesh) -> bytes:
    """Return a binary STL file with bytes of an application after each triangle."""
    corners = mesh.vertices[mesh.faces].astype("<f4")
    records = b"".join(bytes(12) + row.tobytes() + struct.pack("<H", i) + bytes(i) for i, row in enumerate(corners))
    return bytes(80) + len(corners).to_bytes(4, "little") + records


def _posed_gltf(mesh: Mesh) -> bytes:
    """Return a glTF file with a skin, a morph target that has a weight, instances and a hidden node."""
    count = len(mesh.vertices)
    columns: list[tuple[str, int, np.ndarray]] = [
        ("VEC3", 5126, mesh.vertices.astype("<f4")),
        ("SCALAR", 5123, mesh.faces.astype("<u2").reshape(-1, 1)),
        ("VEC4", 5121, np.tile(np.uint8([0, 1, 0, 0]), (count, 1))),
        ("VEC4", 5126, np.tile(np.float32([0.25, 0.75, 0, 0]), (count, 1))),
        ("MAT4", 5126, np.tile(np.eye(4, dtype="<f4").reshape(1, 16), (2, 1))),
        ("VEC3", 5126, np.float32([[0, 0, 0], [9, 0, 0]])),
        ("VEC4", 5122, np.int16([[0, 0, 0, 32767], [0, 0, 23170, 23170]])),
    ]
    data, views, accessors = b"", [], []
    for view, (kind, component, values) in enumerate(columns):
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": values.nbytes})
        accessors.append({"bufferView": view, "componentType": component, "count": len(values), "type": kind})
        data += values.tobytes()
    attributes = {"POSITION": 0, "JOINTS_0": 2, "WEIGHTS_0": 3}
    instances = {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 5, "ROTATION": 6}}}
    tree = {
        "asset": {"version": "2.0"},
        "extensionsUsed": ["EXT_mesh_gpu_instancing", "KHR_node_visibility", "ACME_odd"],
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"children": [1, 3, 4, 5], "scale": [2, 2, 2]},
            {"translation": [1, 0, 0], "children": [2]},
            {"rotation": [0, 0, 0.6, 0.8]},
            {"mesh": 0, "skin": 0, "weights": [0.5]},
            {"mesh": 0, "extensions": instances},
            {"mesh": 0, "extensions": {"KHR_node_visibility": {"visible": False}}},
        ],
        "skins": [{"joints": [1, 2], "inverseBindMatrices": 4}],
        "meshes": [
            {"primitives": [{"attributes": attributes, "indices": 1, "targets": [{"POSITION": 0}]}], "weights": [0.25]}
        ],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(data), "uri": "data:;base64," + base64.b64encode(data).decode()}],
    }
    return json.dumps(tree, indent=0).encode()


def _gltf(mesh: Mesh) -> bytes:
    """Return a glTF file with a strip, a sparse accessor, an interleaved view and nested nodes."""
    data = mesh.vertices.tobytes() + mesh.faces.astype("<u2").tobytes()
    points, size = mesh.vertices.nbytes, len(data)
    tree = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0, 1]}],
        "nodes": [
            {"mesh": 0, "children": [2]},
            {"mesh": 1, "translation": [3, 0, 0]},
            {"mesh": 0, "scale": [2, 2, -2]},
        ],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]},
            {"primitives": [{"attributes": {"POSITION": 2}, "mode": 5}]},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": len(mesh.vertices), "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": mesh.faces.size, "type": "SCALAR"},
            {
                "componentType": 5126,
                "count": 6,
                "type": "VEC3",
                "sparse": {
                    "count": 4,
                    "indices": {"bufferView": 1, "componentType": 5123},
                    "values": {"bufferView": 0},
                },
            },
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": points, "byteStride": 12},
            {"buffer": 0, "byteOffset": points, "byteLength": size - points},
        ],
        "buffers": [{"byteLength": size, "uri": "data:;base64," + base64.b64encode(data).decode()}],
    }
    return json.dumps(tree, indent=0).encode()


def _json_of(glb: bytes) -> bytes:
    length = int.from_bytes(glb[12:16], "little")
    return glb[20 : 20 + length]


def _with_json(glb: bytes, text: bytes) -> bytes:
    """Return a GLB file with other JSON, its lengths right."""
    text += b" " * (-len(text) % 4)
    rest = glb[20 + int.from_bytes(glb[12:16], "little") :]
    return glb[:8] + struct.pack("<III", 20 + len(text) + len(rest), len(text), 0x4E4F534A) + text + rest


def _model(mesh: Mesh) -> bytes:
    """Return the XML of a 3MF model with a component and two items."""
    points = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in mesh.vertices.tolist())
    faces = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in mesh.faces.tolist())
    solid = f'<object id="1"><mesh><vertices>{points}</vertices><triangles>{faces}</triangles></mesh></object>'
    group = (
        '<object id="2"><components><component objectid="1" transform="1 0 0 0 1 0 0 0 1 5 5 5"/></components></object>'
    )
    build = '<build><item objectid="1"/><item objectid="2" transform="1 0 0 0 1 0 0 0 1 0 0 9"/></build>'
    slices = '<s:slicestack id="3"><s:slice ztop="1"><s:vertex x="0" y="0"/></s:slice></s:slicestack>'
    spaces = 'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" xmlns:s="urn:slices"'
    model = f"<model {spaces}><resources>{solid}{group}{slices}</resources>{build}</model>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{model}'.encode()


def _zipped(model: bytes) -> bytes:
    file = io.BytesIO()
    part = zipfile.ZipInfo("3D/3dmodel.model")  # dated 1980, so that the same model gives the same bytes
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(part, model, zipfile.ZIP_DEFLATED, zlib.Z_BEST_SPEED)
    return file.getvalue()
