"""glTF 2.0: scenes of .gltf and .glb files.

trimesh reads sparse positions as zeros, skips triangle fans, and leaves normalised integers unscaled, all
without a word; hence a reader of our own for what concerns the surface.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._gltf_data import GltfData, entry
from meshset.geometry._soup import Assembly, MalformedError, Soup, counted

_JSON_CHUNK, _BINARY_CHUNK = 0x4E4F534A, 0x004E4942
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_DRACO = "KHR_draco_mesh_compression"
# Required extensions that change looks only, or that this reader honours (quantised positions).
_HARMLESS = ("KHR_materials", "KHR_texture", "EXT_texture", "KHR_lights", "KHR_mesh_quantization")
_DROPPED = (
    ("NORMAL", "normals"),
    ("TANGENT", "tangents"),
    ("TEXCOORD", "texture coordinates"),
    ("COLOR", "colours"),
    ("JOINTS", "skinning (mesh read in its rest pose)"),
)


def parse_glb(data: bytes, folder: Path) -> Soup:
    """Parse the bytes of a GLB file; `folder` is where it lies, the only one that it may refer to.

    Raises:
        MalformedError: if the file is damaged, compressed with Draco, or lacks an external buffer.
    """
    words = np.frombuffer(data[:12], "<u4", count=len(data[:12]) // 4)
    if data[:4] != b"glTF" or len(words) < 3:
        raise MalformedError("not a GLB file")
    if words[1] != 2:
        raise MalformedError(f"glTF version {words[1]}, only 2 is read")
    if words[2] > len(data):
        raise MalformedError(f"truncated: {words[2]:,} bytes announced, {len(data):,} present")
    chunks: dict[int, bytes] = {}
    offset, end = 12, int(words[2])
    while offset + 8 <= end:
        length, kind = (int(word) for word in np.frombuffer(data, "<u4", 2, offset))
        if offset + 8 + length > end:
            raise MalformedError("truncated: a chunk reaches beyond the end")
        chunks.setdefault(kind, data[offset + 8 : offset + 8 + length])
        offset += 8 + length
    if _JSON_CHUNK not in chunks:
        raise MalformedError("a GLB file without its JSON chunk")
    return _parse(chunks[_JSON_CHUNK], folder, chunks.get(_BINARY_CHUNK))


def parse_gltf(data: bytes, folder: Path) -> Soup:
    """Parse the bytes of a .gltf file; as `parse_glb`."""
    return _parse(data, folder, None)


def _parse(text: bytes, folder: Path, binary: bytes | None) -> Soup:
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise MalformedError(f"truncated, or not JSON ({error})") from None
    if not isinstance(tree, dict) or not str(tree.get("asset", {}).get("version", "")).startswith("2"):
        raise MalformedError("not glTF version 2")
    scene = _Scene(tree, GltfData(tree, folder, binary))
    return scene.read()


class _Scene:
    """The nodes of one file, walked once."""

    def __init__(self, tree: dict[str, Any], data: GltfData) -> None:
        self._tree = tree
        self._data = data
        self._notes: dict[str, None] = {}
        self._skipped: Counter[str] = Counter()
        self._meshes: dict[int, list[tuple[NDArray[np.float64], NDArray[np.int64]]]] = {}

    def read(self) -> Soup:
        """Place the meshes of the default scene."""
        self._check_extensions()
        assembly = Assembly()
        pending = [(root, np.eye(4)) for root in self._roots()]
        visited: set[int] = set()
        while pending:
            index, above = pending.pop()
            node = entry(self._tree, "nodes", index)
            if index in visited:
                raise MalformedError("its nodes form no tree")
            visited.add(index)
            matrix = above @ _node_matrix(node)
            if "mesh" in node:
                for vertices, faces in self._mesh(node["mesh"]):
                    assembly.place(vertices, faces, matrix)
            pending += [(child, matrix) for child in reversed(node.get("children", []))]
        if not self._tree.get("nodes"):
            for index in range(len(self._tree.get("meshes", []))):
                for vertices, faces in self._mesh(index):
                    assembly.place(vertices, faces, np.eye(4))
        if self._tree.get("animations"):
            self._notes["animations dropped"] = None
        self._notes |= {f"{counted(n, 'primitive')} of {what} ignored": None for what, n in self._skipped.items()}
        return assembly.soup(list(self._notes))

    def _check_extensions(self) -> None:
        for name in self._tree.get("extensionsRequired", []):
            if name == _DRACO:
                raise MalformedError("Draco-compressed glTF, which meshset does not read; decompress it first")
            if not str(name).startswith(_HARMLESS):
                raise MalformedError(f"needs the glTF extension {name}, which meshset does not read")

    def _roots(self) -> list[int]:
        """Return the root nodes of the default scene, in the order in which a stack takes them."""
        scenes = self._tree.get("scenes", [])
        if not scenes:
            nodes = self._tree.get("nodes", [])
            children = {child for node in nodes for child in node.get("children", [])}
            return [i for i in reversed(range(len(nodes))) if i not in children]
        if len(scenes) > 1:
            self._notes[f"{counted(len(scenes) - 1, 'other scene')} ignored"] = None
        return list(reversed(entry(self._tree, "scenes", self._tree.get("scene", 0)).get("nodes", [])))

    def _mesh(self, index: int) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
        """Return the primitives of a mesh that have a surface, read once however often they are placed."""
        if index not in self._meshes:
            mesh = entry(self._tree, "meshes", index)
            self._meshes[index] = [part for p in mesh["primitives"] if (part := self._primitive(p))]
        return self._meshes[index]

    def _primitive(self, primitive: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
        mode = primitive.get("mode", _TRIANGLES)
        if mode not in (_TRIANGLES, _STRIP, _FAN):
            self._skipped["points" if mode == 0 else "lines"] += 1
            return None
        attributes = primitive["attributes"]
        accessor = entry(self._tree, "accessors", attributes["POSITION"])
        if _DRACO in primitive.get("extensions", {}) and "bufferView" not in accessor:
            raise MalformedError("Draco-compressed glTF, which meshset does not read; decompress it first")
        positions = self._data.accessor(attributes["POSITION"], 3).astype(np.float64)
        if "indices" in primitive:
            indices = self._data.accessor(primitive["indices"], 1).reshape(-1).astype(np.int64)
        else:
            indices = np.arange(len(positions), dtype=np.int64)
        self._note_attributes(primitive)
        return positions, _triangles(indices, mode)

    def _note_attributes(self, primitive: dict[str, Any]) -> None:
        for prefix, what in _DROPPED:
            if any(name.startswith(prefix) for name in primitive["attributes"]):
                self._notes[f"{what} dropped"] = None
        if "material" in primitive:
            self._notes["materials dropped"] = None
        if "targets" in primitive:
            self._notes["morph targets dropped"] = None


def _triangles(indices: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    """Return (F, 3) triangles of a list, strip or fan of indices."""
    if mode == _TRIANGLES:
        if len(indices) % 3:
            raise MalformedError(f"{len(indices):,} indices make no whole number of triangles")
        return indices.reshape(-1, 3)
    if mode == _FAN:
        first = np.broadcast_to(indices[:1], len(indices[2:]))
        return np.stack([first, indices[1:-1], indices[2:]], axis=1)
    strip = np.stack([indices[:-2], indices[1:-1], indices[2:]], axis=1)
    strip[1::2] = strip[1::2, [1, 0, 2]]
    return strip


def _node_matrix(node: dict[str, Any]) -> NDArray[np.float64]:
    """Return the (4, 4) transform of a node into its parent; glTF stores matrices by columns."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    x, y, z, w = (float(part) for part in node.get("rotation", (0, 0, 0, 1)))
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * np.array(node.get("scale", (1, 1, 1)), np.float64)
    matrix[:3, 3] = np.array(node.get("translation", (0, 0, 0)), np.float64)
    return matrix
