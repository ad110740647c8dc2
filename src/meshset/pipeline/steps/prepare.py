"""Mesh files that were checked once and are read again whenever a codec needs them."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

from meshset.errors import MeshFileError
from meshset.geometry import Mesh, Placement, obj_size, read_mesh
from meshset.geometry.diagnosis import diagnose
from meshset.pipeline.steps.collect import Source
from meshset.pipeline.steps.failures import Failure, FailureLog
from meshset.progress import advance, stage

KEPT_MESHES = 4
"""Meshes that `LazyMeshes` keeps in memory; a codec asks for the same one several times in a row."""


@dataclass(frozen=True)
class CheckedSource:
    """A mesh file that can be compressed.

    Attributes:
        source: its name and path.
        placement: bounding box in world units.
        vertices: vertices as they were read.
        faces: triangles as they were read.
        obj_bytes: bytes of the mesh as OBJ text.
        notes: what reading changed and what is wrong with the mesh, one line each.
        fingerprint: CRC-32 of vertices and faces, to notice that the file has changed.
    """

    source: Source
    placement: Placement
    vertices: int
    faces: int
    obj_bytes: int
    notes: tuple[str, ...]
    fingerprint: int

    def read(self) -> Mesh:
        """Read the file again and return its mesh in the cube [-1, 1]^3.

        Raises MeshFileError if the file has vanished or changed since it was checked.
        """
        mesh = read_mesh(self.source.path).mesh
        if _fingerprint(mesh) != self.fingerprint:
            raise MeshFileError(f"{self.source.path}: changed while it was being compressed")
        return self.placement.normalise(mesh)


class LazyMeshes(Sequence[Mesh]):
    """Normalised meshes that are read from their files when they are indexed; the last few stay in memory."""

    def __init__(self, sources: Sequence[CheckedSource]) -> None:
        self._sources = tuple(sources)
        self._kept: OrderedDict[str, Mesh] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> Mesh: ...

    @overload
    def __getitem__(self, index: slice) -> LazyMeshes: ...

    def __getitem__(self, index: int | slice) -> Mesh | LazyMeshes:
        if isinstance(index, slice):
            return LazyMeshes(self._sources[index])
        checked = self._sources[index]
        name = checked.source.name
        if name not in self._kept:
            self._kept[name] = checked.read()
        self._kept.move_to_end(name)
        if len(self._kept) > KEPT_MESHES:
            self._kept.popitem(last=False)
        return self._kept[name]


def check_sources(sources: Iterable[Source], log: FailureLog) -> list[CheckedSource]:
    """Read every file once, one at a time, and return those that can be compressed; `log` gets the others."""
    sources = list(sources)
    stage("check files", len(sources))
    checked = []
    for source in sources:
        try:
            checked.append(_check(source))
        except MeshFileError as error:
            log.add(Failure.of(str(source.path), error, source.path))
        advance()
    return checked


def _check(source: Source) -> CheckedSource:
    reading = read_mesh(source.path)
    mesh = reading.mesh
    return CheckedSource(
        source=source,
        placement=Placement.of(mesh),
        vertices=len(mesh.vertices),
        faces=len(mesh.faces),
        obj_bytes=obj_size(mesh),
        notes=(*reading.notes, *diagnose(mesh).defects()),
        fingerprint=_fingerprint(mesh),
    )


def _fingerprint(mesh: Mesh) -> int:
    return zlib.crc32(mesh.faces.tobytes(), zlib.crc32(mesh.vertices.tobytes()))
