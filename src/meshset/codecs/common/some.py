"""Some meshes of a set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from meshset.geometry import Mesh


class SomeMeshes(Sequence[Mesh]):
    """Some meshes of a set in some order, loaded when they are indexed if those of the set are."""

    def __init__(self, meshes: Sequence[Mesh], places: Sequence[int]) -> None:
        self._meshes, self._places = meshes, list(places)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Mesh: ...

    @overload
    def __getitem__(self, index: slice) -> SomeMeshes: ...

    def __getitem__(self, index: int | slice) -> Mesh | SomeMeshes:
        if isinstance(index, slice):
            return SomeMeshes(self._meshes, self._places[index])
        return self._meshes[self._places[index]]
