"""G-PCC, the geometry-based point cloud codec of MPEG, by its reference software `tmc3`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.peers.external.cloud import Coded, PointCodec, write_points
from meshset.codecs.peers.external.program import ExternalError, NotRun, Program, find_program, run_program

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


def find_gpcc() -> Program | NotRun:
    """Return `tmc3` on the PATH, or why there are no figures for it."""
    return find_program(NAME, EXECUTABLE, ["--help"], _VERSION)


@dataclass(frozen=True)
class Gpcc(PointCodec):
    """Voxels of a mesh coded losslessly by `tmc3`: the voxel grid is what loses, so its depth moves along the curve."""

    name: ClassVar[str] = NAME

    def code(self, voxels: NDArray[np.int64], folder: Path) -> Coded:
        """Run `tmc3` twice."""
        bits, out = folder / "bits", folder / "out.ply"
        write_points(folder / "in.ply", voxels)
        encoding = ("--mode=0", "--uncompressedDataPath=in.ply", "--compressedStreamPath=bits", *LOSSLESS_OCTREE)
        encoded = run_program(self.program.path, encoding, folder)
        size = self.size_of(bits)
        decoding = ("--mode=1", "--compressedStreamPath=bits", "--reconstructedDataPath=out.ply")
        decoded = run_program(self.program.path, decoding, folder)
        return Coded(size, out, encoded.seconds, decoded.seconds)

    def check(self, voxels: NDArray[np.int64], decoded: NDArray[np.float64]) -> None:
        """Refuse everything but the very same voxels."""
        if not np.array_equal(decoded, voxels):
            raise ExternalError(f"{self.program.path}: the voxels that came back are not those that were coded")
