"""The state of an interrupted compression, kept beside the archive that it would have made."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import google_crc32c

from meshset.archive.names import label, name_key
from meshset.codecs.protocol import SetCodec, Settings, parameters_of
from meshset.errors import MeshsetError
from meshset.pipeline.steps.prepare import PreparedMesh
from meshset.progress import tell

_KEY_BYTES = 32
_CHECKSUM = 4


def run_key(prepared: Sequence[PreparedMesh], settings: Settings, system: SetCodec, goals: Mapping[str, Any]) -> bytes:
    """Return what tells runs apart, 32 bytes: the meshes in order, the program, the codec with its parameters, and all
    choices but device and time.

    Of `goals`, a bound on the error does not matter: training is the same without it.
    """
    meshes = [(name_key(one.name), one.fingerprint, one.vertices, one.faces) for one in prepared]
    steering = {name: value for name, value in goals.items() if name not in ("max_error", "max_distance")}
    choices = (settings.resolution, settings.field, settings.preset, settings.seed, steering)
    codec = (system.name, parameters_of(system))
    # Codecs of other packages may have parameters that JSON does not know.
    text = json.dumps([version("meshset"), codec, choices, meshes], sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).digest()


class SavedRun:
    """A `Checkpoint` in the folder "OUT.mset.partial", which is made when the first state is saved.

    Args:
        output: the archive to make.
        key: what tells runs apart.
        resume: whether to go on from a state that is there; otherwise it is replaced.

    Raises:
        MeshsetError: the state that is there belongs to another run.
    """

    def __init__(self, output: str | os.PathLike[str], key: bytes, resume: bool) -> None:
        self._folder = Path(f"{os.fspath(output)}.partial")
        self._file = self._folder / "state"
        self._key = key
        self._told = False
        self._found = self._find() if resume else None
        if not resume and self._file.exists():
            tell(f"an interrupted run in {self._folder} is given up; --resume would have gone on with it")
        elif resume and self._found is None:
            tell(f"{self._folder} holds no state to go on from: starting at the beginning")

    def load(self) -> bytes | None:
        """Return the state of the interrupted run, None where there is none."""
        return self._found

    def save(self, state: bytes) -> None:
        """Keep a state in place of the one before; a disk that refuses is told once."""
        content = self._key + state
        temporary = self._folder / f"{secrets.token_hex(8)}.tmp"
        try:
            self._folder.mkdir(exist_ok=True)
            with temporary.open("wb") as file:
                file.write(google_crc32c.value(content).to_bytes(_CHECKSUM, "little") + content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._file)
            self._tell(f"state is kept in {self._folder}: after an interruption, --resume goes on from it")
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
                self._folder.rmdir()  # unless an older state lies there
            self._tell(f"state cannot be kept in {self._folder} ({error.strerror})")

    def remove(self) -> None:
        """Remove the folder, once the archive is there."""
        with suppress(OSError):
            for path in [self._file, *self._folder.glob("*.tmp")]:
                path.unlink(missing_ok=True)
            self._folder.rmdir()

    def _find(self) -> bytes | None:
        try:
            data = self._file.read_bytes()
        except OSError:
            return None
        content = data[_CHECKSUM:]
        if google_crc32c.value(content).to_bytes(_CHECKSUM, "little") != data[:_CHECKSUM]:
            return None
        if content[:_KEY_BYTES] != self._key:
            raise MeshsetError(
                f"{label(self._folder)}: belongs to other mesh files or settings; "
                "compress those again, or leave out --resume"
            )
        return content[_KEY_BYTES:]

    def _tell(self, message: str) -> None:
        if not self._told:
            self._told = True
            tell(message)
