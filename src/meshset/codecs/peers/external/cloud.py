"""A mesh through any codec of points: voxels in, a program in between, a surface through what comes back."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.peers.external.points import normals_of, surface_from_points, voxel_centres, voxelise
from meshset.codecs.peers.external.program import ExternalError, Program
from meshset.geometry import Mesh

OVERSHOOT = 8
"""Voxels that a decoded point may lie outside of the grid: lossy depths overshoot by a few, garbage by far more."""

GREY = 128


@dataclass(frozen=True)
class Coded:
    """What a program made of the voxels of one mesh.

    Attributes:
        size: bytes of all that the decoder read.
        path: PLY file of the decoded points.
        encode_seconds: wall-clock time of encoding.
        decode_seconds: likewise.
    """

    size: int
    path: Path
    encode_seconds: float
    decode_seconds: float


@dataclass(frozen=True)
class ExternalResult:
    """One mesh through an external program.

    Attributes:
        size: bytes of the bitstreams.
        mesh: what came back, normalised.
        encode_seconds: wall-clock time of the program itself, conversions not included.
        decode_seconds: likewise.
        points: points that were coded.
    """

    size: int
    mesh: Mesh
    encode_seconds: float
    decode_seconds: float
    points: int


@dataclass(frozen=True)
class PointCodec(ABC):
    """One setting of a codec of voxels, run as a program, and a surface through the points that it decodes.

    The bitstream holds no normals. They are those of the original at its points nearest to the decoded ones, free of
    bytes, which flatters every such codec, and a lossy one more: its points are off the surface, and their normals are
    not.

    Attributes:
        name: of the codec, in tables.
        deepest: the greatest depth that it takes.
        program: that is run.
        depth: voxels a side of the cube [-1, 1]^3 are 2^depth.
    """

    name: ClassVar[str]
    deepest: ClassVar[int] = 12
    program: Program
    depth: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= self.deepest:
            raise ValueError(f"the depth of voxels is 1 to {self.deepest}, not {self.depth}")

    def setting(self) -> dict[str, Any]:
        """Return all parameters but the program, as JSON values."""
        return {key: value for key, value in asdict(self).items() if key != "program"}

    def label(self) -> str:
        """Return what tells this setting from others, for people."""
        return ", ".join(f"{key} {value}" for key, value in self.setting().items())

    def run(self, mesh: Mesh) -> ExternalResult:
        """Code a normalised mesh and decode it again.

        Raises:
            ExternalError: the program failed, or came back with something else than points of the grid.
            MissingExtraError: scipy or libigl is not installed.
        """
        voxels = voxelise(mesh, self.depth)
        with TemporaryDirectory(prefix="meshset-external-") as folder:
            coded = self.code(voxels, Path(folder))
            decoded = self._points(coded.path)
        self.check(voxels, decoded)
        points = voxel_centres(decoded, self.depth)
        surface = surface_from_points(points, normals_of(mesh, points), self.depth)
        if not len(surface.faces):
            raise ExternalError(f"{self.program.path}: there is no surface through the points that came back")
        return ExternalResult(coded.size, surface, coded.encode_seconds, coded.decode_seconds, len(voxels))

    @abstractmethod
    def code(self, voxels: NDArray[np.int64], folder: Path) -> Coded:
        """Encode voxels (N, 3) and decode them again, in an empty folder. Raises ExternalError."""

    def check(self, voxels: NDArray[np.int64], decoded: NDArray[np.float64]) -> None:
        """Raise ExternalError if `decoded` (M, 3) cannot be what became of `voxels` (N, 3)."""
        if decoded.min() < -OVERSHOOT or decoded.max() > 2**self.depth - 1 + OVERSHOOT:
            raise ExternalError(f"{self.program.path}: points came back that are far outside of the grid")

    def size_of(self, *paths: Path) -> int:
        """Return the bytes of bitstreams together. Raises ExternalError if one is missing, or all are empty."""
        missing = next((path.name for path in paths if not path.exists()), None)
        if missing is not None:
            raise ExternalError(f"{self.program.path}: wrote no {missing}")
        size = sum(path.stat().st_size for path in paths)
        if not size:
            raise ExternalError(f"{self.program.path}: wrote an empty bitstream")
        return size

    def _points(self, path: Path) -> NDArray[np.float64]:
        """Return the points of a PLY file, text or binary, sorted and without repeats, (M, 3) with M > 0."""
        import trimesh

        if not path.exists():
            raise ExternalError(f"{self.program.path}: wrote no {path.name}")
        try:
            cloud = trimesh.load(io.BytesIO(path.read_bytes()), file_type="ply")
            points = np.asarray(cloud.vertices, dtype=np.float64).reshape(-1, 3)
        except Exception as error:
            # trimesh raises whatever a malformed file happens to cause.
            raise ExternalError(f"{self.program.path}: {path.name} is not a PLY file of points ({error})") from None
        if not len(points) or not np.isfinite(points).all():
            raise ExternalError(f"{self.program.path}: {path.name} has no points, or some that are not finite")
        return np.unique(points, axis=0)


def write_points(path: Path, voxels: NDArray[np.int64], grey: bool = False) -> None:
    """Write voxels (N, 3) as binary PLY with the float coordinates that MPEG's programs read, all grey if asked for."""
    colours = ("red", "green", "blue") if grey else ()
    table = np.empty(len(voxels), dtype=[(axis, "<f4") for axis in "xyz"] + [(colour, "u1") for colour in colours])
    for axis, values in zip("xyz", voxels.T, strict=True):
        table[axis] = values
    for colour in colours:
        table[colour] = GREY
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(voxels)}\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz")
    header += "".join(f"property uchar {colour}\n" for colour in colours) + "end_header\n"
    path.write_bytes(header.encode() + table.tobytes())
