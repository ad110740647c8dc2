"""How one setting of one system turns a set into bytes, and the bytes into meshes again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from meshset.bench.source import code_digest
from meshset.codecs.peers.external import PointCodec
from meshset.codecs.protocol import SetCodec, Settings, parameters_of
from meshset.errors import MeshsetError
from meshset.geometry import Mesh, read_mesh, write_mesh
from meshset.pipeline.compress import compress
from meshset.pipeline.open import open_archive
from meshset.pipeline.steps.prepare import PreparedMesh
from meshset.progress import advance, stage

ARCHIVE = "set.mset"
DECODED = "decoded"


@dataclass(frozen=True)
class Made:
    """A coded set on disk.

    Attributes:
        bytes: all that a reader needs, decoder and index included.
        shared_bytes: what of it is stored once for the set.
        coding_seconds: wall-clock time of coding, without checks before and measurements after.
        decoding_seconds: wall-clock time of decoding a mesh, where the coder has to decode at once; else None.
        failures: subject and reason of every mesh that is missing.
    """

    bytes: int
    shared_bytes: int
    coding_seconds: float
    decoding_seconds: float | None
    failures: tuple[tuple[str, str], ...]


class Coder(Protocol):
    """One setting of one system."""

    def key(self) -> dict[str, Any]:
        """Return JSON values of everything beside the meshes that the bytes depend on, the code included."""
        ...

    def make(self, meshes: Sequence[PreparedMesh], folder: Path) -> Made:
        """Code a set into `folder`, which exists and may hold the rest of an interrupted run.

        Raises MeshsetError if nothing comes of it.
        """
        ...

    def decoded(self, folder: Path) -> AbstractContextManager[Mapping[str, Mesh]]:
        """Open what `make` left in `folder`: meshes in world units by name."""
        ...


@dataclass(frozen=True)
class ArchiveCoder:
    """A codec of meshset: the bytes are those of the .mset file.

    Attributes:
        codec: a dataclass if it has parameters, so that they are part of the key.
        settings: what every codec understands.
    """

    codec: SetCodec
    settings: Settings

    def key(self) -> dict[str, Any]:
        """Return name, parameters, settings and code."""
        return {
            "codec": self.codec.name,
            "parameters": parameters_of(self.codec),
            "settings": asdict(self.settings),
            "code": _code(self.codec),
        }

    def make(self, meshes: Sequence[PreparedMesh], folder: Path) -> Made:
        """Compress into one archive, as the command does."""
        result = compress(meshes, folder / ARCHIVE, codec=self.codec, force=True, **asdict(self.settings))
        with open_archive(result.path) as archive:
            shared = sum(part.length for part in archive.reader.shared)
        failures = tuple((failure.subject, failure.reason) for failure in result.failures)
        return Made(result.archive_bytes, shared, result.coding_seconds, None, failures)

    def decoded(self, folder: Path) -> AbstractContextManager[Mapping[str, Mesh]]:
        """Open the archive; each mesh is decoded when it is asked for."""
        return open_archive(folder / ARCHIVE)


def _code(codec: object) -> str:
    return code_digest((type(codec).__module__, "meshset.archive"))


@dataclass(frozen=True)
class ExternalCoder:
    """A codec of points by its own program, mesh by mesh: the bytes are those of its bitstreams, without an index."""

    codec: PointCodec

    def key(self) -> dict[str, Any]:
        """Return the version of the program, the setting and the code."""
        return {
            "program": self.codec.name,
            "version": self.codec.program.version,
            **self.codec.setting(),
            "code": _code(self.codec),
        }

    def make(self, meshes: Sequence[PreparedMesh], folder: Path) -> Made:
        """Code, decode, and keep the surfaces as files."""
        stage(f"{self.codec.name}, {self.codec.label()}", len(meshes))
        results, failures = [], []
        for mesh in meshes:
            path = folder / DECODED / f"{mesh.name}.ply"
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                result = self.codec.run(mesh.load())
                write_mesh(mesh.placement.restore(result.mesh), path)
            except MeshsetError as error:
                failures.append((str(mesh.path), str(error)))
            else:
                results.append(result)
            advance()
        if not results:
            raise MeshsetError(f"{self.codec.name} coded none of the meshes: {failures[0][1]}")
        return Made(
            bytes=sum(result.size for result in results),
            shared_bytes=0,
            coding_seconds=sum(result.encode_seconds for result in results),
            decoding_seconds=sum(result.decode_seconds for result in results) / len(results),
            failures=tuple(failures),
        )

    def decoded(self, folder: Path) -> AbstractContextManager[Mapping[str, Mesh]]:
        """Read the surfaces that `make` kept."""
        return _files_below(folder / DECODED)


class _Files(Mapping[str, Mesh]):
    """Meshes of PLY files, by their paths below a folder without suffix."""

    def __init__(self, folder: Path) -> None:
        self._paths = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob("*.ply")}

    def __getitem__(self, name: str) -> Mesh:
        return read_mesh(self._paths[name]).mesh

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


@contextmanager
def _files_below(folder: Path) -> Iterator[Mapping[str, Mesh]]:
    yield _Files(folder)
