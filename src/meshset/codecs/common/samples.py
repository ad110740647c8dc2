"""Points around a mesh and their signed distances, made once and shared by all networks of a run."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MeshFileError, writing_temporary
from meshset.field.buried import buried_note, buried_share, outer_surface
from meshset.field.cache import FieldCache, cache_folder, field_key
from meshset.field.grid import spacing
from meshset.geometry.mesh import Mesh
from meshset.geometry.orientation import face_outward
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import sample_surface

VERSION = 3
"""To be raised whenever the same mesh would give other samples."""

FALL_OFF = 60.0
"""beta: near the surface the density of samples falls as exp(-beta |distance|)."""

UNIFORM_SHARE = 0.1
"""Share of the samples that are uniform in the cube, so that the network knows where nothing is."""

UNIT = 1.0 / 32767
"""Coordinates are whole multiples of this: two bytes hold them, and distances are those of the rounded point."""

_OPEN_SHARE = 0.01
_OPEN_SAMPLES = 2_000


@dataclass(frozen=True, eq=False)
class Samples:
    """What a network is trained on, in few bytes.

    Attributes:
        whole_points: (3, N) int16, coordinates in units of `UNIT`, in random order.
        half_distance: (N,) float16, distance to the surface, negative inside.
        notes: what was repaired or approximated, one line each.
    """

    whole_points: NDArray[np.int16]
    half_distance: NDArray[np.float16]
    notes: tuple[str, ...]

    @property
    def points(self) -> NDArray[np.float32]:
        """Return the points (3, N) float32 in the cube [-1, 1]^3."""
        return self.whole_points.astype(np.float32) * np.float32(UNIT)

    @property
    def distance(self) -> NDArray[np.float32]:
        """Return the signed distances (N,) float32."""
        return self.half_distance.astype(np.float32)


def samples_of(mesh: Mesh, count: int, resolution: int, seed: int) -> Samples:
    """Return the samples of a normalised mesh, from the cache where they were made before.

    Args:
        mesh: in the cube [-1, 1]^3.
        count: number of samples.
        resolution: K; open sheets become as thick as a voxel of its grid.
        seed: the same mesh, count and seed give the same samples.

    Raises:
        MeshFileError: the surface has no area.
        MissingExtraError: libigl or scipy is not installed.
    """
    cache = FieldCache(cache_folder())
    key = field_key(mesh, resolution, f"samples {VERSION} {count} {seed}")
    with TemporaryDirectory(prefix="meshset-samples-") as folder:
        path = Path(folder) / "samples.npz"
        with writing_temporary(folder):
            notes = cache.load(key, path)
        if notes is None:
            whole, distance, notes = _make(mesh, count, resolution, seed)
            stored = BytesIO()
            np.savez(stored, points=np.ascontiguousarray(whole.T), distance=distance.astype(np.float16))
            with writing_temporary(folder):
                path.write_bytes(stored.getvalue())
            cache.store(key, path, notes)
        with np.load(path, allow_pickle=False) as data:
            return Samples(data["points"], data["distance"], notes)


def usable_samples(mesh: Mesh, count: int, resolution: int, seed: int) -> Samples:
    """Return samples of which some lie inside, so that there is a surface to learn; the rest is as in `samples_of`.

    Raises:
        MeshFileError: there are none; errors as there.
    """
    samples = samples_of(mesh, count, resolution, seed)
    if not (samples.half_distance < 0).any():
        raise MeshFileError("too thin: no sample lies inside of it")
    return samples


def _make(
    mesh: Mesh, count: int, resolution: int, seed: int
) -> tuple[NDArray[np.int16], NDArray[np.float64], tuple[str, ...]]:
    """Return points (N, 3) in units of `UNIT`, distances (N,), and notes."""
    mesh, turned = face_outward(mesh)
    notes = [f"{turned} {'part' if turned == 1 else 'parts'} inside out; turned"] if turned else []
    queries = SurfaceQueries(mesh)
    outer = outer_surface(mesh, queries, resolution)
    if outer is not mesh:
        notes.append(buried_note(buried_share(mesh, queries, resolution)))
    whole = np.round(np.clip(_draw(outer, count, seed), -1.0, 1.0) / UNIT).astype(np.int16)
    points = whole.astype(np.float64) * UNIT
    distance = (queries if outer is mesh else SurfaceQueries(outer)).closest(points)[0]
    signed = np.where(np.abs(queries.winding_number(points)) > 0.5, -distance, distance)
    sheets = _open_faces(mesh, queries, resolution)
    if sheets is not None:
        signed = np.minimum(signed, SurfaceQueries(sheets).closest(points)[0] - spacing(resolution) / 2)
        share = len(sheets.faces) / len(mesh.faces)
        notes.append(f"{share:.0%} of its faces have no inside; kept as sheets as thick as a voxel")
    return whole, signed, tuple(notes)


def _draw(mesh: Mesh, count: int, seed: int) -> NDArray[np.float64]:
    """Return points (N, 3), most of them near the surface, in random order.

    Davies et al. 2021 draw ten times as many points as they need, uniform in space, and keep them with a probability
    of exp(-beta |distance|), which asks for ten million distances a mesh. Points of the surface that are moved by a
    three-dimensional Laplace variable (a normal one whose variance is exponentially distributed) have that density over
    a plane, and every one is used.
    """
    rng = np.random.default_rng(seed)
    near = count - round(UNIFORM_SHARE * count)
    surface = sample_surface(mesh, near, seed).points
    offsets = rng.standard_normal((near, 3)) * np.sqrt(2.0 * rng.exponential(size=(near, 1))) / FALL_OFF
    points = np.concatenate([surface + offsets, rng.uniform(-1.0, 1.0, (count - near, 3))])
    return np.asarray(rng.permutation(points))


def _open_faces(mesh: Mesh, queries: SurfaceQueries, resolution: int) -> Mesh | None:
    """Return the faces that have the outside on both sides, as open sheets do; None if hardly any of the area has."""
    offset = 0.05 * spacing(resolution)
    samples = sample_surface(mesh, _OPEN_SAMPLES, seed=0)
    if _outside_twice(queries, samples.points, offset * samples.normals).mean() < _OPEN_SHARE:
        return None
    triangles = mesh.triangles
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    return Mesh(mesh.vertices, mesh.faces[_outside_twice(queries, triangles.mean(axis=1), offset * normals)])


def _outside_twice(
    queries: SurfaceQueries, points: NDArray[np.float64], offsets: NDArray[np.float64]
) -> NDArray[np.bool_]:
    winding = np.abs(queries.winding_number(np.concatenate([points - offsets, points + offsets])))
    return np.asarray((winding.reshape(2, -1) <= 0.5).all(axis=0))
