"""Programs of others that are run where they are installed, for comparison only. See docs/peers.md.

What comes back is no archive: between a mesh and a codec of points lie conversions that the bytes do not pay for.
"""

from meshset.codecs.peers.external.gpcc import Gpcc, find_gpcc
from meshset.codecs.peers.external.program import ExternalError, NotRun, Program

__all__ = ["WITHOUT_ADAPTER", "ExternalError", "Gpcc", "NotRun", "Program", "find_gpcc"]

WITHOUT_ADAPTER = (
    NotRun("V-PCC", "there is no adapter: PccAppEncoder needs a video encoder and configuration files of its own"),
    NotRun(
        "PCGCv2", "there is no adapter: it is a research repository with MinkowskiEngine, not a program on the PATH"
    ),
)
"""Peers of the paper that a report must name as not run."""
