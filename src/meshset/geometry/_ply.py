"""Stanford PLY, text and binary.

trimesh takes the length of the first binary list for the length of all, so triangles mixed with quads fail,
and a text file that ends among its faces reads as a smaller mesh; hence a parser of our own.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._polygons import strip_triangles
from meshset.geometry._soup import MalformedError, Soup, counted
from meshset.geometry._text import unmarked

_TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"float": "f4", "double": "f8", "float32": "f4", "float64": "f8", "int64": "i8", "uint64": "u8"},
}
_STRUCT = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"} | {
    "f4": "f",
    "f8": "d",
}
_INDEX_NAMES = ("vertex_indices", "vertex_index")
_UNSIGNED_END = 2**32 - 1
_SURFACES = ("face", "tristrips")
_FORMATS = {b"ascii": "", b"binary_little_endian": "<", b"binary_big_endian": ">"}
_DROPPED = (
    ("normals", {"nx", "ny", "nz"}),
    ("colours", {"red", "green", "blue", "alpha", "r", "g", "b", "a", "diffuse_red"}),
    ("texture coordinates", {"s", "t", "u", "v", "texture_u", "texture_v", "texcoord", "texnumber"}),
)
_HEADER_END = re.compile(rb"^[ \t]*end_header[ \t]*(?:\r\n|\n|\r)", re.MULTILINE)


@dataclass(frozen=True)
class _Property:
    """One property of an element; `length` is the type of a list's length, None for a plain number."""

    name: str
    dtype: np.dtype[Any]
    length: np.dtype[Any] | None


@dataclass
class _Element:
    name: str
    count: int
    properties: list[_Property] = field(default_factory=list)


_Columns = dict[str, tuple[NDArray[Any], NDArray[np.int64]]]
"""Values of all rows one after the other, and how many each row has."""


def parse_ply(data: bytes) -> Soup:
    """Parse the bytes of a PLY file: element `vertex`, the polygons of `face`, and the strips of `tristrips`.

    Raises:
        MalformedError: if the header is wrong, or the file ends too early.
    """
    data = unmarked(data)
    end = _HEADER_END.search(data)
    if not data.startswith(b"ply"):
        raise MalformedError("does not begin with ply")
    if not end:
        raise MalformedError("truncated: the PLY header has no end_header")
    order, elements = _parse_header(data[: end.start()])
    notes = _notes(elements)
    body = memoryview(data)[end.end() :]
    if not order:
        body, elements = _as_binary(bytes(body), elements, notes)
    found: dict[str, _Columns] = {}
    offset = 0
    for element in elements:
        found[element.name], offset = _read(body, offset, element)
    if len(body) > offset:
        notes.append(f"{counted(len(body) - offset, 'byte')} after the last element ignored")
    corners, sizes = _faces(elements, found)
    return Soup(_positions(found), corners, sizes, notes)


def _parse_header(header: bytes) -> tuple[str, list[_Element]]:
    """Return the byte order ('' for text) and the elements in the order of the file."""
    order = None
    elements: list[_Element] = []
    for line in header.splitlines()[1:]:
        words = line.split()
        if not words or words[0] in (b"comment", b"obj_info"):
            continue
        if words[0] == b"format" and len(words) == 3 and words[1] in _FORMATS:
            order = _FORMATS[words[1]]
        elif words[0] == b"element" and len(words) == 3 and words[2].isdigit():
            elements.append(_Element(words[1].decode("latin-1"), int(words[2])))
        elif words[0] == b"property" and elements:
            elements[-1].properties.append(_parse_property([w.decode("latin-1") for w in words], order or "<"))
        else:
            raise MalformedError(f"PLY header line not understood: {line[:60].decode('latin-1')}")
    if order is None:
        raise MalformedError("its PLY header names no known format")
    return order, elements


