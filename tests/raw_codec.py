"""A codec that stores every mesh as it is, to test what surrounds codecs; tests/cli uses it as well."""

import struct
import time
from pathlib import Path

import numpy as np
import trimesh

from meshset.codecs import codec_names, register_codec
from meshset.codecs.protocol import CodedMesh, CodedSet, Refusal
from meshset.errors import ArchiveError
from meshset.geometry import Mesh, write_mesh
from meshset.progress import stage

SHARED = b"raw decoder"
TETRAHEDRON_FACES = 4


class RawCodec:
    """Float32 positions and int32 faces, tetrahedra refused."""

    id = 65000
    name = "raw"

    def compress(self, meshes, settings, checkpoint=None):
        stage("pack", len(meshes))
        coded = tuple(self._code(mesh) for mesh in meshes)
        return CodedSet(SHARED, coded, {"meshes": len(meshes), "nested": {"loss": 0.5}})

    def add(self, meshes, shared, settings):
        self.open(shared)
        stage("pack", len(meshes))
        return tuple(self._code(mesh) for mesh in meshes)

    def open(self, shared, device=None):
        if shared != SHARED:
            raise ArchiveError("is not a raw decoder")
        return RawDecoder()

    def _code(self, mesh):
        if len(mesh.faces) == TETRAHEDRON_FACES:
            return Refusal("raw codec takes no tetrahedra")
        header = struct.pack("<2I", len(mesh.vertices), len(mesh.faces))
        body = mesh.vertices.astype("<f4").tobytes() + mesh.faces.astype("<i4").tobytes()
        return CodedMesh(header + body, ("stored raw",))


class RawDecoder:
    def decode(self, payload):
        vertices, faces = struct.unpack_from("<2I", payload)
        if len(payload) != 8 + 12 * (vertices + faces):
            raise ArchiveError("raw payload of the wrong length")
        positions = np.frombuffer(payload, "<f4", 3 * vertices, 8).reshape(-1, 3)
        return Mesh(positions, np.frombuffer(payload, "<i4", 3 * faces, 8 + 12 * vertices).reshape(-1, 3))


class SlowCodec(RawCodec):
    """Never finishes."""

    id = 65001
    name = "slow"

    def compress(self, meshes, settings, checkpoint=None):
        print("training", flush=True)  # noqa: T201 -- tells the test that it may interrupt
        time.sleep(60)
        return super().compress(meshes, settings)


class EmptyCodec(RawCodec):
    """Decodes a box to nothing."""

    id = 65002
    name = "empty"

    def open(self, shared, device=None):
        return EmptyDecoder()


class EmptyDecoder(RawDecoder):
    def decode(self, payload):
        mesh = super().decode(payload)
        return Mesh(mesh.vertices, mesh.faces[:0]) if len(mesh.faces) == 12 else mesh


class CoarseCodec(RawCodec):
    """Rounds positions: finely in a set, coarsely where meshes join it, more finely with each refinement.

    What is stored already is rounded again when the shared part is trained further.
    """

    id = 65003
    name = "coarse"
    TRAINED, ADDED, FINER, AGAIN = 64, 8, 8, 200

    def compress(self, meshes, settings, checkpoint=None):
        return CodedSet(SHARED, tuple(self._rounded(mesh, self.TRAINED) for mesh in meshes), {})

    def add(self, meshes, shared, settings):
        return tuple(self._rounded(mesh, self.ADDED) for mesh in meshes)

    def refine(self, meshes, payloads, shared, settings):
        finer = [self.FINER * payload[0] for payload in payloads]
        return tuple(self._rounded(mesh, steps) for mesh, steps in zip(meshes, finer, strict=True))

    def retrain(self, stored, meshes, payloads, shared, settings):
        old = tuple(self._rounded(self.open(shared).decode(payload), self.AGAIN) for payload in stored)
        new = tuple(self._rounded(mesh, self.TRAINED) for mesh in meshes)
        return CodedSet(shared + b" again", (*old, *new), {})

    def open(self, shared, device=None):
        if not shared.startswith(SHARED):
            raise ArchiveError("is not a coarse decoder")
        return CoarseDecoder()

    def _rounded(self, mesh, steps):
        coded = self._code(Mesh(np.round(mesh.vertices * steps) / steps, mesh.faces))
        return coded if isinstance(coded, Refusal) else CodedMesh(bytes([min(steps, 255)]) + coded.payload)


class LossyCodec(CoarseCodec):
    """Keeps only the first twelve faces of a mesh in its set."""

    id = 65004
    name = "lossy"

    def compress(self, meshes, settings, checkpoint=None):
        return super().compress([Mesh(mesh.vertices, mesh.faces[:12]) for mesh in meshes], settings)


class CoarseDecoder(RawDecoder):
    def decode(self, payload):
        return super().decode(payload[1:])


def register():
    for codec in (RawCodec, SlowCodec, EmptyCodec, CoarseCodec, LossyCodec):
        if codec.name not in codec_names():
            register_codec(codec.id, codec.name, codec)


def ball(path: Path, centre=(0.0, 0.0, 0.0), radius=1.0) -> Path:
    """Write a sphere of 320 faces."""
    shape = trimesh.creation.icosphere(subdivisions=2, radius=radius)
    write_mesh(Mesh(shape.vertices + np.array(centre), shape.faces.astype(np.int32)), _with_parent(path))
    return path


def plate_with_balls(path: Path, radius=0.05, count=12) -> Path:
    """Write a plate of 12 faces, 12 by 7 by 0.4, and small balls in a row above it."""
    plate = trimesh.creation.box(extents=(12, 7, 0.4))
    ball = trimesh.creation.icosphere(subdivisions=1, radius=radius)
    balls = [ball.copy().apply_translation((x, 0.3, 0.6)) for x in np.linspace(-5, 5, count)]
    shape = trimesh.util.concatenate([plate, *balls])
    write_mesh(Mesh(np.array(shape.vertices), shape.faces.astype(np.int32)), _with_parent(path))
    return path


def box(path: Path) -> Path:
    """Write a box of 12 faces, 3 by 2 by 1."""
    shape = trimesh.creation.box((3, 2, 1))
    write_mesh(Mesh(shape.vertices, shape.faces.astype(np.int32)), _with_parent(path))
    return path


def tetrahedron(path: Path) -> Path:
    """Write a mesh that the raw codec refuses."""
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    write_mesh(Mesh(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float), faces), _with_parent(path))
    return path


def _with_parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
