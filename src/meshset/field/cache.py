"""Fields on disk, so that a mesh is turned into a field once, whatever is trained on it afterwards.

Each entry is one file, named by the hash of what it was made from: the normalised mesh, the settings of the field, and
the version of the code. The folder may be removed at any time; a damaged entry counts as absent.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from meshset.geometry.mesh import Mesh

VERSION = 3
"""To be raised whenever the same mesh and settings would give another field."""

MAX_BYTES = 2_000_000_000
"""Size of all entries from which the ones that were not used for longest go."""

_SUFFIX = ".field"
_NOTES = b"\0notes\0"
_CHECKSUM = 4


def cache_folder() -> Path:
    """Return where fields are cached: `$MESHSET_CACHE`, or the cache folder of the system."""
    chosen = os.environ.get("MESHSET_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "meshset" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "meshset"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "meshset"


def field_key(mesh: Mesh, resolution: int, kind: str) -> str:
    """Return the name of the entry for a normalised mesh: 64 hexadecimal digits."""
    digest = hashlib.sha256(f"{VERSION} {resolution} {kind} {len(mesh.vertices)} {mesh.vertices.dtype}".encode())
    digest.update(mesh.vertices.tobytes())
    digest.update(mesh.faces.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class CacheSize:
    """How much a cache holds.

    Attributes:
        entries: number of fields.
        bytes: their size in all.
    """

    entries: int
    bytes: int


class FieldCache:
    """A folder of fields that were saved with `Field.save`, each with the notes of making it.

    A cache that cannot be read or written costs time, never the work: no method raises for that.

    Args:
        folder: made when the first entry is stored.
        max_bytes: bound of all entries together.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def load(self, key: str, path: Path) -> tuple[str, ...] | None:
        """Write the field of an entry to `path` and return its notes; None where there is no such entry."""
        entry = self._folder / (key + _SUFFIX)
        try:
            data = entry.read_bytes()
        except OSError:
            return None
        content, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
        field, mark, notes = content.rpartition(_NOTES)
        if not mark or google_crc32c.value(content).to_bytes(_CHECKSUM, "little") != checksum:
            with suppress(OSError):
                entry.unlink()
            return None
        path.write_bytes(field)
        with suppress(OSError):
            os.utime(entry)
        return tuple(notes.decode().splitlines())

    def store(self, key: str, path: Path, notes: tuple[str, ...]) -> None:
        """Keep the field that lies at `path`, then let the oldest entries go if there is too much."""
        content = path.read_bytes() + _NOTES + "\n".join(notes).encode()
        temporary = self._folder / f"{secrets.token_hex(8)}.tmp"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content + google_crc32c.value(content).to_bytes(_CHECKSUM, "little"))
            temporary.replace(self._folder / (key + _SUFFIX))
            self._shrink()
        except OSError:
            with suppress(OSError):
                temporary.unlink()

    def size(self) -> CacheSize:
        """Return how much the cache holds."""
        sizes = [size for _, size, _ in self._files()]
        return CacheSize(len(sizes), sum(sizes))

    def clear(self) -> CacheSize:
        """Remove every entry and return how much there was; other files of the folder stay."""
        before = self.size()
        for _, _, path in self._files():
            with suppress(OSError):
                path.unlink()
        for path in self._folder.glob("*.tmp"):
            with suppress(OSError):
                path.unlink()
        return before

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Yield time of last use, size and path of each entry."""
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with suppress(OSError):  # another process may have removed it
                status = path.stat()
                yield status.st_mtime, status.st_size, path

    def _shrink(self) -> None:
        files = sorted(self._files())
        excess = sum(size for _, size, _ in files) - self._max_bytes
        for _, size, path in files:
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size
