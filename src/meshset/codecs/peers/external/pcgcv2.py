"""PCGCv2, multiscale point cloud geometry compression (Wang et al. 2021), by the code of its authors.

That is a repository and no program, so what is looked for is a script of a few lines that runs it (docs/peers.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.peers.external.cloud import Coded, PointCodec
from meshset.codecs.peers.external.program import ExternalError, NotRun, Program, find_program, run_program

NAME = "PCGCv2"
EXECUTABLE = "pcgcv2"

MODELS = (
    "r1_0.025bpp",
    "r2_0.05bpp",
    "r3_0.10bpp",
    "r4_0.15bpp",
    "r5_0.25bpp",
    "r6_0.3bpp",
    "r7_0.4bpp",
)
"""Trained weights that the authors offer, coarse to fine, by the names of their files."""

BITSTREAMS = ("in_C.bin", "in_F.bin", "in_H.bin", "in_num_points.bin")
"""Coordinates, features, header and numbers of points: all that its decoder reads, beside the weights."""

_VERSION = re.compile(r"^pcgcv2 (\S+)$", re.MULTILINE)
_SECONDS = r"{} Time:\s+([0-9.]+(?:e[-+]?\d+)?) s"


def find_pcgcv2() -> Program | NotRun:
    """Return `pcgcv2` on the PATH, or why there are no figures for it."""
    return find_program(NAME, EXECUTABLE, ["--version"], _VERSION)


@dataclass(frozen=True)
class Pcgcv2(PointCodec):
    """Voxels of a mesh coded by trained networks, which every reader has to have; their bytes are not counted.

    Attributes:
        model: of `MODELS`.
    """

    name: ClassVar[str] = NAME
    model: str = "r3_0.10bpp"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model not in MODELS:
            raise ValueError(f"PCGCv2 has no model {self.model!r}, only {', '.join(MODELS)}")

    def code(self, voxels: NDArray[np.int64], folder: Path) -> Coded:
        """Run the script once: the authors' coder writes the bitstreams, reads them again and decodes."""
        header = f"ply\nformat ascii 1.0\nelement vertex {len(voxels)}\n"
        header += "".join(f"property float {axis}\n" for axis in "xyz") + "end_header"
        np.savetxt(folder / "in.ply", voxels, fmt="%d", header=header, comments="")
        printed = run_program(self.program.path, [self.model, "in.ply"], folder).printed
        size = self.size_of(*(folder / "output" / name for name in BITSTREAMS))
        return Coded(
            size, folder / "output" / "in_dec.ply", self._seconds("Enc", printed), self._seconds("Dec", printed)
        )

    def _seconds(self, step: str, printed: str) -> float:
        """Return what the coder says a step took; the whole run also loads libraries and weights and measures."""
        found = re.search(_SECONDS.format(step), printed)
        if found is None:
            raise ExternalError(f"{self.program.path}: does not print its '{step} Time'")
        return float(found[1])
