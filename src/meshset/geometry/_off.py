"""Object File Format (OFF), text.

trimesh takes a file that ends among its faces for a smaller mesh; hence a parser of our own.
"""

from __future__ import annotations

import re
from itertools import chain

import numpy as np

from meshset.geometry._soup import MalformedError, Soup

_HEADER = re.compile(rb"\s*(ST)?(C)?(N)?(4)?(n)?OFF[ \t]*(BINARY)?")


def parse_off(data: bytes) -> Soup:
    """Parse the bytes of an OFF file; comments and odd white space are allowed.

    Raises:
        MalformedError: if the file is not text OFF in three dimensions, or ends too early.
    """
    data = re.sub(rb"#[^\r\n]*", b"", data)
    header = _HEADER.match(data)
    if not header:
        raise MalformedError("does not begin with OFF")
    textured, coloured, normals, *dimensions, binary = header.groups()
    if binary or b"\0" in data:
        raise MalformedError("binary OFF, which meshset does not read; convert it to text OFF or PLY")
    if any(dimensions):
        raise MalformedError("OFF with other than three dimensions")
    lines = [words for line in data[header.end() :].splitlines() if (words := line.split())]
    vertex_count, face_count = _counts(lines)
    rows = lines[1 : 1 + vertex_count]
    polygons = lines[1 + vertex_count : 1 + vertex_count + face_count]
    if len(rows) < vertex_count or len(polygons) < face_count:
        raise MalformedError(
            f"truncated: {vertex_count:,} vertices and {face_count:,} faces announced, "
            f"{len(rows):,} and {len(polygons):,} present"
        )
    if any(len(row) < 3 for row in rows):
        raise MalformedError("a vertex with fewer than 3 coordinates")
    sizes = [_size(words) for words in polygons]
    try:
        vertices = np.array(list(chain.from_iterable(row[:3] for row in rows)), np.float64).reshape(-1, 3)
        flat = chain.from_iterable(words[1 : 1 + n] for words, n in zip(polygons, sizes, strict=True))
        corners = np.array(list(flat), np.int64)
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"a coordinate or index that is not a number ({error})") from None
    notes = []
    if coloured or any(len(words) > n + 1 for words, n in zip(polygons, sizes, strict=True)):
        notes.append("colours dropped")
    if normals:
        notes.append("normals dropped")
    if textured:
        notes.append("texture coordinates dropped")
    if not (coloured or normals or textured) and any(len(row) > 3 for row in rows):
        notes.append("further columns of vertices dropped")
    if len(lines) > 1 + vertex_count + face_count:
        notes.append(f"{len(lines) - 1 - vertex_count - face_count:,} lines after the last face ignored")
    return Soup(vertices, corners, np.array(sizes, np.int64), notes)


def _counts(lines: list[list[bytes]]) -> tuple[int, int]:
    if not lines or len(lines[0]) < 2 or not all(word.isdigit() for word in lines[0][:2]):
        raise MalformedError("no vertex and face counts after OFF")
    return int(lines[0][0]), int(lines[0][1])


def _size(words: list[bytes]) -> int:
    if not words[0].isdigit() or len(words) < int(words[0]) + 1:
        raise MalformedError("a face with fewer corners than it announces")
    return int(words[0])
