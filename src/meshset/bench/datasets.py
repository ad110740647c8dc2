"""Published data sets, read from the folders that their own downloads unpack to; the sizes are those of the papers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from meshset.bench.selection import Selection, choose_from_folder
from meshset.errors import MeshsetError
from meshset.geometry import SUPPORTED_SUFFIXES, Mesh, write_mesh
from meshset.pipeline.steps.collect import Source

_HEADER = 12
"""Bytes of a .anime file before its arrays: frames, vertices and triangles, int32 each."""

_NUMBER = 4
_LGCL_STEP = 10


class _Item(NamedTuple):
    """A mesh that can be chosen: a file, or one frame of an animation."""

    name: str
    path: Path
    frame: int | None = None


@dataclass(frozen=True)
class Published:
    """Where the meshes of a data set lie, and how many a paper takes.

    Attributes:
        groups: patterns below the folder; the same number of meshes is taken from each.
        size: meshes in the paper, of all groups together; None for all.
        every: keeps every n-th mesh of each folder of a sequence.
        layout: what the folder must hold, for people.
        source: where to get it.
    """

    groups: tuple[tuple[str, ...], ...]
    size: int | None
    layout: str
    source: str
    every: int = 1


DATASETS = {
    "thingi10k": Published(
        (("raw_meshes/*",),),
        1000,
        "raw_meshes/<number>.stl, as in Thingi10K.tar.gz",
        "https://ten-thousand-models.appspot.com",
    ),
    "amahuman": Published(
        (("*/meshes/mesh_*.obj",),),
        500,
        "<sequence>/meshes/mesh_<frame>.obj, one folder for each unpacked sequence",
        "https://people.csail.mit.edu/drdaniel/mesh_animation",
    ),
    "dt4d": Published(
        (("animals/*/*.anime",),),
        500,
        "animals/<sequence>/<sequence>.anime",
        "https://github.com/rabbityl/DeformingThings4D (a form to fill in)",
    ),
    "dfaust": Published(
        (("50002_*/*.obj",),),
        None,
        "50002_<action>/<frame>.obj, written from registrations_m.hdf5 by the script that comes with it",
        "https://dfaust.is.tue.mpg.de (an account is needed)",
        every=_LGCL_STEP,
    ),
    "shapenet": Published(
        tuple(
            (f"{category}/*/models/model_normalized.obj", f"{category}/*/model.obj")
            for category in ("02958343", "02691156", "03001627")
        ),
        150,
        "<category>/<model>/models/model_normalized.obj (version 2) or <category>/<model>/model.obj (version 1) with "
        "the categories 02958343 (cars), 02691156 (airplanes) and 03001627 (chairs)",
        "https://shapenet.org (an account is needed)",
    ),
}
"""NeCGS section 4.1 for the first three; LGCL takes every tenth mesh of subject 50002, key spheres 50 meshes of each of
three categories."""

MIXED = "mixed"
MIXED_PARTS = (("amahuman", "dt4d", "thingi10k"), ("humans", "animals", "things"))
"""Folders that `mixed` wants, all of one row: the published sets of NeCGS section 4.1, or plain folders of meshes."""
MIXED_SIZE = 600


def dataset_names() -> tuple[str, ...]:
    """Return what `choose_from_dataset` knows."""
    return (*DATASETS, MIXED)


def choose_from_dataset(kind: str, folder: Path, count: int | None, seed: int, frames: Path) -> Selection:
    """Choose meshes of a published data set at random by a seed.

    Args:
        kind: one of `dataset_names`.
        folder: what the user has downloaded and unpacked.
        count: meshes, shared out evenly between parts; None for the size in the paper.
        seed: the same folder, count and seed give the same meshes.
        frames: folder for files that are made of animations.

    Raises:
        MeshsetError: the kind is unknown; the folder is missing, has another layout or too few meshes, with how to
            get it.
    """
    if kind == MIXED:
        return _mixed(folder, MIXED_SIZE if count is None else count, seed, frames)
    if kind not in DATASETS:
        raise MeshsetError(f"there is no data set {kind!r}, only {', '.join(dataset_names())}")
    published = DATASETS[kind]
    pools = [_found(kind, published, folder, patterns) for patterns in published.groups]
    size = published.size if count is None else count
    items = [item for pool in pools for item in _drawn(kind, pool, size, len(pools), seed)]
    few = "" if size is not None else f" (every {published.every}th of subject 50002)"
    rule = f"{len(items)} of {sum(map(len, pools))} meshes of {kind}{few}, at random, seed {seed}"
    return Selection(kind, rule, tuple(_source(item, frames / kind) for item in items))


def _found(kind: str, published: Published, folder: Path, patterns: Sequence[str]) -> list[_Item]:
    """Return all meshes of one group, in the order of their paths."""
    paths = sorted(path for pattern in patterns for path in folder.glob(pattern))
    items = [item for path in paths for item in _items(path, path.relative_to(folder).with_suffix("").as_posix())]
    items = [item for folder_items in _by_folder(items) for item in folder_items[:: published.every]]
    if not items:
        raise MeshsetError(
            f"{folder}: holds no {kind}: expected {published.layout}. Download it from {published.source}, unpack it "
            "and name the folder"
        )
    return items


def _items(path: Path, name: str) -> list[_Item]:
    if path.suffix == ".anime":
        return [_Item(f"{name}_{frame:04d}", path, frame) for frame in range(_shape(path)[0])]
    return [_Item(name, path)] if path.suffix.lower() in SUPPORTED_SUFFIXES else []


def _by_folder(items: Sequence[_Item]) -> list[list[_Item]]:
    folders: dict[Path, list[_Item]] = {}
    for item in items:
        folders.setdefault(item.path.parent, []).append(item)
    return list(folders.values())


def _drawn(kind: str, pool: Sequence[_Item], size: int | None, groups: int, seed: int) -> list[_Item]:
    """Return the share of one group in `size` meshes, in the order of the pool; all of it without a size."""
    if size is None:
        return list(pool)
    share = size // groups
    if not 0 < share <= len(pool):
        raise MeshsetError(
            f"{kind}: {share} meshes are wanted of a part that has {len(pool)}; choose another number with --count"
        )
    chosen = np.random.default_rng(seed).choice(len(pool), share, replace=False)
    return [pool[i] for i in sorted(chosen)]


def _mixed(folder: Path, count: int, seed: int, frames: Path) -> Selection:
    parts = next((row for row in MIXED_PARTS if all((folder / part).is_dir() for part in row)), None)
    if parts is None:
        raise MeshsetError(
            f"{folder}: holds no mixed set: expected the folders {' or '.join(', '.join(row) for row in MIXED_PARTS)}, "
            "the first three as --dataset wants each of them"
        )
    share = count // len(parts)
    if not share:
        raise MeshsetError(f"a mixed set has {len(parts)} parts; --count {count} is too few")
    selections = [
        choose_from_dataset(part, folder / part, share, seed, frames)
        if part in DATASETS
        else choose_from_folder(folder / part, share, seed)
        for part in parts
    ]
    sources = [replace(s, name=f"{chosen.name}/{s.name}") for chosen in selections for s in chosen.sources]
    rule = "; ".join(f"{chosen.name}: {chosen.rule}" for chosen in selections)
    return Selection(MIXED, rule, tuple(sources))


def _source(item: _Item, frames: Path) -> Source:
    if item.frame is None:
        return Source(item.name, item.path)
    path = frames / f"{item.name}.ply"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_mesh(_frame(item.path, item.frame), path)
    return Source(item.name, path)


def _shape(path: Path) -> tuple[int, int, int]:
    """Return frames, vertices and triangles of a .anime file. Raises MeshsetError if its length is another."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
    frames, vertices, triangles = struct.unpack("<3i", header) if len(header) == _HEADER else (0, 0, 0)
    expected = _HEADER + 3 * _NUMBER * (frames * vertices + triangles)
    if min(frames, vertices, triangles) < 1 or path.stat().st_size != expected:
        raise MeshsetError(f"{path}: is not an .anime file of DeformingThings4D")
    return frames, vertices, triangles


def _frame(path: Path, frame: int) -> Mesh:
    """Return one frame: the first one's vertices, and behind the triangles the offsets from it of all others."""
    _, vertices, triangles = _shape(path)
    numbers = 3 * vertices
    points = np.fromfile(path, "<f4", numbers, offset=_HEADER)
    faces = np.fromfile(path, "<i4", 3 * triangles, offset=_HEADER + _NUMBER * numbers)
    if frame:
        skipped = numbers + 3 * triangles + (frame - 1) * numbers
        points = points + np.fromfile(path, "<f4", numbers, offset=_HEADER + _NUMBER * skipped)
    return Mesh(points.reshape(-1, 3), faces.reshape(-1, 3).astype(np.int32))
