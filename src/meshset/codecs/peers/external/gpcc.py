"""G-PCC, the geometry-based point cloud codec of MPEG, by its reference software `tmc3`."""

from __future__ import annotations

import io
import re
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.peers.external.points import normals_of, surface_from_points, voxel_centres, voxelise
from meshset.codecs.peers.external.program import (
    ExternalError,
    NotRun,
    Program,
    find_executable,
    printed_by,
    run_program,
)
from meshset.geometry import Mesh

NAME = "G-PCC"
EXECUTABLE = "tmc3"

LOSSLESS_OCTREE = (
    "--trisoupNodeSizeLog2=0",
    "--mergeDuplicatedPoints=1",
    "--positionQuantizationScale=1",
    "--neighbourAvailBoundaryLog2=8",
    "--intra_pred_max_node_size_log2=6",
    "--inferredDirectCodingMode=1",
    "--maxNumQtBtBeforeOt=4",
    "--minQtbtSizeLog2=0",
    "--planarEnabled=1",
    "--planarModeIdcmUse=0",
)
"""Geometry options of MPEG's common test conditions for lossless octrees; no voxel holds two points here."""

_VERSION = re.compile(r"tmc3 version (\S+)")


@dataclass(frozen=True)
class ExternalResult:
    """One mesh through an external program.

    Attributes:
        size: bytes of the bitstream.
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


def find_gpcc() -> Program | NotRun:
    """Return `tmc3` on the PATH, or why there are no figures for it."""
    path = find_executable(EXECUTABLE)
    if path is None:
        return NotRun(NAME, f"there is no {EXECUTABLE} on the PATH")
    try:
        printed = printed_by(path, ["--help"])
    except ExternalError as error:
        return NotRun(NAME, str(error))
    version = _VERSION.search(printed)
    if version is None:
        return NotRun(NAME, f"{path} does not say that it is {EXECUTABLE}")
    return Program(path, version[1])


@dataclass(frozen=True)
class Gpcc:
    """Voxels of a mesh coded losslessly by `tmc3`, and a surface through what it decodes.

    The voxel grid is what loses, so its depth moves along the rate-distortion curve. The bitstream holds no normals;
    those of the original are used, free of bytes, which flatters it.

    Attributes:
        program: from `find_gpcc`.
        depth: voxels a side of the cube [-1, 1]^3 are 2^depth; 1 to 12.
    """

    name: ClassVar[str] = NAME
    program: Program
    depth: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= 12:
            raise ValueError(f"the depth of voxels is 1 to 12, not {self.depth}")

    def run(self, mesh: Mesh) -> ExternalResult:
        """Code a normalised mesh and decode it again.

        Raises:
            ExternalError: the program failed, or came back with other voxels.
            MissingExtraError: scipy or libigl is not installed.
        """
        voxels = voxelise(mesh, self.depth)
        with TemporaryDirectory(prefix="meshset-gpcc-") as name:
            folder = Path(name)
            (folder / "in.ply").write_bytes(_ply(voxels))
            encode_seconds = self._call(
                folder, "--mode=0", "--uncompressedDataPath=in.ply", "--compressedStreamPath=bits", *LOSSLESS_OCTREE
            )
            decode_seconds = self._call(
                folder, "--mode=1", "--compressedStreamPath=bits", "--reconstructedDataPath=out.ply"
            )
            size = (folder / "bits").stat().st_size if (folder / "bits").exists() else 0
            decoded = _read_points(folder / "out.ply")
        if not size or not np.array_equal(decoded, voxels):
            raise ExternalError(f"{self.program.path}: the voxels that came back are not those that were coded")
        points = voxel_centres(decoded, self.depth)
        surface = surface_from_points(points, normals_of(mesh, points), self.depth)
        return ExternalResult(size, surface, encode_seconds, decode_seconds, len(voxels))

    def _call(self, folder: Path, *arguments: str) -> float:
        started = time.perf_counter()
        run_program(self.program.path, arguments, folder)
        return time.perf_counter() - started


def _ply(voxels: NDArray[np.int64]) -> bytes:
    """Return points as binary PLY, in the float coordinates that `tmc3` reads."""
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(voxels)}\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz") + "end_header\n"
    return header.encode() + voxels.astype("<f4").tobytes()


def _read_points(path: Path) -> NDArray[np.int64]:
    """Return the points of a PLY file, text or binary, as sorted whole numbers (N, 3)."""
    import trimesh

    try:
        cloud = trimesh.load(io.BytesIO(path.read_bytes()), file_type="ply")
        points = np.asarray(cloud.vertices, dtype=np.float64).reshape(-1, 3)
    except Exception as error:
        # trimesh raises whatever a malformed file happens to cause.
        raise ExternalError(f"{path.name}: is no PLY file of points ({error})") from None
    return np.unique(np.rint(points).astype(np.int64), axis=0)
