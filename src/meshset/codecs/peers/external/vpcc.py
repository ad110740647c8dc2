"""V-PCC, the video-based point cloud codec of MPEG, by its reference software TMC2."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.peers.external.cloud import Coded, PointCodec, write_points
from meshset.codecs.peers.external.program import NotRun, Program, find_program, identify, run_program

NAME = "V-PCC"
ENCODER = "PccAppEncoder"
DECODER = "PccAppDecoder"

CONDITIONS = ("common/ctc-common.cfg", "condition/ctc-all-intra.cfg")
"""Configuration of MPEG's common test conditions, all intra: there is one frame only."""

RATES = {rate: f"rate/ctc-r{rate}.cfg" for rate in range(1, 6)}
"""Rate points of those conditions: geometry QP 32, 28, 24, 20 and 16; occupancy in blocks of 4, but 2 at the last."""

GEOMETRY_ONLY = ("--frameCount=1", "--noAttributes=1", "--computeMetrics=0", "--computeChecksum=0")

COLOURS = "hdrconvert/yuv420torgb444.cfg"
"""The decoder does not start without it, though there are no colours."""

_VERSION = r"{} v(\d\S*)"


def find_vpcc() -> Program | NotRun:
    """Return `PccAppEncoder` on the PATH, links followed, or why there are no figures for it.

    Its decoder must be beside it, and the configuration in `../cfg`, as in a working tree of mpeg-pcc-tmc2.
    """
    encoder = find_program(NAME, ENCODER, ["--help"], re.compile(_VERSION.format(ENCODER)))
    if isinstance(encoder, NotRun):
        return encoder
    path = encoder.path.resolve()
    needed = (
        path.with_name(DECODER),
        *(configuration_of(path) / part for part in (*CONDITIONS, *RATES.values(), COLOURS)),
    )
    missing = next((one for one in needed if not one.is_file()), None)
    if missing is not None:
        return NotRun(NAME, f"{path} is there, but {missing} is not")
    decoder = identify(NAME, path.with_name(DECODER), ["--help"], re.compile(_VERSION.format(DECODER)))
    if isinstance(decoder, NotRun):
        return decoder
    if decoder.version != encoder.version:
        return NotRun(NAME, f"{ENCODER} is version {encoder.version}, but {DECODER} {decoder.version}")
    return Program(path, encoder.version)


def configuration_of(encoder: Path) -> Path:
    """Return the folder of configuration files that belongs to an encoder."""
    return encoder.parent.parent / "cfg"


@dataclass(frozen=True)
class Vpcc(PointCodec):
    """Voxels of a mesh coded as one frame of video, geometry only.

    Attributes:
        rate: of `RATES`, coarse to fine.
    """

    name: ClassVar[str] = NAME
    deepest: ClassVar[int] = 10
    rate: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rate not in RATES:
            raise ValueError(f"the rate of V-PCC is 1 to {len(RATES)}, not {self.rate}")

    def code(self, voxels: NDArray[np.int64], folder: Path) -> Coded:
        """Run the encoder and the decoder."""
        bits, out = folder / "bits.bin", folder / "out.ply"
        # Grey, for clouds of the test conditions have colours; none are coded.
        write_points(folder / "in.ply", voxels, grey=True)
        configuration = configuration_of(self.program.path)
        encoding = (
            # Prepended to paths as it is, so it has to end like this.
            f"--configurationFolder={configuration}/",
            *(f"--config={configuration / part}" for part in (*CONDITIONS, RATES[self.rate])),
            "--uncompressedDataPath=in.ply",
            "--compressedStreamPath=bits.bin",
            *GEOMETRY_ONLY,
        )
        encoded = run_program(self.program.path, encoding, folder)
        size = self.size_of(bits)
        decoding = (
            "--compressedStreamPath=bits.bin",
            "--reconstructedDataPath=out.ply",
            f"--inverseColorSpaceConversionConfig={configuration / COLOURS}",
            "--computeMetrics=0",
            "--computeChecksum=0",
        )
        decoded = run_program(self.program.path.with_name(DECODER), decoding, folder)
        return Coded(size, out, encoded.seconds, decoded.seconds)