def _parse_property(words: list[str], order: str) -> _Property:
    is_list = words[1:2] == ["list"]
    types = words[2:4] if is_list else words[1:2]
    if len(words) != (5 if is_list else 3) or not all(name in _TYPES for name in types):
        raise MalformedError(f"PLY header line not understood: {' '.join(words)[:60]}")
    dtypes = [np.dtype(order + _TYPES[name]) for name in types]
    return _Property(words[-1], dtypes[-1], dtypes[0] if is_list else None)


def _as_binary(text: bytes, elements: list[_Element], notes: list[str]) -> tuple[memoryview, list[_Element]]:
    """Return the numbers of a text body as binary doubles, with elements that say so: one reader for both."""
    lines = [words for line in text.rstrip(b"\0").splitlines() if (words := line.split())]
    if len(lines) == sum(e.count for e in elements):
        lines = _trimmed(lines, elements, notes)
    try:
        numbers = np.array(list(chain.from_iterable(lines)), "<f8")
    except ValueError as error:
        raise MalformedError(f"a value that is not a number ({error})") from None
    double = np.dtype("<f8")

    def widened(p: _Property) -> _Property:
        return replace(p, dtype=double, length=None if p.length is None else double)

    wide = [_Element(e.name, e.count, [widened(p) for p in e.properties]) for e in elements]
    return memoryview(numbers.tobytes()), wide


def _trimmed(lines: list[list[bytes]], elements: list[_Element], notes: list[str]) -> list[list[bytes]]:
    """Cut each line to the values that the header announces; VCGLIB writes colours beyond them."""
    rows: list[list[bytes]] = []
    surplus = 0
    for element in elements:
        for words in lines[len(rows) : len(rows) + element.count]:
            width = 0
            for p in element.properties:
                if p.length is not None and width < len(words):
                    width += _length(float(words[width]))
                width += 1
            if width > len(words):
                raise MalformedError(f"truncated: a {element.name} with too few values")
            surplus += len(words) - width
            rows.append(words[:width])
    if surplus:
        notes.append(f"{counted(surplus, 'value')} beyond what the header announces ignored")
    return rows


def _read(body: memoryview, offset: int, element: _Element) -> tuple[_Columns, int]:
    """Return the columns of an element that starts at `offset`, and where the next one starts."""
    smallest = sum((p.length or p.dtype).itemsize for p in element.properties)
    if not element.count or not smallest:
        return {}, offset
    if offset + element.count * smallest > len(body):
        raise MalformedError(f"truncated: {element.count:,} {element.name} elements announced, not all present")
    if columns := _read_uniform(body, offset, element):
        return columns
    return _read_rows(body, offset, element)


def _read_uniform(body: memoryview, offset: int, element: _Element) -> tuple[_Columns, int] | None:
    """Read all rows at once if every list is as long as in the first row, else return None."""
    fields: list[Any] = []
    lengths: dict[int, int] = {}
    position = offset
    for i, p in enumerate(element.properties):
        if p.length is not None:
            if position + p.length.itemsize > len(body):
                return None
            lengths[i] = _length(np.frombuffer(body, p.length, 1, position)[0])
            fields.append((f"n{i}", p.length))
            position += p.length.itemsize
        fields.append((f"p{i}", p.dtype, (lengths.get(i, 1),)))
        position += p.dtype.itemsize * lengths.get(i, 1)
        if position > len(body):
            return None
    dtype = np.dtype(fields)
    end = offset + element.count * dtype.itemsize
    if end > len(body):
        return None
    rows = np.frombuffer(body, dtype, element.count, offset)
    if any((rows[f"n{i}"] != n).any() for i, n in lengths.items()):
        return None
    columns: _Columns = {}
    for i, p in enumerate(element.properties):
        columns[p.name] = rows[f"p{i}"].reshape(-1), np.full(element.count, lengths.get(i, 1), np.int64)
    return columns, end


