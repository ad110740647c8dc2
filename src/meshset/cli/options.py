"""The values that options take."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from meshset.vocabulary import AUTO, Objective

ArchivePath = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="An .mset file.", show_default=False)]
ArchiveUrl = Annotated[
    str, typer.Argument(metavar="ARCHIVE", help="An .mset file, or a URL of one.", show_default=False)
]
Sources = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="Mesh files, and folders of them.", show_default=False)
]


def told_apart(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return which of `paths` are archives, by their bytes, or by their name where they are damaged or missing.

    The others are meshes, or folders of them.
    """
    from meshset.archive.recognise import is_archive
    from meshset.remote import is_url

    archives: list[str] = []
    others: list[str] = []
    for path in paths:
        named = path.lower().endswith(".mset") and not Path(path).is_dir()
        (archives if is_url(path) or named or is_archive(path) else others).append(path)
    return archives, others


def complete_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of meshes of the archive on the command line that begin as the last word does."""
    from meshset.archive.names import name_key
    from meshset.errors import MeshsetError
    from meshset.pipeline.summary import list_meshes
    from meshset.remote import is_url

    archive = context.params.get("archive")
    if archive is None or is_url(archive):  # a key press must not wait for a server
        return []
    try:
        begin = name_key(incomplete)
        return [mesh.name for mesh in list_meshes(archive) if name_key(mesh.name).startswith(begin)]
    except MeshsetError:
        return []


def complete_codecs(incomplete: str) -> list[str]:
    """Return the names of codecs that begin as the last word does."""
    from meshset.codecs import codec_names

    return [name for name in (AUTO, *codec_names()) if name.startswith(incomplete)]


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
        raise typer.BadParameter(f"{text!r} is not a percentage above 0 such as 0.2%")
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

MaxDistance = Annotated[
    float | None,
    typer.Option(
        metavar="PERCENT",
        parser=_share,
        help="Bound on the largest distance between the surfaces, such as 1%; a mean hides lost fingers.",
        show_default=False,
    ),
]


_SIZE_UNITS = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_TIME_UNITS = {"s": 1, "m": 60, "h": 3600}


def _size(text: str) -> int:
    """Return the bytes that a size with a unit stands for, such as 2000000 for "2MB"."""
    found = re.fullmatch(r"([0-9]+(?:[.][0-9]+)?) *([a-z]+)", text.strip().lower())
    size = round(float(found[1]) * _SIZE_UNITS.get(found[2], 0)) if found else 0
    if not size:
        raise typer.BadParameter(f"{text!r} is not a size above 0 such as 2MB, 500kB or 1.5MiB")
    return size


def _seconds(text: str) -> float:
    """Return the seconds that a time with units stands for, such as 5400 for "1h30m"."""
    parts = re.findall(r"([0-9]+(?:[.][0-9]+)?)([hms])", text.strip().lower())
    seconds = sum(float(amount) * _TIME_UNITS[unit] for amount, unit in parts)
    if not seconds or "".join(map("".join, parts)) != text.strip().lower():
        raise typer.BadParameter(f"{text!r} is not a time above 0 such as 10m, 90s or 1h30m")
    return seconds


Rate = Annotated[
    float,
    typer.Option(
        metavar="X",
        help="Spend more bytes for less error (2), or fewer for more (0.5), than the preset would.",
    ),
]
TargetSize = Annotated[
    int | None,
    typer.Option(
        metavar="SIZE", parser=_size, help="Size of the archive, such as 2MB or 500kB, within 5 %.", show_default=False
    ),
]
TargetRatio = Annotated[
    float | None,
    typer.Option(
        metavar="X", help="Size of the archive as so many times less than OBJ text, such as 300.", show_default=False
    ),
]
TimeBudget = Annotated[
    float | None,
    typer.Option(
        metavar="TIME",
        parser=_seconds,
        help="Train for this time, such as 10m or 1h30m, or until nothing more is gained.",
        show_default=False,
    ),
]


FittedBy = Annotated[
    Objective,
    typer.Option(
        help="How moving grid points are fitted: project, by distances; render, by the paper's silhouettes and depth "
        "images, which takes many times as long."
    ),
]


def _frames(text: str) -> range:
    """Return what FROM:TO says; either may be missing. Raises BadParameter for anything else."""
    found = re.fullmatch(r"([0-9]{0,9}):([0-9]{0,9})", text)
    if not found or (found[2] and int(found[1] or 0) >= int(found[2])):
        raise typer.BadParameter(f"{text!r} is not FROM:TO, such as 10:20")
    return range(int(found[1] or 0), int(found[2] or 10**9))


Frames = Annotated[
    range | None,
    typer.Option(
        "--frames",
        metavar="FROM:TO",
        parser=_frames,
        help="Of these, meshes whose name ends with a number from FROM on and below TO, such as 10:20.",
        show_default="all",
    ),
]


def known_codec(name: str) -> str:
    """Return `name`, or raise a usage error if there is no such codec."""
    from meshset.codecs import codec_names
    from meshset.codecs.table import CODECS

    if name != AUTO and name not in CODECS and name not in codec_names():
        raise typer.BadParameter(f"there is no codec {name!r}, only {', '.join((AUTO, *codec_names()))}")
    return name
