"""Options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch


def parsed(parser: argparse.ArgumentParser, threads: int = 1) -> argparse.Namespace:
    """Parse the command line with --threads, on which torch works from here on, and --out beside the parser's own."""
    parser.add_argument("--threads", type=int, default=threads)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    return options


def add_paper_codec(parser: argparse.ArgumentParser, widths: str) -> None:
    """Add the options of a small set for codec necgs-paper, whose decoder has `widths` if the user names none."""
    parser.add_argument("folder", type=Path, help="a folder of meshes")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--resolution", type=int, default=32)
    parser.add_argument("--widths", type=_widths, default=widths, help="channels after each block, as 24-18-12")
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--out", type=Path, required=True)


def _widths(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split("-")))
