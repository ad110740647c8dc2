"""Draco after simplification in every setting: the files that are smaller than all nearer ones."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from meshset.codecs.control_mesh.fitting import Original
from meshset.codecs.peers.draco import DracoCodec, DracoDecoder
from meshset.codecs.peers.simplification import simplify
from meshset.codecs.protocol import CodedMesh, Settings
from meshset.geometry import Mesh

FACES = (60, 90, 130, 190, 280, 400, 580, 850, 1250, 1800, 2600, 4000)
"""Numbers of faces to simplify to; the whole mesh is tried, too."""

BITS = (6, 7, 8, 9, 10, 11)


@dataclass(frozen=True)
class PeerFile:
    """A Draco file of a mesh.

    Attributes:
        faces, bits: it was made with.
        payload: its bytes.
        distance: mean symmetric distance to the mesh, as `Original.distance` has it.
    """

    faces: int
    bits: int
    payload: bytes
    distance: float

    def decode(self) -> Mesh:
        """Return the mesh that comes back."""
        return DracoDecoder().decode(self.payload)


def peer_files(original: Original, cache: Path) -> list[PeerFile]:
    """Return the files of a mesh of which none is both smaller and nearer, the smallest first; kept in `cache`."""
    path = cache / f"peer-{digest(original.mesh, [FACES, BITS])}.json"
    if not path.exists():
        kept = [
            {**vars(file), "payload": base64.b64encode(file.payload).decode()}
            for file in best(sorted(_all(original), key=lambda file: (len(file.payload), file.distance)))
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept))
    return [PeerFile(**{**row, "payload": base64.b64decode(row["payload"])}) for row in json.loads(path.read_text())]


def best(files: Sequence[PeerFile]) -> Iterator[PeerFile]:
    """Yield of files, the smallest first, those that are nearer than all before."""
    nearest = np.inf
    for file in files:
        if file.distance < nearest:
            nearest = file.distance
            yield file


def _all(original: Original) -> Iterator[PeerFile]:
    mesh = original.mesh
    for faces in (*(count for count in FACES if count < len(mesh.faces)), len(mesh.faces)):
        simple, _ = simplify(mesh, faces / len(mesh.faces))
        for bits in BITS:
            coded = DracoCodec(bits).code(simple, Settings())
            if isinstance(coded, CodedMesh):
                decoded = DracoDecoder().decode(coded.payload)
                yield PeerFile(faces, bits, coded.payload, original.distance(decoded))


def digest(mesh: Mesh, options: Any) -> str:
    """Return a name for what is made of a mesh with some options."""
    told = hashlib.sha256(json.dumps(options).encode())
    told.update(np.ascontiguousarray(mesh.vertices).tobytes() + np.ascontiguousarray(mesh.faces).tobytes())
    return told.hexdigest()[:20]
