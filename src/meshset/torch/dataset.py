"""An archive as a map-style data set of PyTorch, and batches of its meshes."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from meshset.archive.names import naming
from meshset.errors import MeshsetError
from meshset.geometry import Mesh
from meshset.geometry.sampling import sample_surface
from meshset.pipeline.open import Archive
from meshset.pipeline.steps.select import listed, select

Item = dict[str, Any]


class MeshSet(Dataset[Item]):
    """Meshes of an archive as dictionaries of tensors, in world units.

    An item has `name`, a str, and `vertices` (V, 3) float32 and `faces` (F, 3) int64, counter-clockwise seen from
    outside; with `points` it has instead `points` (N, 3) float32, uniform over the area, and `normals` (N, 3) float32,
    the unit normals of their faces. Vertices and points of meshes so far from the origin that float32 would distort
    them are float64. Points depend on `seed`, the epoch and the index alone, so that every worker gives the same. A
    worker of a `DataLoader`, forked or spawned, opens the file or URL for itself, and keeps the decoders that it has
    parsed.

    Args:
        source: path or URL of the archive.
        transform: called with each item; what it returns takes its place. For workers that are spawned it must pickle.
        points: how many points to draw on each mesh, 1 or more; None for the meshes themselves.
        names: a mesh, a pattern such as "animals/*" or a folder such as "animals/", or several of them; none means
            all. The order is that of the archive.
        seed: of the points, 0 or more.

    Raises:
        UnknownMeshError: a name or pattern fits no mesh.
        ArchiveError: the file is no archive; later if what is read is damaged.
        MeshsetError: `points` or `seed` is out of range.

    >>> meshes = MeshSet("models.mset", points=1024, names="animals/")
    >>> len(meshes), meshes[0]["name"], meshes[0]["points"].shape
    (1, 'animals/cat', torch.Size([1024, 3]))
    """

    def __init__(
        self,
        source: str | os.PathLike[str],
        transform: Callable[[Item], Any] | None = None,
        points: int | None = None,
        names: str | Iterable[str] | None = None,
        seed: int = 0,
    ) -> None:
        self._points = None if points is None else _whole("points", points, 1)
        self._seed = _whole("seed", seed, 0)
        self._transform = transform
        self._archive = Archive(source)
        self.names: list[str] = select(self._archive.entries, listed(names or ()), self._archive.reader.label)
        # In shared memory, so that workers which live on hear of a new epoch.
        self._epoch = _shared(torch.zeros((), dtype=torch.int64))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        _shared(self._epoch)  # a copy that came through plain pickle has workers of its own

    def __repr__(self) -> str:
        what = "meshes" if self._points is None else f"{self._points:,} points each"
        return f"<MeshSet {self._archive.reader.label}: {len(self):,} items, {what}>"

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Any:
        """Decode one mesh. Raises IndexError beyond the ends, ArchiveError for damaged bytes."""
        position = range(len(self.names))[operator.index(index)]
        name = self.names[position]
        mesh = self._archive[name]
        item = {"name": name, **(_tensors(mesh) if self._points is None else self._sampled(mesh, position))}
        return item if self._transform is None else self._transform(item)

    def set_epoch(self, epoch: int) -> None:
        """Let the points of this epoch be others. Call it before each pass over a `DataLoader`.

        Workers hear of it, those with `persistent_workers` too. Raises MeshsetError for an epoch below 0.
        """
        self._epoch.fill_(_whole("epoch", epoch, 0))

    def _sampled(self, mesh: Mesh, position: int) -> Item:
        assert self._points is not None
        with naming(f"{self._archive.reader.label}: mesh '{self.names[position]}'"):
            drawn = sample_surface(mesh, self._points, (self._seed, int(self._epoch), position))
        return {
            "points": torch.from_numpy(drawn.points.astype(mesh.vertices.dtype)),
            "normals": torch.from_numpy(drawn.normals.astype(np.float32)),
        }


def collate(batch: Sequence[Item]) -> Item:
    """Make one dictionary of several items of a `MeshSet`, for the `collate_fn` of a `DataLoader`.

    Meshes are packed: `vertices` (sum of V, 3) one mesh after the other, `faces` (sum of F, 3) that count through them,
    `vertex_mesh` (sum of V,) and `face_mesh` (sum of F,) int64, the place in the batch of the mesh that each belongs
    to: the `batch` of PyTorch Geometric. Everything else is left to `torch.utils.data.default_collate`: points and
    normals become (B, N, 3), names a list.

    >>> batch = collate([MeshSet("models.mset")[0], MeshSet("models.mset")[1]])
    >>> batch["name"], int(batch["faces"].max()) + 1 == len(batch["vertices"]), batch["face_mesh"].unique()
    (['animals/cat', 'bunny'], True, tensor([0, 1]))
    """
    packed = {"vertices", "faces"} if "faces" in batch[0] else set()
    joined: Item = default_collate([{key: value for key, value in item.items() if key not in packed} for item in batch])
    return joined | _packed(batch) if packed else joined


def _packed(batch: Sequence[Item]) -> Item:
    vertices: list[Tensor] = [item["vertices"] for item in batch]
    faces: list[Tensor] = [item["faces"] for item in batch]
    counts = torch.tensor([len(one) for one in vertices])
    starts = counts.cumsum(0) - counts
    places = torch.arange(len(batch))
    face_mesh = places.repeat_interleave(torch.tensor([len(one) for one in faces]))
    return {
        "vertices": torch.cat(vertices),
        "faces": torch.cat(faces) + starts[face_mesh, None],
        "vertex_mesh": places.repeat_interleave(counts),
        "face_mesh": face_mesh,
    }


def _tensors(mesh: Mesh) -> Item:
    return {
        "vertices": torch.tensor(mesh.vertices),
        "faces": torch.from_numpy(mesh.faces.astype(np.int64)),
    }


def _shared(number: Tensor) -> Tensor:
    return number.share_memory_()  # type: ignore[no-any-return, no-untyped-call]


def _whole(label: str, value: int, least: int) -> int:
    """Return a whole number. Raises MeshsetError if it is none, or less than `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise MeshsetError(f"{label} must be a whole number from {least}, not {value!r}")
    return number
