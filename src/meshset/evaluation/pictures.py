"""Pictures of meshes without a display: the surface as many points, of which the nearest in each pixel is seen."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from meshset.geometry.mesh import Mesh
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import sample_surface

SHADES = 15
"""Levels of light in an indexed picture; with `COLOURS` they fill the 255 entries beside the background."""

COLOURS = 17
"""Levels of error in an indexed picture."""

PLAIN = (0.66, 0.71, 0.78)
"""Colour of a mesh that has no error to show, RGB in [0, 1]."""

ERROR_STOPS = ((0.80, 0.83, 0.86), (0.98, 0.84, 0.38), (0.93, 0.45, 0.20), (0.70, 0.10, 0.32), (0.30, 0.02, 0.36))
"""Colours of errors from 0 to the end of the scale, evenly spaced, RGB in [0, 1]; darker throughout."""

_FRAME = 2.5
"""Side of the square that is seen, in units of the cube [-1, 1]^3, whose diagonal parts may stand out."""

_POINTS_PER_PIXEL = 20
"""A pixel of a ball that fills its cube gets a dozen from the near side, so none shows the far one."""

_AMBIENT = 0.25
_LIGHT = np.array([0.3, 0.6, 0.75]) / np.linalg.norm([0.3, 0.6, 0.75])


@dataclass(frozen=True, eq=False)
class View:
    """What is seen of a normalised mesh.

    Attributes:
        rows: (P,) int64, pixel rows from above, each pixel once.
        columns: (P,) int64, pixel columns from the left.
        points: (P, 3) float64, the point of the surface seen in the pixel, in the units of the mesh.
        light: (P,) float64 in [0, 1], how bright it is.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    points: NDArray[np.float64]
    light: NDArray[np.float64]


def look(mesh: Mesh, side: int, up: Literal["y", "z"], count: int | None = None) -> View:
    """Return what is seen of a mesh in the cube [-1, 1]^3 from in front of a corner, by parallel rays.

    Args:
        mesh: normalised, with an area.
        side: pixels along each side of the picture.
        up: axis that points upward in the picture.
        count: points on the surface; without it enough for a mesh of common area.

    Raises:
        MeshFileError: the mesh has no area.
    """
    samples = sample_surface(mesh, count or _POINTS_PER_PIXEL * side**2, seed=0)
    turn = _turn(up)
    seen = samples.points @ turn.T
    pixels = np.clip((seen[:, :2] / _FRAME + 0.5) * side, 0, side - 1).astype(np.int64)
    nearest = np.full(side * side, -1, dtype=np.int64)
    order = np.argsort(seen[:, 2])
    # Of several points in a pixel the last one written stays: the nearest.
    nearest[(side - 1 - pixels[order, 1]) * side + pixels[order, 0]] = order
    filled = np.flatnonzero(nearest >= 0)
    chosen = nearest[filled]
    light = _AMBIENT + (1 - _AMBIENT) * np.clip(samples.normals[chosen] @ turn.T @ _LIGHT, 0, 1)
    return View(filled // side, filled % side, samples.points[chosen], light)


def picture_of_mesh(mesh: Mesh, side: int, up: Literal["y", "z"]) -> bytes:
    """Return a PNG of a normalised mesh, in one colour on nothing. Raises as `look` does."""
    view = look(mesh, side, up)
    return _png(view, side, np.zeros(len(view.rows), dtype=np.int64), np.array([PLAIN] * COLOURS))


def picture_of_error(original: Mesh, decoded: Mesh, side: int, up: Literal["y", "z"], scale: float) -> bytes:
    """Return a PNG of a decoded mesh, coloured by the distance of each point to the surface of its original.

    Args:
        original: normalised.
        decoded: in the same place.
        side: pixels along each side.
        up: as for `look`.
        scale: distance, in the units of the meshes, at which the colours end.

    Raises:
        MeshFileError: the decoded mesh has no area.
        MissingExtraError: libigl is not installed.
    """
    view = look(decoded, side, up)
    distance = SurfaceQueries(original).closest(view.points)[0]
    levels = np.minimum(distance / scale * COLOURS, COLOURS - 1).astype(np.int64)
    return _png(view, side, levels, error_colours(COLOURS))


def error_colours(count: int) -> NDArray[np.float64]:
    """Return `count` colours from no error to the end of the scale, (count, 3) RGB in [0, 1]."""
    stops = np.array(ERROR_STOPS)
    places = np.linspace(0, len(stops) - 1, count)
    return np.stack([np.interp(places, np.arange(len(stops)), channel) for channel in stops.T], axis=1)


def _turn(up: Literal["y", "z"]) -> NDArray[np.float64]:
    """Return a rotation whose rows are right, up and towards the viewer."""
    upward = np.array([0.0, 1.0, 0.0] if up == "y" else [0.0, 0.0, 1.0])
    towards = np.array([1.0, 0.8, 1.3] if up == "y" else [1.0, -1.3, 0.8])
    towards /= np.linalg.norm(towards)
    right = np.cross(upward, towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards])


def _png(view: View, side: int, levels: NDArray[np.int64], colours: NDArray[np.float64]) -> bytes:
    """Return an indexed PNG with a transparent background.

    Args:
        view: what is seen.
        side: pixels along each side.
        levels: (P,) row of `colours` for each pixel of the view.
        colours: (COLOURS, 3) RGB in [0, 1].
    """
    shades = np.rint(view.light * (SHADES - 1)).astype(np.int64)
    indices = np.zeros((side, side), dtype=np.uint8)
    indices[view.rows, view.columns] = 1 + levels * SHADES + shades
    lit = colours[:, None, :] * np.linspace(0, 1, SHADES)[None, :, None]
    palette = np.concatenate([np.zeros((1, 3)), lit.reshape(-1, 3)])
    # Each row begins with the number of its filter; 0 is none, best for indices.
    rows = np.concatenate([np.zeros((side, 1), dtype=np.uint8), indices], axis=1)
    chunks = [
        _chunk(b"IHDR", struct.pack(">2I5B", side, side, 8, 3, 0, 0, 0)),
        _chunk(b"PLTE", np.rint(palette * 255).astype(np.uint8).tobytes()),
        _chunk(b"tRNS", b"\0"),
        _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
        _chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