def _read_rows(body: memoryview, offset: int, element: _Element) -> tuple[_Columns, int]:
    """Read row by row: only the lengths are read in Python, the values all at once afterwards."""
    begins = np.empty((len(element.properties), element.count), np.int64)
    sizes = np.ones_like(begins)
    steps = [
        (p.dtype.itemsize, None if p.length is None else struct.Struct(_struct_code(p.length)))
        for p in element.properties
    ]
    for row in range(element.count):
        for i, (itemsize, length) in enumerate(steps):
            number = 1
            if length is not None:
                if offset + length.size > len(body):
                    raise MalformedError(f"truncated among its {element.name} elements")
                number = _length(length.unpack_from(body, offset)[0])
                offset += length.size
                sizes[i, row] = number
            begins[i, row] = offset
            offset += number * itemsize
        if offset > len(body):
            raise MalformedError(f"truncated among its {element.name} elements")
    columns = {
        p.name: (_gather(body, b, s, p.dtype), s) for p, b, s in zip(element.properties, begins, sizes, strict=True)
    }
    return columns, offset


def _gather(
    body: memoryview, begins: NDArray[np.int64], sizes: NDArray[np.int64], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return runs of `sizes` values of `dtype` that start at the bytes `begins`, one after the other."""
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    places = np.repeat(begins, sizes) + within * dtype.itemsize
    octets = np.frombuffer(body, np.uint8)[places[:, None] + np.arange(dtype.itemsize)]
    values: NDArray[Any] = octets.reshape(-1).view(dtype)
    return values


def _struct_code(dtype: np.dtype[Any]) -> str:
    return dtype.str[0].replace("|", "<") + _STRUCT[dtype.str[1:]]


def _length(value: Any) -> int:
    if value < 0 or value != int(value):
        raise MalformedError(f"a list of length {value}")
    return int(value)


def _positions(found: dict[str, _Columns]) -> NDArray[np.float64]:
    columns = found.get("vertex", {})
    if not columns:
        return np.empty((0, 3))
    missing = [axis for axis in "xyz" if axis not in columns or (columns[axis][1] != 1).any()]
    if missing:
        raise MalformedError(f"its vertices have no {', '.join(missing)}")
    return np.stack([columns[axis][0].astype(np.float64) for axis in "xyz"], axis=1)


def _faces(elements: list[_Element], found: dict[str, _Columns]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    corners, sizes = _index_lists("face", elements, found)
    strips, lengths = _index_lists("tristrips", elements, found)
    if not len(strips):
        return corners, sizes
    starts = np.zeros(len(strips), bool)
    starts[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
    # An index that is unsigned ends a strip by the largest number that it can hold.
    triangles = strip_triangles(np.where(strips == _UNSIGNED_END, -1, strips), starts)
    return np.append(corners, triangles), np.append(sizes, np.full(len(triangles), 3))


def _index_lists(
    name: str, elements: list[_Element], found: dict[str, _Columns]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the vertex indices (N,) of all rows of an element one after the other, and how many each has (F,)."""
    columns = found.get(name, {})
    if not columns:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    lists = [p.name for e in elements if e.name == name for p in e.properties if p.length is not None]
    names = [n for n in lists if n in _INDEX_NAMES] or (lists if len(lists) == 1 else [])
    if not names:
        raise MalformedError(f"its {name} elements have no vertex_indices")
    values, sizes = columns[names[0]]
    indices = values.astype(np.int64)
    if (indices != values).any():
        raise MalformedError("a face index that is not an integer")
    return indices, sizes


def _notes(elements: list[_Element]) -> list[str]:
    properties = {p.name for e in elements if e.name in ("vertex", *_SURFACES) for p in e.properties}
    notes = [f"{what} dropped" for what, names in _DROPPED if properties & names]
    known = {"x", "y", "z", *_INDEX_NAMES}.union(*(names for _, names in _DROPPED))
    others = sorted(properties - known)
    if others:
        notes.append(f"further properties dropped: {', '.join(others)}")
    ignored = [e.name for e in elements if e.name not in ("vertex", *_SURFACES) and e.count]
    if ignored:
        notes.append(f"further elements ignored: {', '.join(ignored)}")
    return notes
