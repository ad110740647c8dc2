"""glTF files of the solid of `step`, made accessor by accessor."""

import base64
import json

import numpy as np

from step import FACES, POINTS

COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
KINDS = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
TURN_X = [1.0, 0.0, 0.0, 0.0]  # half a turn
HALF = 0.5**0.5
QUARTER_Z = [0.0, 0.0, HALF, HALF]


class Gltf:
    """A file whose mesh 0 is the solid; tests change `tree` and add accessors."""

    def __init__(self, **tree):
        self._bytes = b""
        self.tree = {
            "asset": {"version": "2.0"},
            "accessors": [],
            "bufferViews": [],
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            **tree,
        }
        self.primitive = {"attributes": {"POSITION": self.add(POINTS)}, "indices": self.add(FACES.reshape(-1, 1), "u4")}
        self.tree.setdefault("meshes", [{"primitives": [self.primitive]}])

    def add(self, rows, kind="f4", normalized=False) -> int:
        """Add an accessor of rows (N, W) and return its number; a normalised one takes floats of -1 to 1."""
        rows = np.asarray(rows, float)
        if normalized:
            rows = np.round(rows * np.iinfo(kind).max)
        accessor = {"count": len(rows), "componentType": COMPONENTS[kind], "type": KINDS[rows.shape[1]]}
        if normalized:
            accessor["normalized"] = True
        return self.add_accessor(accessor, rows.astype("<" + kind).tobytes())

    def add_view(self, data: bytes) -> int:
        self._bytes += bytes(-len(self._bytes) % 4)
        self.tree["bufferViews"].append({"buffer": 0, "byteOffset": len(self._bytes), "byteLength": len(data)})
        self._bytes += data
        return len(self.tree["bufferViews"]) - 1

    def add_accessor(self, accessor: dict, data: bytes | None = None) -> int:
        if data is not None:
            accessor["bufferView"] = self.add_view(data)
        self.tree["accessors"].append(accessor)
        return len(self.tree["accessors"]) - 1

    def add_sparse(self, count: int, rows, values) -> int:
        """Add an accessor of `count` zeros (count, 3), but `values` (N, 3) at `rows` (N,)."""
        indices = {"bufferView": self.add_view(np.asarray(rows, "u1").tobytes()), "componentType": 5121}
        new = {"bufferView": self.add_view(np.asarray(values, "<f4").tobytes())}
        sparse = {"count": len(rows), "indices": indices, "values": new}
        return self.add_accessor({"count": count, "componentType": 5126, "type": "VEC3", "sparse": sparse})

    def text(self) -> str:
        uri = "data:application/octet-stream;base64," + base64.b64encode(self._bytes).decode()
        return json.dumps({**self.tree, "buffers": [{"byteLength": len(self._bytes), "uri": uri}]})
