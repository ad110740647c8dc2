"""Triangulated shapes whose distance fields are known in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meshset.geometry import Mesh


def lattice_faces(rows: int, columns: int) -> NDArray[np.int32]:
    """Triangles of a rows x columns lattice that closes on itself in both directions."""
    i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    a, b = i * columns + j, (i + 1) % rows * columns + j
    c, d = (i + 1) % rows * columns + (j + 1) % columns, i * columns + (j + 1) % columns
    return np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3).astype(np.int32)


def torus(major: float = 0.6, minor: float = 0.25, rows: int = 192, columns: int = 96) -> Mesh:
    u = 2 * np.pi * np.arange(rows)[:, None] / rows
    v = 2 * np.pi * np.arange(columns)[None, :] / columns
    ring = major + minor * np.cos(v)
    points = np.stack([ring * np.cos(u), ring * np.sin(u), np.broadcast_to(minor * np.sin(v), ring.shape) + 0 * u], -1)
    return Mesh(points.reshape(-1, 3), lattice_faces(rows, columns))


def torus_distance(points: NDArray[np.float64], major: float = 0.6, minor: float = 0.25) -> NDArray[np.float64]:
    return np.hypot(np.hypot(points[:, 0], points[:, 1]) - major, points[:, 2]) - minor


def sphere(radius: float = 0.8, rings: int = 128) -> Mesh:
    theta = np.pi * (np.arange(rings) + 0.5) / rings
    phi = np.pi * np.arange(2 * rings) / rings
    t, p = np.meshgrid(theta, phi, indexing="ij")
    body = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], -1).reshape(-1, 3)
    points = radius * np.concatenate([body, [[0, 0, 1], [0, 0, -1]]])
    lattice = lattice_faces(rings, 2 * rings)
    seam = (lattice < 2 * rings).any(1) & (lattice >= (rings - 1) * 2 * rings).any(1)
    k = np.arange(2 * rings)
    last = (rings - 1) * 2 * rings
    caps = [np.stack([np.full_like(k, len(body)), k, np.roll(k, -1)], -1)]
    caps.append(np.stack([np.full_like(k, len(body) + 1), last + np.roll(k, -1), last + k], -1))
    return Mesh(points, np.concatenate([lattice[~seam], *caps]).astype(np.int32))


def box(lower: tuple[float, float, float], upper: tuple[float, float, float]) -> Mesh:
    corners = np.array([[c & 1, c >> 1 & 1, c >> 2] for c in range(8)], dtype=np.float64)
    quads = [(0, 4, 6, 2), (1, 3, 7, 5), (0, 1, 5, 4), (2, 6, 7, 3), (0, 2, 3, 1), (4, 5, 7, 6)]
    faces = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    low, high = np.array(lower), np.array(upper)
    return Mesh(low + corners * (high - low), np.array(faces, dtype=np.int32))


def box_distance(
    points: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> NDArray[np.float64]:
    outside = np.maximum(np.maximum(lower - points, points - upper), 0)
    inside = np.minimum((upper - points).min(1), (points - lower).min(1))
    return np.where(inside > 0, -inside, np.linalg.norm(outside, axis=1))


def joined(*meshes: Mesh) -> Mesh:
    counts = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + np.int32(c) for m, c in zip(meshes, counts, strict=True)]),
    )
