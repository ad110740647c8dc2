"""Mesh files that are read once: diagnosed, counted, and kept on disk for whoever needs them again."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, overload
from weakref import finalize

import numpy as np

from meshset.errors import MeshFileError, writing_temporary
from meshset.geometry import Mesh, Placement, obj_size
from meshset.geometry.diagnosis import diagnose
from meshset.pipeline.steps.collect import Source
from meshset.pipeline.steps.failures import Failure, FailureLog
from meshset.progress import advance, stage

KEPT_MESHES = 4
"""Meshes that `NormalisedMeshes` keeps in memory; a codec asks for the same one several times in a row."""


class MeshSpool:
    """A temporary folder of meshes as arrays: read back in a millisecond, and never parsed again.

    It is removed when the block is left, or else with the last mesh that lies in it.
    """

    def __init__(self) -> None:
        with writing_temporary("folder for temporary files"):
            self._folder = Path(mkdtemp(prefix="meshset-meshes-"))
        self._remove = finalize(self, rmtree, self._folder, ignore_errors=True)
        self._count = 0

    def __enter__(self) -> MeshSpool:
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def __getstate__(self) -> Path:
        """Travel to another process as the folder, which stays this one's to remove."""
        return self._folder

    def __setstate__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, mesh: Mesh) -> int:
        """Keep a mesh and return its number. Raises MeshsetError where the disk refuses."""
        number = self._count
        with writing_temporary(self._folder), self._path(number).open("wb") as file:
            np.save(file, _narrowed(mesh.vertices))
            np.save(file, mesh.faces)
        self._count += 1
        return number

    def load(self, number: int) -> Mesh:
        """Return a mesh that was kept, vertices float32 where that is exact."""
        with self._path(number).open("rb") as file:
            return Mesh(np.load(file), np.load(file))

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.npy"


@dataclass(frozen=True, kw_only=True)
class PreparedMesh(Source):
    """A mesh that was read and can be compressed; what becomes of its file afterwards does not matter.

    Attributes:
        placement: bounding box in world units.
        vertices: vertices as they were read.
        faces: triangles as they were read.
        obj_bytes: bytes of the mesh as OBJ text.
        file_bytes: bytes of its file; 0 for a mesh that was given in memory.
        notes: what reading changed and what is wrong with the mesh, one line each.
        fingerprint: CRC-32 of vertices and faces.
        spool: where the mesh lies.
        number: of the mesh there.
    """

    placement: Placement
    vertices: int
    faces: int
    obj_bytes: int
    file_bytes: int
    notes: tuple[str, ...]
    fingerprint: int
    spool: MeshSpool = field(repr=False, compare=False)
    number: int = field(repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without a mesh that was given: it lies in the spool."""
        return {**vars(self), "given": None}

    def load(self) -> Mesh:
        """Return the mesh in the cube [-1, 1]^3, vertices (V, 3) float64, from its spool."""
        return self.placement.normalise(self.spool.load(self.number))


class NormalisedMeshes(Sequence[Mesh]):
    """Prepared meshes in the cube [-1, 1]^3, each loaded when it is indexed; the last few stay in memory."""

    def __init__(self, prepared: Sequence[PreparedMesh]) -> None:
        self._prepared = tuple(prepared)
        self._held: OrderedDict[str, Mesh] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without meshes: they lie in the spool."""
        return {**vars(self), "_held": OrderedDict()}

    def __len__(self) -> int:
        return len(self._prepared)

    @overload
    def __getitem__(self, index: int) -> Mesh: ...

    @overload
    def __getitem__(self, index: slice) -> NormalisedMeshes: ...

    def __getitem__(self, index: int | slice) -> Mesh | NormalisedMeshes:
        if isinstance(index, slice):
            return NormalisedMeshes(self._prepared[index])
        one = self._prepared[index]
        if one.name not in self._held:
            self._held[one.name] = one.load()
        self._held.move_to_end(one.name)
        if len(self._held) > KEPT_MESHES:
            self._held.popitem(last=False)
        return self._held[one.name]


def prepare_meshes(sources: Iterable[Source], spool: MeshSpool, log: FailureLog) -> list[PreparedMesh]:
    """Read every file once, one at a time, and return those that can be compressed; `log` gets the others.

    Sources that were prepared before are returned as they are.
    """
    sources = list(sources)
    stage("read files", len(sources))
    prepared = []
    for source in sources:
        try:
            prepared.append(source if isinstance(source, PreparedMesh) else _prepared(source, spool))
        except MeshFileError as error:
            log.add(Failure.of(str(source.path), error, source.path))
        advance()
    return prepared


def _prepared(source: Source, spool: MeshSpool) -> PreparedMesh:
    reading = source.read()
    mesh = reading.mesh
    return PreparedMesh(
        name=source.name,
        path=source.path,
        given=source.given,
        time=source.time,
        placement=Placement.of(mesh),
        vertices=len(mesh.vertices),
        faces=len(mesh.faces),
        obj_bytes=obj_size(mesh),
        file_bytes=source.path.stat().st_size if source.given is None else 0,
        notes=(*reading.notes, *diagnose(mesh).defects()),
        fingerprint=zlib.crc32(mesh.faces.tobytes(), zlib.crc32(mesh.vertices.tobytes())),
        spool=spool,
        number=spool.keep(mesh),
    )


def _narrowed(vertices: np.ndarray) -> np.ndarray:
    """Return coordinates as float32 where that loses nothing, as of most binary files."""
    single = vertices.astype(np.float32)
    return single if np.array_equal(single, vertices) else vertices
