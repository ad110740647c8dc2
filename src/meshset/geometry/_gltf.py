"""glTF 2.0: scenes of .gltf and .glb files.

trimesh reads sparse positions as zeros, skips triangle fans, and leaves normalised integers unscaled, all
without a word; hence a reader of our own for what concerns the surface.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._gltf_animation import Animation
from meshset.geometry._gltf_data import GltfData, entry
from meshset.geometry._gltf_extensions import DRACO, LEVELS, VISIBILITY, check_extensions, extensions_of
from meshset.geometry._gltf_nodes import instance_matrices, node_matrix
from meshset.geometry._gltf_poses import Poses
from meshset.geometry._polygons import strip_triangles
from meshset.geometry._soup import Assembly, MalformedError, Soup, counted

_JSON_CHUNK, _BINARY_CHUNK = 0x4E4F534A, 0x004E4942
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_DROPPED = (
    ("NORMAL", "normals"),
    ("TANGENT", "tangents"),
    ("TEXCOORD", "texture coordinates"),
    ("COLOR", "colours"),
    ("JOINTS", "skinning (mesh read in its rest pose)"),
)


def parse_glb(data: bytes, folder: Path, time: float | None = None) -> Soup:
    """Parse the bytes of a GLB file.

    Args:
        data: the bytes.
        folder: where it lies, the only one that it may refer to.
        time: a moment of its first animation, in seconds; None for how it is at rest.

    Raises:
        MalformedError: if the file is damaged, compressed with Draco, or lacks an external buffer or an animation.
    """
    return _scene(*_glb_chunks(data), folder).read(time)


def parse_gltf(data: bytes, folder: Path, time: float | None = None) -> Soup:
    """Parse the bytes of a .gltf file; as `parse_glb`."""
    return _scene(data, None, folder).read(time)


def glb_duration(data: bytes, folder: Path) -> float:
    """Return how long the first animation of a GLB file takes, in seconds; otherwise as `parse_glb`."""
    return _scene(*_glb_chunks(data), folder).animation.duration


def gltf_duration(data: bytes, folder: Path) -> float:
    """Return how long the first animation of a .gltf file takes, in seconds; otherwise as `parse_glb`."""
    return _scene(data, None, folder).animation.duration


def _glb_chunks(data: bytes) -> tuple[bytes, bytes | None]:
    """Return the text and the binary part of a GLB file."""
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
    return chunks[_JSON_CHUNK], chunks.get(_BINARY_CHUNK)


def _scene(text: bytes, binary: bytes | None, folder: Path) -> _Scene:
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise MalformedError(f"truncated, or not JSON ({error})") from None
    if not isinstance(tree, dict) or not str(tree.get("asset", {}).get("version", "")).startswith("2"):
        raise MalformedError("not glTF version 2")
    return _Scene(tree, GltfData(tree, folder, binary))


@dataclass(frozen=True)
class _Part:
    """A primitive with a surface: positions (V, 3) as stored, faces (F, 3)."""

    primitive: dict[str, Any]
    positions: NDArray[np.float64]
    faces: NDArray[np.int64]


class _Scene:
    """The nodes of one file, walked once."""

    def __init__(self, tree: dict[str, Any], data: GltfData) -> None:
        self._tree = tree
        self._data = data
        self._poses = Poses(tree, data)
        self._notes: dict[str, None] = {}
        self._skipped: Counter[str] = Counter()
        self._hidden = 0
        self._moves = False
        self._meshes: dict[int, list[_Part]] = {}

    @property
    def animation(self) -> Animation:
        """Return the first animation."""
        return Animation(self._tree, self._data)

    def read(self, time: float | None) -> Soup:
        """Place the meshes of the default scene, as they are at rest or at a moment."""
        if time is not None:
            self._tree, self._moves = self.animation.at(time), True
            self._poses = Poses(self._tree, self._data)
        doubts = check_extensions(self._tree)
        if LEVELS in extensions_of(self._tree):
            self._notes["coarser levels of detail ignored"] = None
        assembly = Assembly()
        for node, world in self._visible_nodes():
            if "mesh" in node:
                self._place(assembly, node, world)
        if not self._tree.get("nodes"):
            for index in range(len(self._tree.get("meshes", []))):
                self._place(assembly, {"mesh": index}, np.eye(4))
        if self._tree.get("animations") and not self._moves:
            self._notes["animations dropped"] = None
        self._notes |= {f"{counted(n, 'primitive')} of {what} ignored": None for what, n in self._skipped.items()}
        if self._hidden:
            self._notes[f"{counted(self._hidden, 'hidden node')} left out"] = None
            if assembly.is_empty:
                raise MalformedError("nothing visible: its nodes are hidden (KHR_node_visibility)")
        return assembly.soup(list(self._notes), doubts)

    def _visible_nodes(self) -> Iterator[tuple[dict[str, Any], NDArray[np.float64]]]:
        """Yield the nodes of the default scene and their transforms, but those that are hidden and those below."""
        pending = [(root, np.eye(4)) for root in self._roots()]
        visited: set[int] = set()
        while pending:
            index, above = pending.pop()
            if index in visited:
                raise MalformedError("its nodes form no tree")
            visited.add(index)
            node = entry(self._tree, "nodes", index)
            if node.get("extensions", {}).get(VISIBILITY, {}).get("visible", True):
                matrix = above @ node_matrix(node)
                yield node, matrix
                pending += [(child, matrix) for child in reversed(node.get("children", []))]
            else:
                self._hidden += 1

    def _place(self, assembly: Assembly, node: dict[str, Any], world: NDArray[np.float64]) -> None:
        """Place the mesh of a node, as often as it has instances; a skin puts it into the world, not the node."""
        instances = instance_matrices(node, self._data)
        mesh = entry(self._tree, "meshes", node["mesh"])
        weights = node.get("weights", mesh.get("weights", []))
        for part in self._parts(node["mesh"], mesh):
            vertices = self._morphed(part, weights)
            skinned = None
            if "skin" in node:
                skinned = self._poses.skinned(vertices, part.faces, part.primitive["attributes"], node["skin"])
            if skinned:
                assembly.place(*skinned, instances)
            else:
                assembly.place(vertices, part.faces, world @ instances)
                if "skin" in node:
                    self._notes["a skin without joints or weights ignored"] = None

    def _morphed(self, part: _Part, weights: list[float]) -> NDArray[np.float64]:
        targets = part.primitive.get("targets", [])
        if targets and not self._moves:
            done = "applied at their default weights" if any(weights) else "dropped"
            self._notes[f"morph targets {done}"] = None
        return self._poses.morphed(part.positions, targets, weights)

    def _roots(self) -> list[int]:
        """Return the root nodes of the default scene, in the order in which a stack takes them."""
        scenes = self._tree.get("scenes", [])
        if not scenes:
            nodes = self._tree.get("nodes", [])
            below = {child for node in nodes for child in (*node.get("children", []), *_coarser(node))}
            return [i for i in reversed(range(len(nodes))) if i not in below]
        if len(scenes) > 1:
            self._notes[f"{counted(len(scenes) - 1, 'other scene')} ignored"] = None
        return list(reversed(entry(self._tree, "scenes", self._tree.get("scene", 0)).get("nodes", [])))

    def _parts(self, index: int, mesh: dict[str, Any]) -> list[_Part]:
        """Return the primitives of a mesh that have a surface, read once however often they are placed."""
        if index not in self._meshes:
            self._meshes[index] = [part for p in mesh["primitives"] if (part := self._part(p))]
        return self._meshes[index]

    def _part(self, primitive: dict[str, Any]) -> _Part | None:
        mode = primitive.get("mode", _TRIANGLES)
        if mode not in (_TRIANGLES, _STRIP, _FAN):
            self._skipped["points" if mode == 0 else "lines"] += 1
            return None
        attributes = primitive["attributes"]
        accessor = entry(self._tree, "accessors", attributes["POSITION"])
        if DRACO in primitive.get("extensions", {}) and "bufferView" not in accessor:
            raise MalformedError("Draco-compressed glTF, which meshset does not read; decompress it first")
        positions = self._data.accessor(attributes["POSITION"], 3).astype(np.float64)
        if "indices" in primitive:
            indices = self._data.accessor(primitive["indices"], 1).reshape(-1).astype(np.int64)
        else:
            indices = np.arange(len(positions), dtype=np.int64)
        self._note_attributes(primitive)
        return _Part(primitive, positions, _triangles(indices, mode))

    def _note_attributes(self, primitive: dict[str, Any]) -> None:
        for prefix, what in _DROPPED:
            if not (self._moves and prefix == "JOINTS") and any(
                name.startswith(prefix) for name in primitive["attributes"]
            ):
                self._notes[f"{what} dropped"] = None
        if "material" in primitive:
            self._notes["materials dropped"] = None


def _coarser(node: dict[str, Any]) -> list[int]:
    """Return the nodes that stand in for a node seen from afar."""
    ids: list[int] = node.get("extensions", {}).get(LEVELS, {}).get("ids", [])
    return ids


def _triangles(indices: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    """Return (F, 3) triangles of a list, strip or fan of indices."""
    if mode == _TRIANGLES:
        if len(indices) % 3:
            raise MalformedError(f"{len(indices):,} indices make no whole number of triangles")
        return indices.reshape(-1, 3)
    if mode == _FAN:
        first = np.broadcast_to(indices[:1], len(indices[2:]))
        return np.stack([first, indices[1:-1], indices[2:]], axis=1)
    return strip_triangles(indices, np.arange(len(indices)) == 0)
