"""Meshes of one connectivity: a figure in several poses, and copies of it."""

from __future__ import annotations

import numpy as np
import trimesh

from meshset.codecs.mesh_group.codec import MeshGroupCodec
from meshset.codecs.protocol import CodedSet, Settings
from meshset.geometry import Mesh, Placement

FAST = Settings(preset="fast")


def normalised(points: np.ndarray, faces: np.ndarray) -> Mesh:
    mesh = Mesh(points, faces.astype(np.int32))
    return Placement.of(mesh).normalise(mesh)


def bent(amount: float) -> Mesh:
    """A long body with bumps that is bent in the plane x z; the bumps stay where they are."""
    ball = trimesh.creation.icosphere(3)
    x, y, z = (np.array(ball.vertices) * (0.6, 0.5, 2.0)).T
    for at, height in ((1.2, 0.4), (-0.4, 0.3), (-1.3, 0.5)):
        x = x + height * np.exp(-6 * ((z - at) ** 2 + y**2)) * (x > 0)
    angle = amount * z
    radius = x + 1 / amount
    points = np.stack([np.cos(angle) * radius - 1 / amount, y, np.sin(angle) * radius], axis=1)
    return normalised(points, np.array(ball.faces))


def poses(count: int) -> list[Mesh]:
    return [bent(amount) for amount in np.linspace(0.1, 0.45, count)]


def shuffled(mesh: Mesh, seed: int, flipped: bool = False) -> Mesh:
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(mesh.vertices))
    faces = np.argsort(order)[mesh.faces][rng.permutation(len(mesh.faces))].astype(np.int32)
    return Mesh(mesh.vertices[order], faces[:, ::-1] if flipped else faces)


def turned(mesh: Mesh, seed: int, mirrored: bool = False) -> Mesh:
    """The same shape somewhere else, normalised again."""
    rng = np.random.default_rng(seed)
    rotation = trimesh.transformations.random_rotation_matrix(rng.random(3))[:3, :3]
    points = 3.0 * mesh.vertices @ rotation.T + rng.normal(size=3)
    if mirrored:
        points[:, 0] *= -1
    return normalised(points, mesh.faces[:, ::-1] if mirrored else mesh.faces)


def coded(meshes: list[Mesh], error: float = 2e-3, sequence: bool = False) -> CodedSet:
    return MeshGroupCodec(error, sequence=sequence).compress(meshes, FAST)
