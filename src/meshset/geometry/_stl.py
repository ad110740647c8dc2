"""STL, text and binary.

trimesh drops a solid that lacks its `endsolid`, so a truncated text file reads as a smaller mesh or as none;
hence a parser of our own.
"""

from __future__ import annotations

import re
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._soup import MalformedError, Soup, counted
from meshset.geometry._text import unmarked

BINARY_HEADER = 80
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
"""A record of a binary file."""

_START = BINARY_HEADER + 4
_PLAUSIBLE = (1e-30, 1e12)
"""Coordinates other than 0 where the length is not what the header announces; other bytes read as floats lie beyond."""

# Of text in lower case. The name of a solid may hold any word, so it is taken out; `end` and what it ends may be apart.
_SOLID = re.compile(rb"solid[^\n]*?(?=\bfacet\b|$)", re.MULTILINE)
_END = re.compile(rb"end[\s_]*\Z")
_VERTEX = re.compile(rb"vertex\s+(\S+)\s+(\S+)\s+(\S+)")
_LOOP_END = re.compile(rb"end\s*loop")


def parse_stl(data: bytes) -> Soup:
    """Parse the bytes of an STL file; every triangle gets three vertices of its own.

    A binary file may begin with 'solid', so the length that its count announces decides.

    Raises:
        MalformedError: if the file is truncated or not STL.
    """
    if len(data) >= _START and len(data) == _announced(data):
        return _binary_soup(_records(data), [])
    text = unmarked(data)
    if text.lstrip()[:5].lower() == b"solid" and (b"\0" not in text or _is_text(text)):
        return _parse_text(text)
    return _parse_binary(data)


def _is_text(data: bytes) -> bool:
    """Whether there is a loop as in text; the header of a binary file may begin with 'solid' too."""
    return re.search(rb"outer\s*loop", data.lower()) is not None


def _announced(data: bytes) -> int:
    """Return the length in bytes that the triangle count of a binary file asks for."""
    return _START + _count(data) * TRIANGLE.itemsize


def _count(data: bytes) -> int:
    return int.from_bytes(data[BINARY_HEADER:_START], "little")


def _records(data: bytes) -> NDArray[np.void]:
    """Return as many records (F,) of `TRIANGLE` as the file has room for."""
    return np.frombuffer(data, TRIANGLE, (len(data) - _START) // TRIANGLE.itemsize, _START)


def _parse_binary(data: bytes) -> Soup:
    """Parse a binary file whose length is not what its triangle count asks for."""
    if len(data) < _START:
        raise MalformedError("neither text nor binary STL: it does not begin with solid, and is shorter than a header")
    count = _count(data)
    if len(data) < _announced(data):
        raise MalformedError(f"truncated, or not STL: {_announced(data):,} bytes announced, {len(data):,} present")
    records, surplus = _records(data), (len(data) - _START) % TRIANGLE.itemsize
    if (spread := _spread_records(data, count)) is not None:
        notes = ["attributes between triangles dropped"]
        if count != len(spread):
            notes.append(_miscounted(spread, count))
        return _binary_soup(spread, notes)
    if not surplus and _plausible(records):
        return _binary_soup(records, [_miscounted(records, count)])
    surplus = len(data) - _announced(data)
    if not count or not _plausible(records[:count]):
        raise MalformedError(f"{counted(count, 'triangle')} announced, but the {surplus:,} bytes beyond fit no layout")
    return _binary_soup(records[:count], [f"{counted(surplus, 'byte')} after the last triangle ignored"])


def _miscounted(records: NDArray[np.void], count: int) -> str:
    return f"{counted(len(records), 'triangle')} read, {count:,} announced by the header"


def _plausible(records: NDArray[np.void]) -> bool:
    sizes = np.abs(records["corners"])
    low, high = _PLAUSIBLE
    return bool(((sizes == 0) | ((sizes > low) & (sizes < high))).all())


def _spread_records(data: bytes, count: int) -> NDArray[np.void] | None:
    """Return the records (F,) of a file in which each is followed by as many bytes as its attribute says.

    Returns:
        None if such records do not end where the file ends, are none, or are not as many as announced (0: any number).
    """
    begins: list[int] = []
    offset = _START
    while offset + TRIANGLE.itemsize <= len(data) and not 0 < count < len(begins):
        begins.append(offset)
        offset += TRIANGLE.itemsize + int.from_bytes(data[offset + 48 : offset + 50], "little")
    if offset != len(data) or not begins or len(begins) != (count or len(begins)):
        return None
    if len(begins) * TRIANGLE.itemsize == len(data) - _START:
        return None
    octets = np.frombuffer(data, np.uint8)[np.array(begins)[:, None] + np.arange(TRIANGLE.itemsize)]
    records = octets.reshape(-1).view(TRIANGLE)
    records["attribute"] = 0
    return records


def _binary_soup(records: NDArray[np.void], notes: list[str]) -> Soup:
    found = []
    if records["normal"].any():
        found.append("normals dropped")
    if records["attribute"].any():
        found.append("colours (attribute bytes) dropped")
    return _soup(records["corners"].reshape(-1, 3).astype(np.float64), found + notes)


def _parse_text(data: bytes) -> Soup:
    notes = []
    if b"\0" in data:
        notes.append(f"{counted(data.count(0), 'zero byte')} ignored")
        data = data.replace(b"\0", b" ")
    data = data.lower().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    ends = [bool(_END.search(data, max(0, at.start() - 20), at.start())) for at in _SOLID.finditer(data)]
    body = _SOLID.sub(b"", data)
    rows = _VERTEX.findall(body)
    loops, solids = len(_LOOP_END.findall(body)), sum(ends)
    if not solids or len(ends) > 2 * solids:
        raise MalformedError("truncated: a solid has no endsolid")
    if len(rows) != body.count(b"vertex"):
        raise MalformedError("a vertex without 3 coordinates")
    if len(rows) != 3 * loops:
        raise MalformedError(f"{counted(loops, 'facet')} with {len(rows):,} vertices, expected 3 each")
    try:
        vertices = np.array(list(chain.from_iterable(rows)), np.float64).reshape(-1, 3)
    except ValueError as error:
        raise MalformedError(f"a vertex that is not a number ({error})") from None
    if rows:
        notes.append("normals dropped")
    if solids > 1:
        notes.append(f"{solids:,} solids joined into one mesh")
    return _soup(vertices, notes)


def _soup(vertices: NDArray[np.float64], notes: list[str]) -> Soup:
    return Soup.of_triangles(vertices, np.arange(len(vertices), dtype=np.int64).reshape(-1, 3), notes)
