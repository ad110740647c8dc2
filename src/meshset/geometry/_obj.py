"""Wavefront OBJ.

trimesh resolves a negative index against the whole file instead of the vertices read so far; hence a
parser of our own.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._soup import MalformedError, Soup, counted
from meshset.geometry._text import unmarked

_DATA = re.compile(rb"\s*[vf][\s\\]")
_IGNORED = {
    b"vt": "texture coordinates",
    b"vn": "normals",
    b"usemtl": "materials",
    b"l": "lines",
    b"p": "points",
    b"curv": "curves",
    b"curv2": "curves",
    b"surf": "free-form surfaces",
}


def parse_obj(data: bytes) -> Soup:
    """Parse the bytes of an OBJ file: vertices and polygons, everything else noted.

    Raises:
        MalformedError: if a vertex or a face cannot be read.
    """
    data = unmarked(data).replace(BOM_UTF8, b"")  # files that were joined have marks within, before a vertex
    if b"\0" in data:
        raise MalformedError("not a text file, so not OBJ")
    vertex_rows: list[list[bytes]] = []
    face_rows: list[list[bytes]] = []
    seen: list[int] = []  # vertices read before each face
    others: Counter[bytes] = Counter()
    lines: Iterable[bytes] = data.splitlines()
    for line in _joined(lines) if b"\\" in data else lines:
        words = line.split()
        if not words:
            continue
        if words[0] == b"v":
            vertex_rows.append(_uncommented(words))
        elif words[0] == b"f":
            face_rows.append(_uncommented(words))
            seen.append(len(vertex_rows))
        else:
            others[words[0]] += 1
    if face_rows and len(face_rows[-1]) < 4 and not data.endswith((b"\n", b"\r")):
        raise MalformedError("truncated: the last line is an unfinished face")
    vertices, notes = _positions(vertex_rows)
    corners, sizes = _faces(face_rows, np.array(seen, np.int64))
    return Soup(vertices, corners, sizes, notes + _notes(others))


def _joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield every line, but a vertex or face together with the lines onto which a backslash at its end continues it.

    Only there: at the end of a comment or name it is part of a path, and the next line is a statement of its own.
    """
    remaining = iter(lines)
    for line in remaining:
        if not _DATA.match(line):
            yield line
            continue
        pieces = []
        while (piece := line.partition(b"#")[0].rstrip()).endswith(b"\\"):
            pieces.append(piece.rstrip(b"\\"))
            line = next(remaining, b"")
        yield b" ".join([*pieces, piece])


def _uncommented(words: list[bytes]) -> list[bytes]:
    for i, word in enumerate(words):
        if word.startswith(b"#"):
            return words[:i]
    return words


def _positions(rows: list[list[bytes]]) -> tuple[NDArray[np.float64], list[str]]:
    """Return (V, 3) float64 positions, and notes on further columns."""
    if any(len(row) < 4 for row in rows):
        raise MalformedError("a vertex with fewer than 3 coordinates")
    notes = []
    if any(len(row) == 5 for row in rows):
        notes.append("vertex weights ignored")
    if any(len(row) > 5 for row in rows):
        notes.append("vertex colours dropped")
    try:
        flat = np.array(list(chain.from_iterable(row[1:4] for row in rows)), np.float64)
    except ValueError as error:
        raise MalformedError(f"a vertex that is not a number ({error})") from None
    return flat.reshape(-1, 3), notes


def _faces(rows: list[list[bytes]], seen: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return corners (N,) counted from 0, and sizes (F,); `seen` (F,) vertices came before each face."""
    sizes = np.array([len(row) - 1 for row in rows], np.int64)
    words = b" ".join(chain.from_iterable(row[1:] for row in rows))
    try:
        corners = np.array(re.sub(rb"/\S*", b"", words).split(), np.int64)
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"a face index that is not an integer ({error})") from None
    if len(corners) != sizes.sum() or (corners == 0).any():
        raise MalformedError("a face corner without a vertex, or vertex 0 (OBJ counts from 1)")
    relative = corners < 0
    # One less than 0 points just outside, so that a relative index before the first vertex is out of range.
    corners = np.where(relative, np.maximum(corners + np.repeat(seen, sizes), -1), corners - 1)
    return corners, sizes


def _notes(others: Counter[bytes]) -> list[str]:
    notes = [f"{what} dropped" for what in dict.fromkeys(_IGNORED[k] for k in _IGNORED if others[k])]
    for key, what in ((b"o", "object"), (b"g", "group")):
        if others[key] > 1:
            notes.append(f"{counted(others[key], what)} joined into one mesh")
    return notes
