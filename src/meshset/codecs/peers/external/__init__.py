"""Programs of others that are run where they are installed, for comparison only. See docs/peers.md.

What comes back is no archive: between a mesh and a codec of points lie conversions that the bytes do not pay for.
"""

from meshset.codecs.peers.external.cloud import Coded, ExternalResult, PointCodec
from meshset.codecs.peers.external.gpcc import Gpcc, find_gpcc
from meshset.codecs.peers.external.pcgcv2 import Pcgcv2, find_pcgcv2
from meshset.codecs.peers.external.program import ExternalError, NotRun, Program
from meshset.codecs.peers.external.vpcc import Vpcc, find_vpcc

__all__ = [
    "Coded",
    "ExternalError",
    "ExternalResult",
    "Gpcc",
    "NotRun",
    "Pcgcv2",
    "PointCodec",
    "Program",
    "Vpcc",
    "find_gpcc",
    "find_pcgcv2",
    "find_vpcc",
]
