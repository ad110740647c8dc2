"""Write mesh files, and count the bytes of a mesh as text."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MeshFileError
from meshset.geometry._gltf_writing import encode_animation
from meshset.geometry._stl import BINARY_HEADER, TRIANGLE
from meshset.geometry.mesh import Mesh
from meshset.geometry.normalise import Placement
from meshset.vocabulary import MESH_FORMATS

_EXPORTER_BYTES = 37
"""The comment line and the last empty line that the exporter of the data sets' manifests writes."""

_DECIMALS = 8


def write_mesh(mesh: Mesh, path: Path) -> None:
    """Write a mesh in the format that the suffix of `path` names; the file appears whole or not at all.

    Coordinates come back exactly in their own dtype from obj, ply and off; stl and glb hold float32. Where that is too
    coarse for the place of a float64 mesh, glb keeps the offset apart; stl cannot.
    PLY and STL are binary. STL stores positions per triangle, so it keeps neither order nor sharing of
    vertices.

    Args:
        mesh: vertices float32 or float64, finite.
        path: target, replaced if it exists; its suffix, in upper or lower case, is one of `MESH_FORMATS`.

    Raises:
        MeshFileError: if the format is unknown, the mesh does not fit it, or the file cannot be written.

    >>> tetrahedron = Mesh(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]]),
    ...     np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32))
    >>> write_mesh(tetrahedron, Path("tetrahedron.off"))
    >>> Path("tetrahedron.off").read_text().split()[:2]
    ['OFF', '4']
    """
    path = Path(path)
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in _ENCODERS:
        raise MeshFileError(f"{path}: cannot write {path.suffix!r}, only {', '.join(MESH_FORMATS)}")
    try:
        content = encode_mesh(mesh, suffix)
    except MeshFileError as error:
        raise MeshFileError(f"{path}: not written, {error}") from None
    _put(path, content)


def write_animation(frames: Sequence[Mesh], path: Path, rate: float) -> None:
    """Write meshes as one that moves: a GLB file with morph targets, `rate` frames a second.

    The file appears whole or not at all. It holds float32 around the centre of the first frame.

    Raises:
        MeshFileError: frames have other faces than the first, or the file cannot be written.
    """
    for place, frame in enumerate(frames):
        if not np.array_equal(frame.faces, frames[0].faces):
            raise MeshFileError(f"{path}: not written, frame {place} has other faces than the first")
    _put(Path(path), encode_animation(frames, rate))


def _put(path: Path, content: bytes) -> None:
    try:
        _replace(path, content)
    except OSError as error:
        raise MeshFileError(f"{path}: cannot be written ({error.strerror})") from None


def encode_mesh(mesh: Mesh, format: str) -> bytes:
    """Return a mesh as the content of a file, as `write_mesh` writes it.

    Args:
        mesh: vertices float32 or float64, finite.
        format: one of `MESH_FORMATS`.

    Raises:
        MeshFileError: the mesh does not fit the format.
    """
    if not np.isfinite(mesh.vertices).all():
        raise MeshFileError("the mesh has NaN or infinite coordinates")
    try:
        return _ENCODERS[format](mesh)
    except OverflowError as error:
        raise MeshFileError(str(error)) from None


def obj_size(mesh: Mesh) -> int:
    """Return the bytes of a mesh as OBJ text with 8 decimals and without normals, the papers' convention.

    The text is counted, not made. It includes a comment line and an empty line, as in the manifests of the
    data sets.
    """
    coordinates = np.asarray(mesh.vertices, np.float64).reshape(-1)
    vertex_bytes = len("v  \n") * len(mesh.vertices) + int(_decimal_widths(coordinates).sum())
    thresholds = 10 ** np.arange(1, 10, dtype=np.int64)
    digits = 1 + np.searchsorted(thresholds, mesh.faces.reshape(-1).astype(np.int64) + 1, side="right")
    # 'v' and 'f' are each followed by three values, separated by three spaces, and a line end.
    return _EXPORTER_BYTES + vertex_bytes + len(mesh.vertices) + 5 * len(mesh.faces) + int(digits.sum())


