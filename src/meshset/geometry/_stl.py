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

BINARY_HEADER = 80
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
"""A record of a binary file."""

_VERTEX = re.compile(rb"^[ \t]*vertex[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def parse_stl(data: bytes) -> Soup:
    """Parse the bytes of an STL file; every triangle gets three vertices of its own.

    A binary file may begin with 'solid', so the length that its count announces decides.

    Raises:
        MalformedError: if the file is truncated or not STL.
    """
    if len(data) >= BINARY_HEADER + 4 and len(data) == _announced(data):
        return _parse_binary(data)
    if data.lstrip()[:5].lower() == b"solid" and b"\0" not in data:
        return _parse_text(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    if len(data) < BINARY_HEADER + 4:
        raise MalformedError("truncated, or not STL: shorter than the header of a binary file")
    if len(data) < _announced(data):
        raise MalformedError(f"truncated, or not STL: {_announced(data):,} bytes announced, {len(data):,} present")
    return _parse_binary(data)


def _announced(data: bytes) -> int:
    """Return the length in bytes that the triangle count of a binary file asks for."""
    count = int.from_bytes(data[BINARY_HEADER : BINARY_HEADER + 4], "little")
    return BINARY_HEADER + 4 + count * TRIANGLE.itemsize


def _parse_binary(data: bytes) -> Soup:
    end = _announced(data)
    records = np.frombuffer(data[:end], TRIANGLE, offset=BINARY_HEADER + 4)
    notes = []
    if records["normal"].any():
        notes.append("normals dropped")
    if records["attribute"].any():
        notes.append("colours (attribute bytes) dropped")
    if len(data) > end:
        notes.append(f"{counted(len(data) - end, 'byte')} after the last triangle ignored")
    return _soup(records["corners"].reshape(-1, 3).astype(np.float64), notes)


def _parse_text(data: bytes) -> Soup:
    rows = _VERTEX.findall(data)
    lowered = data.lower()
    loops, solids = _lines_with(rb"endloop", lowered), _lines_with(rb"endsolid", lowered)
    if len(rows) != _lines_with(rb"vertex", lowered):
        raise MalformedError("a vertex without 3 coordinates")
    if not solids or _lines_with(rb"solid", lowered) > solids:
        raise MalformedError("truncated: a solid has no endsolid")
    if len(rows) != 3 * loops:
        raise MalformedError(f"{counted(loops, 'facet')} with {len(rows):,} vertices, expected 3 each")
    try:
        vertices = np.array(list(chain.from_iterable(rows)), np.float64).reshape(-1, 3)
    except ValueError as error:
        raise MalformedError(f"a vertex that is not a number ({error})") from None
    notes = ["normals dropped"] if rows else []
    if solids > 1:
        notes.append(f"{solids:,} solids joined into one mesh")
    return _soup(vertices, notes)


def _lines_with(word: bytes, text: bytes) -> int:
    """Count the lines that begin with a word."""
    # Not \s, which runs over line ends: on a million empty lines, a million times as far as the next word.
    return len(re.findall(rb"^[ \t\v\f]*" + word + rb"\b", text, re.MULTILINE))


def _soup(vertices: NDArray[np.float64], notes: list[str]) -> Soup:
    return Soup.of_triangles(vertices, np.arange(len(vertices), dtype=np.int64).reshape(-1, 3), notes)
