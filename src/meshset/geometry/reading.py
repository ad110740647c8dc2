"""Read mesh files of every supported format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from meshset.errors import MeshFileError
from meshset.geometry._clean import clean
from meshset.geometry._gltf import glb_duration, gltf_duration, parse_glb, parse_gltf
from meshset.geometry._obj import parse_obj
from meshset.geometry._off import parse_off
from meshset.geometry._ply import parse_ply
from meshset.geometry._soup import MalformedError, Soup
from meshset.geometry._stl import parse_stl
from meshset.geometry._threemf import parse_3mf
from meshset.geometry.mesh import Mesh

_PARSERS: dict[str, Callable[[bytes, Path], Soup]] = {
    ".obj": lambda data, _: parse_obj(data),
    ".ply": lambda data, _: parse_ply(data),
    ".stl": lambda data, _: parse_stl(data),
    ".off": lambda data, _: parse_off(data),
    ".glb": parse_glb,
    ".gltf": parse_gltf,
    ".3mf": lambda data, _: parse_3mf(data),
}

_DURATIONS: dict[str, Callable[[bytes, Path], float]] = {".glb": glb_duration, ".gltf": gltf_duration}
_MOMENTS: dict[str, Callable[[bytes, Path, float], Soup]] = {".glb": parse_glb, ".gltf": parse_gltf}

SUPPORTED_SUFFIXES = frozenset(_PARSERS)
"""Endings of file names, lower case with the dot, that `read_mesh` knows; upper case is read as well."""


@dataclass(frozen=True)
class Reading:
    """A mesh and what its file held beyond it.

    Attributes:
        mesh: vertices (V, 3) float64, all distinct, finite and used by a face, in the units of the file;
            faces (F, 3) int32.
        notes: one line for everything that was dropped or changed.
        doubts: those of the notes after which the surface may be another than the file means.
    """

    mesh: Mesh
    notes: tuple[str, ...]
    doubts: tuple[str, ...] = ()


def read_mesh(path: Path) -> Reading:
    """Read one mesh file; the parts of a scene become one mesh, placed where the scene has them.

    Args:
        path: a file whose suffix is one of `SUPPORTED_SUFFIXES`, in upper or lower case.

    Raises:
        MeshFileError: if the file cannot be read or holds no usable mesh; one line with file and reason.

    >>> reading = read_mesh(Path("models/bunny.ply"))
    >>> reading.mesh.vertices.shape, reading.notes
    ((162, 3), ())
    """
    parse = _PARSERS.get(Path(path).suffix.lower())
    if parse is None:
        known = ", ".join(sorted(SUPPORTED_SUFFIXES))
        raise _failure(Path(path), f"unknown format {Path(path).suffix!r}, expected one of {known}")
    return _guarded(path, lambda data, folder: _cleaned(parse(data, folder)))


def read_frame(path: Path, time: float) -> Reading:
    """Read an animated glTF file as it is at a moment of its first animation, `time` in seconds.

    Raises:
        MeshFileError: as `read_mesh`; also if the file is of another kind, or has no animation.
    """
    parse = _MOMENTS.get(Path(path).suffix.lower())
    if parse is None:
        raise _failure(Path(path), _STILL)
    return _guarded(path, lambda data, folder: _cleaned(parse(data, folder, time)))


def animation_seconds(path: Path) -> float:
    """Return how long the first animation of a glTF file takes, in seconds.

    Raises:
        MeshFileError: as `read_frame`.
    """
    measure = _DURATIONS.get(Path(path).suffix.lower())
    if measure is None:
        raise _failure(Path(path), _STILL)
    return _guarded(path, measure)


_STILL = "has no frames: only glTF files are animated"
_Found = TypeVar("_Found")


def _cleaned(soup: Soup) -> Reading:
    mesh, notes = clean(soup)
    return Reading(mesh, tuple(notes), tuple(soup.doubts))


def _guarded(path: Path, parse: Callable[[bytes, Path], _Found]) -> _Found:
    """Return what is made of a file's bytes. Raises MeshFileError for whatever goes wrong with them."""
    path = Path(path)
    try:
        data = _content(path)
        # NaN and overflow are looked for afterwards; numpy's warnings would only reach the user's screen.
        with np.errstate(all="ignore"):
            return parse(data, path.parent)
    except MalformedError as error:
        raise _failure(path, str(error)) from None
    except MemoryError:
        raise _failure(path, "not enough memory to read it") from None
    except RecursionError:
        raise _failure(path, "damaged: nested too deeply") from None
    except Exception as error:
        # A damaged file can make a parser stumble anywhere; the user needs its name, not our traceback.
        raise _failure(path, f"damaged ({type(error).__name__}: {error})".replace(": )", ")")) from error


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise MalformedError("is a folder, expected a file")
        if not path.exists():
            raise MalformedError("no such file")
        if not path.is_file():
            raise MalformedError("is not a regular file")
        data = path.read_bytes()
    except OSError as error:
        raise MalformedError(f"cannot be read ({error.strerror})") from None
    if not data:
        raise MalformedError("empty file")
    return data


def _failure(path: Path, reason: str) -> MeshFileError:
    """Return the error with one printable line, whatever stands in names and reasons."""
    line = f"{path}: {reason}"
    return MeshFileError("".join(c if c.isprintable() else " " for c in line)[: len(str(path)) + 300])