def _decimal_widths(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many characters each finite value takes with 8 decimals."""
    digits = 1 + np.searchsorted(_THRESHOLDS, np.abs(values), side="right")
    return digits + np.signbit(values) + 1 + _DECIMALS


def _digit_thresholds() -> NDArray[np.float64]:
    """Return the smallest doubles that print with 2, 3, ... digits before the point.

    Rounding to 8 decimals can carry into one more digit, so they lie just below the powers of ten.
    """
    thresholds = []
    for digits in range(2, 310):
        value = float(f"1e{digits - 1}") - 0.5 * 10.0**-_DECIMALS
        while len(f"{value:.0f}" if value > 1e16 else f"{value:.{_DECIMALS}f}".partition(".")[0]) < digits:
            value = float(np.nextafter(value, np.inf))
        thresholds.append(value)
    return np.array(thresholds)


_THRESHOLDS = _digit_thresholds()


def _replace(path: Path, content: bytes) -> None:
    """Write beside the target and rename, so that no half file ever has the final name."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")  # short, for the name may be as long as names may be
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _float32(mesh: Mesh) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        vertices = mesh.vertices.astype("<f4")
    if not np.isfinite(vertices).all():
        raise OverflowError("its coordinates are beyond the range of float32")
    return vertices


def _rows(vertices: NDArray[np.floating[Any]], prefix: str) -> str:
    """Return one line a vertex, with just the digits that bring back the same number."""
    if vertices.dtype == np.float32:
        return f"{prefix}%.9g %.9g %.9g\n" * len(vertices) % tuple(vertices.reshape(-1).tolist())
    return f"{prefix}%r %r %r\n" * len(vertices) % tuple(vertices.reshape(-1).tolist())


def _encode_obj(mesh: Mesh) -> bytes:
    faces = "f %d %d %d\n" * len(mesh.faces) % tuple((mesh.faces.reshape(-1).astype(np.int64) + 1).tolist())
    return (_rows(mesh.vertices, "v ") + faces).encode()


def _encode_off(mesh: Mesh) -> bytes:
    faces = "3 %d %d %d\n" * len(mesh.faces) % tuple(mesh.faces.reshape(-1).tolist())
    return (f"OFF\n{len(mesh.vertices)} {len(mesh.faces)} 0\n{_rows(mesh.vertices, '')}{faces}").encode()


def encode_ply(mesh: Mesh) -> bytes:
    """Return a mesh as a little-endian binary PLY file, coordinates in their own dtype."""
    kind, dtype = ("float", "<f4") if mesh.vertices.dtype == np.float32 else ("double", "<f8")
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(mesh.vertices)}\n"
        + "".join(f"property {kind} {axis}\n" for axis in "xyz")
        + f"element face {len(mesh.faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = np.empty(len(mesh.faces), [("size", "u1"), ("corners", "<i4", 3)])
    faces["size"] = 3
    faces["corners"] = mesh.faces
    return header.encode() + mesh.vertices.astype(dtype).tobytes() + faces.tobytes()


def _encode_stl(mesh: Mesh) -> bytes:
    records = np.zeros(len(mesh.faces), TRIANGLE)
    records["corners"] = _float32(mesh)[mesh.faces]
    a, b, c = np.moveaxis(mesh.triangles, 1, 0)
    normals = np.cross(b - a, c - a)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    records["normal"] = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
    return bytes(BINARY_HEADER) + len(records).to_bytes(4, "little") + records.tobytes()


def _encode_glb(mesh: Mesh) -> bytes:
    import trimesh

    # Far from the origin the node carries the offset, in JSON and so in full, and the buffer what float32 can hold.
    placement = Placement.of(mesh)
    far = mesh.vertices.dtype == np.float64 and placement.precision(error=None) is np.float64
    offset = placement.centre if far else np.zeros(3)
    scene = trimesh.Scene()
    shape = Mesh(_float32(Mesh(mesh.vertices - offset, mesh.faces) if far else mesh), mesh.faces).to_trimesh()
    scene.add_geometry(shape, transform=trimesh.transformations.translation_matrix(offset))
    content = scene.export(file_type="glb", include_normals=False)
    if not isinstance(content, bytes):
        raise TypeError(f"trimesh exported {type(content).__name__}, expected bytes")
    return content


_ENCODERS: dict[str, Callable[[Mesh], bytes]] = {
    "obj": _encode_obj,
    "ply": encode_ply,
    "stl": _encode_stl,
    "off": _encode_off,
    "glb": _encode_glb,
}
