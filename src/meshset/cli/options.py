"""The values that options take."""

from __future__ import annotations

import math
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

ArchivePath = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="An .mset file.", show_default=False)]
Sources = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="Mesh files, and folders of them.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show errors and the result only.")]


def _share(text: str) -> float:
    """Return the share that a percentage above 0 stands for, such as 0.002 for "0.2%"."""
    try:
        value = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        value = math.nan
    # A plain 0.002 could mean a share or a percentage.
    if not text.strip().endswith("%") or not 0 < value < math.inf:
        raise typer.BadParameter(f"{text!r} is no percentage above 0 such as 0.2%")
    return value


MaxError = Annotated[
    float | None,
    typer.Option(
        metavar="PERCENT",
        parser=_share,
        help="Bound on the mean error of every mesh, such as 0.2% of its diagonal; an ordinary mesh codec takes those "
        "that miss it.",
        show_default=False,
    ),
]


class Resolution(str, Enum):
    """Grid points along each side of the cube."""

    K32 = "32"
    K64 = "64"
    K128 = "128"
    K256 = "256"


class FieldKind(str, Enum):
    """Whether the grid of a field is deformed."""

    TSDF = "tsdf"
    TSDF_DEF = "tsdf-def"


class Preset(str, Enum):
    """How long to train."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


class Device(str, Enum):
    """Where to train."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Format(str, Enum):
    """`meshset.geometry.WRITABLE_FORMATS`, which cannot be imported without numpy; a test compares the two."""

    OBJ = "obj"
    PLY = "ply"
    STL = "stl"
    OFF = "off"
    GLB = "glb"


def known_codec(name: str) -> str:
    """Return `name`, or raise a usage error if there is no such codec."""
    from meshset.codecs import codec_names

    if name not in codec_names():
        raise typer.BadParameter(f"there is no codec {name!r}, only {', '.join(codec_names())}")
    return name
