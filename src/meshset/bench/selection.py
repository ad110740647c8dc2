"""Which meshes of a folder a benchmark takes, by a rule that a reader of its figures can repeat."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from meshset.archive.names import ByName
from meshset.errors import MeshsetError
from meshset.pipeline.steps.collect import Source, collect
from meshset.pipeline.steps.failures import FailureLog

MANIFEST = "manifest.csv"
_COLUMNS = {"file", "flag", "n_faces"}


@dataclass(frozen=True)
class Selection:
    """The meshes of one set.

    Attributes:
        name: of the set.
        rule: how they were chosen, in one line.
        sources: files and names, in stored order.
    """

    name: str
    rule: str
    sources: tuple[Source, ...]


def choose_from_folder(folder: Path, count: int | None, seed: int) -> Selection:
    """Choose `count` meshes of a folder; all that are there without a count, or if there are no more.

    With a manifest.csv (columns file, flag, n_faces): those with the most faces among the ones flagged "clean". Else
    an evenly spaced choice by name, which begins where the seed says.

    Raises:
        MeshsetError: the folder is missing or holds no mesh, or the manifest lacks a column.
    """
    if not folder.is_dir():
        raise MeshsetError(f"{folder}: no such folder")
    name = folder.resolve().name
    found = collect([folder], FailureLog(strict=True)).sources
    if not found:
        raise MeshsetError(f"{folder}: holds no mesh files")
    if count is None or (count >= len(found) and not (folder / MANIFEST).exists()):
        return Selection(name, f"all {len(found)} meshes", found)
    if (folder / MANIFEST).exists():
        return Selection(name, f"the {count} clean meshes with the most faces", _largest_clean(folder, found, count))
    offset = float(np.random.default_rng(seed).random())
    chosen = [found[int((i + offset) * len(found) / count)] for i in range(count)]
    return Selection(name, f"{count} of {len(found)} meshes, evenly spaced by name, seed {seed}", tuple(chosen))


def _largest_clean(folder: Path, found: tuple[Source, ...], count: int) -> tuple[Source, ...]:
    with (folder / MANIFEST).open(newline="") as file:
        table = csv.DictReader(file)
        if not set(table.fieldnames or ()) >= _COLUMNS:
            raise MeshsetError(f"{folder / MANIFEST}: lacks one of the columns {', '.join(sorted(_COLUMNS))}")
        rows = [row for row in table if row["flag"] == "clean"]
    try:
        rows.sort(key=lambda row: (-int(row["n_faces"]), row["file"]))
    except ValueError as error:
        raise MeshsetError(f"{folder / MANIFEST}: n_faces is not a number ({error})") from None
    by_path = ByName({source.path.as_posix(): source for source in found})
    paths = [(folder / row["file"]).as_posix() for row in rows]
    chosen = [by_path[path] for path in paths if path in by_path][:count]
    if not chosen:
        raise MeshsetError(f"{folder / MANIFEST}: names no clean mesh that is in the folder")
    return tuple(chosen)
