"""Buffers and accessors of glTF: bytes to arrays, within the file and its folder only."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._gltf_extensions import MESHOPT
from meshset.geometry._soup import MalformedError

_COMPONENTS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
MAX_ABSENT = 1_000_000
"""Most rows of an accessor that has no bytes but those that a few rows are replaced with; the others are zeros."""

_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def entry(tree: dict[str, Any], key: str, index: Any) -> dict[str, Any]:
    """Return `tree[key][index]`, an object.

    Raises:
        MalformedError: if there is no such object.
    """
    items = tree.get(key, [])
    if type(index) is not int or not isinstance(items, list) or not 0 <= index < len(items):
        raise MalformedError(f"refers to {key} {index!r}, which is missing")
    if not isinstance(items[index], dict):
        raise MalformedError(f"{key} {index} is not an object")
    found: dict[str, Any] = items[index]
    return found


def _whole(holder: dict[str, Any], key: str, default: int | None = None) -> int:
    """Return a count or offset: an integer of 0 or more."""
    value = holder.get(key, default)
    if type(value) is not int or value < 0:
        raise MalformedError(f"{key} is {value!r}, expected a count")
    return value


class GltfData:
    """What the accessors of one file hold.

    Args:
        tree: the JSON of the file.
        folder: where the file lies; buffers are read from nowhere else.
        binary: the binary chunk of a GLB file.
    """

    def __init__(self, tree: dict[str, Any], folder: Path, binary: bytes | None) -> None:
        self._tree = tree
        self._folder = folder
        self._binary = binary
        self._buffers: dict[int, bytes] = {}

    def accessor(self, index: Any, width: int) -> NDArray[Any]:
        """Return the values of an accessor, (count, width); normalised integers become floats.

        Raises:
            MalformedError: if the accessor reaches outside its buffer or is of another shape.
        """
        accessor = entry(self._tree, "accessors", index)
        count = _whole(accessor, "count")
        dtype = self._dtype(accessor)
        if _WIDTHS.get(accessor.get("type", "")) != width:
            raise MalformedError(f"accessor of type {accessor.get('type')!r}, expected {width} components")
        if "bufferView" in accessor:
            offset = _whole(accessor, "byteOffset", 0)
            values = self._view(accessor["bufferView"], offset, count, width, dtype)
        elif "sparse" in accessor and count <= MAX_ABSENT:
            values = np.zeros((count, width), dtype)
        else:
            raise MalformedError("an accessor without data")
        if "sparse" in accessor:
            values = self._overwritten(values, accessor["sparse"])
        if accessor.get("normalized") and dtype.kind != "f":
            values = np.maximum(values / np.iinfo(dtype).max, -1.0)
        return values

    @staticmethod
    def _dtype(holder: dict[str, Any]) -> np.dtype[Any]:
        kind = holder.get("componentType")
        if kind not in _COMPONENTS:
            raise MalformedError(f"component type {kind!r} is unknown")
        return np.dtype(_COMPONENTS[kind])

    def _view(self, index: Any, offset: int, count: int, width: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return (count, width) values of a buffer view, which may be interleaved with others."""
        view = entry(self._tree, "bufferViews", index)
        if any(name in view.get("extensions", {}) for name in MESHOPT) and not self._has_content(view.get("buffer")):
            raise MalformedError("meshopt-compressed glTF, which meshset does not read; decompress it first")
        begin, length = _whole(view, "byteOffset", 0), _whole(view, "byteLength")
        row = width * dtype.itemsize
        stride = _whole(view, "byteStride", row) or row
        buffer = self._buffer(view.get("buffer"))
        if begin + length > len(buffer):
            raise MalformedError("truncated: a buffer view reaches beyond its buffer")
        if count == 0:
            return np.empty((0, width), dtype)
        if stride < row or offset + (count - 1) * stride + row > length:
            raise MalformedError("truncated: an accessor reaches beyond its buffer view")
        strides = (stride, dtype.itemsize)
        return np.ndarray((count, width), dtype, buffer, begin + offset, strides)

    def _overwritten(self, values: NDArray[Any], sparse: dict[str, Any]) -> NDArray[Any]:
        """Return `values` with the rows that a sparse accessor names replaced."""
        count = _whole(sparse, "count")
        rows, news = sparse["indices"], sparse["values"]
        at = self._view(rows["bufferView"], _whole(rows, "byteOffset", 0), count, 1, self._dtype(rows))
        width = values.shape[1]
        new = self._view(news["bufferView"], _whole(news, "byteOffset", 0), count, width, values.dtype)
        if count and at.max() >= len(values):
            raise MalformedError("a sparse accessor replaces rows that are not there")
        values = values.copy()
        values[at.reshape(-1).astype(np.int64)] = new
        return values

    def _has_content(self, index: Any) -> bool:
        """Whether a buffer has bytes; one that only compressed views fill has none."""
        return "uri" in entry(self._tree, "buffers", index) or (index == 0 and self._binary is not None)

    def _buffer(self, index: Any) -> bytes:
        if index not in self._buffers:
            buffer = entry(self._tree, "buffers", index)
            content = self._content(buffer, index)
            length = _whole(buffer, "byteLength")
            if len(content) < length:
                raise MalformedError(f"truncated: buffer of {length:,} bytes announced, {len(content):,} present")
            self._buffers[index] = content
        return self._buffers[index]

    def _content(self, buffer: dict[str, Any], index: int) -> bytes:
        uri = buffer.get("uri")
        if uri is None:
            if index == 0 and self._binary is not None:
                return self._binary
            raise MalformedError("a buffer without data")
        if not isinstance(uri, str):
            raise MalformedError("a buffer whose address is not text")
        if uri.startswith("data:"):
            try:
                return base64.b64decode(uri.partition(",")[2], validate=True)
            except binascii.Error as error:
                raise MalformedError(f"a damaged buffer ({error})") from None
        return self._external(uri)

    def _external(self, uri: str) -> bytes:
        """Return the content of a file beside this one; anything else is refused."""
        name = unquote(uri)
        path = (self._folder / name).resolve()
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", uri) or not path.is_relative_to(self._folder.resolve()):
            raise MalformedError(f"refers to {uri[:80]!r} outside its own folder, which is not read")
        if not path.is_file():
            raise MalformedError(f"its buffer {name[:80]!r} is missing")
        return path.read_bytes()
