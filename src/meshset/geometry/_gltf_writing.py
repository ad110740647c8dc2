"""GLB files of meshes that move: one mesh, morph targets to each later frame, and an animation of their weights."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.geometry.mesh import Mesh

_FLOAT, _UNSIGNED = 5126, 5125
_VERTICES, _INDICES = 34962, 34963


class _Buffer:
    """The binary part of a GLB file, and what says what lies where."""

    def __init__(self) -> None:
        self.content = b""
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(
        self, rows: NDArray[np.generic], kind: int, shape: str, target: int | None = None, bounded: bool = False
    ) -> int:
        """Add an accessor of rows and return its number."""
        data = rows.tobytes()
        view = {"buffer": 0, "byteOffset": len(self.content), "byteLength": len(data)}
        self.views.append(view if target is None else {**view, "target": target})
        accessor = {"bufferView": len(self.views) - 1, "componentType": kind, "count": len(rows), "type": shape}
        if bounded:
            accessor |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        self.accessors.append(accessor)
        self.content += data
        return len(self.accessors) - 1


def encode_animation(frames: Sequence[Mesh], rate: float) -> bytes:
    """Return a GLB file in which a mesh goes through frames, `rate` a second, on straight lines between them.

    Args:
        frames: at least one, all with the same faces. Positions are stored as float32, around the centre of the first.
        rate: above 0.
    """
    buffer, first = _Buffer(), frames[0]
    centre = (first.bounds[0] + first.bounds[1]) / 2.0
    placed = [(mesh.vertices.astype(np.float64) - centre).astype("<f4") for mesh in frames]
    indices = buffer.add(first.faces.astype("<u4").reshape(-1, 1), _UNSIGNED, "SCALAR", _INDICES)
    base = buffer.add(placed[0], _FLOAT, "VEC3", _VERTICES, bounded=True)
    targets = [buffer.add(one - placed[0], _FLOAT, "VEC3", _VERTICES, bounded=True) for one in placed[1:]]
    primitive: dict[str, Any] = {"attributes": {"POSITION": base}, "indices": indices}
    mesh: dict[str, Any] = {"primitives": [primitive]}
    tree: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "meshset"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "translation": centre.tolist()}],
        "meshes": [mesh],
    }
    if targets:
        primitive["targets"] = [{"POSITION": one} for one in targets]
        mesh["weights"] = [0.0] * len(targets)
        times = (np.arange(len(frames), dtype="<f4") / np.float32(rate)).reshape(-1, 1)
        weights = np.eye(len(frames), len(targets), -1, dtype="<f4").reshape(-1, 1)
        sampler = {
            "input": buffer.add(times, _FLOAT, "SCALAR", bounded=True),
            "output": buffer.add(weights, _FLOAT, "SCALAR"),
            "interpolation": "LINEAR",
        }
        channel = {"sampler": 0, "target": {"node": 0, "path": "weights"}}
        tree["animations"] = [{"samplers": [sampler], "channels": [channel]}]
    tree |= {
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.content)}],
    }
    return _glb(tree, buffer.content)


def _glb(tree: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(tree, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    size = 12 + 8 + len(text) + 8 + len(binary)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, size) + chunks
