"""Object File Format (OFF), text.

trimesh takes a file that ends among its faces for a smaller mesh; hence a parser of our own.
"""

from __future__ import annotations

import re
from itertools import accumulate, chain, product
from typing import NamedTuple

import numpy as np

from meshset.geometry._soup import MalformedError, Soup
from meshset.geometry._text import unmarked

_HEADER = re.compile(rb"\s*(ST)?(C)?(N)?(4)?(n)?OFF[ \t]*(BINARY)?")
_Rows = list[list[bytes]]


class _Sections(NamedTuple):
    """The words of every vertex (3 or more) and of every face (the number of its corners, these, and colours)."""

    vertices: _Rows
    faces: _Rows
    lines_left: int


def parse_off(data: bytes) -> Soup:
    """Parse the bytes of an OFF file; comments and odd white space are allowed.

    Raises:
        MalformedError: if the file is not text OFF in three dimensions, or ends too early.
    """
    data = re.sub(rb"#[^\r\n]*", b"", unmarked(data).rstrip(b"\0"))
    header = _HEADER.match(data)
    if not header:
        raise MalformedError("does not begin with OFF")
    textured, coloured, normals, *dimensions, binary = header.groups()
    if binary or b"\0" in data:
        raise MalformedError("binary OFF, which meshset does not read; convert it to text OFF or PLY")
    if any(dimensions):
        raise MalformedError("OFF with other than three dimensions")
    lines = [words for line in data[header.end() :].splitlines() if (words := line.split())]
    width = 3 + (3 if normals else 0) + (2 if textured else 0)
    rows, polygons, lines_left = _sections(lines, [width + 4, width + 3] if coloured else [width])
    sizes = [int(words[0]) for words in polygons]
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
    if lines_left:
        notes.append(f"{lines_left:,} lines after the last face ignored")
    return Soup(vertices, corners, np.array(sizes, np.int64), notes)


def _sections(lines: _Rows, widths: list[int]) -> _Sections:
    """Return vertices and faces. In nearly all files each has a line, with colours at its end; else words are counted.

    Args:
        lines: the words of every line, from the counts on.
        widths: how many words a vertex may have.
    """
    words = list(chain.from_iterable(lines))
    if len(words) < 2 or not all(word.isdigit() for word in words[:2]):
        raise MalformedError("no vertex and face counts after OFF")
    counts = int(words[0]), int(words[1])
    by_lines = _by_lines(lines[1:], *counts) if len(lines[0]) > 1 else None
    if by_lines and not by_lines.lines_left:
        return by_lines
    line_ends = [end for line, end in zip(lines, accumulate(map(len, lines)), strict=True) for _ in line]
    # The third count, that of edges, may be missing, or have a line of its own.
    begin = 2 if len(lines[0]) == 2 and len(lines) > 1 and len(lines[1]) > 1 else 3
    for ends, width in product((None, line_ends), widths):
        if found := _by_words(words, begin, width, *counts, ends):
            return found
    if by_lines:
        return by_lines
    raise MalformedError(_reason(lines[1:], len(words) - 2, *counts))


def _by_lines(lines: _Rows, vertex_count: int, face_count: int) -> _Sections | None:
    vertices, faces = lines[:vertex_count], lines[vertex_count : vertex_count + face_count]
    if len(vertices) < vertex_count or len(faces) < face_count:
        return None
    if any(len(row) < 3 for row in vertices) or not all(map(_is_whole, faces)):
        return None
    return _Sections(vertices, faces, len(lines) - vertex_count - face_count)


def _by_words(
    words: list[bytes], begin: int, width: int, vertex_count: int, face_count: int, line_ends: list[int] | None
) -> _Sections | None:
    """Return vertices of `width` words and faces of 3 corners or more that end exactly where the file does.

    Args:
        words: of the whole file.
        begin: the first word of the first vertex.
        width: words of a vertex.
        vertex_count: vertices announced.
        face_count: faces announced.
        line_ends: where the line of each word ends, if what follows a face's last corner there is its colour.
    """
    place = begin + width * vertex_count
    if place + 4 * face_count > len(words):
        return None
    vertices = [words[i : i + width] for i in range(begin, place, width)]
    faces: _Rows = []
    for _ in range(face_count):
        if place >= len(words) or not words[place].isdigit() or not 3 <= int(words[place]) < len(words) - place:
            return None
        end = place + 1 + int(words[place])
        if line_ends:
            end = line_ends[end - 1]
        faces.append(words[place:end])
        place = end
    return _Sections(vertices, faces, 0) if place == len(words) else None


def _is_whole(face: list[bytes]) -> bool:
    return face[0].isdigit() and len(face) > int(face[0])


def _reason(lines: _Rows, words: int, vertex_count: int, face_count: int) -> str:
    """Return why the sections cannot be read."""
    if len(lines) >= vertex_count + face_count:
        if any(len(row) < 3 for row in lines[:vertex_count]):
            return "a vertex with fewer than 3 coordinates"
        return "a face with fewer corners than it announces"
    announced = f"{vertex_count:,} vertices and {face_count:,} faces announced"
    if words < 3 * vertex_count + 4 * face_count:
        return f"truncated: {announced}, {words:,} numbers present"
    return f"{announced}, which cannot be told apart in {len(lines):,} lines"
