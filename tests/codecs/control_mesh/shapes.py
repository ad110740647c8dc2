"""Meshes of every kind of topology, as points and faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import trimesh

Shape = tuple[np.ndarray, np.ndarray]


def of(mesh: trimesh.Trimesh) -> Shape:
    points = np.array(mesh.vertices, dtype=np.float64)
    return points / np.abs(points).max(), np.array(mesh.faces, dtype=np.int64)


def sphere() -> Shape:
    return of(trimesh.creation.icosphere(2))


def torus() -> Shape:
    return of(trimesh.creation.torus(0.7, 0.3, major_sections=16, minor_sections=9))


def grid(width: int, height: int) -> Shape:
    """A flat sheet of squares, each cut in two."""
    x, y = np.meshgrid(np.linspace(-0.9, 0.9, width), np.linspace(-0.9, 0.9, height))
    corner = np.arange(width * height).reshape(height, width)
    a, b, c, d = (part.ravel() for part in (corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]))
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)])
    return np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1), faces


def two_handles() -> Shape:
    """The border of 5 x 3 cubes without two of the inner ones: genus 2."""
    full = np.zeros((7, 5, 3), dtype=bool)
    full[1:6, 1:4, 1] = True
    full[2, 2, 1] = full[4, 2, 1] = False
    quads = []
    for axis in range(3):
        for cell in np.argwhere(full):
            for side in (0, 1):
                beyond = cell.copy()
                beyond[axis] += 2 * side - 1
                if not full[tuple(beyond)]:
                    u, v = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
                    base = cell + side * np.eye(3, dtype=int)[axis]
                    quad = [base, base + u, base + u + v, base + v]
                    quads.append(quad if side else quad[::-1])
    corners = np.array(quads)
    points, corner = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    a, b, c, d = corner.reshape(-1, 4).T
    return points / 7.0 - 0.5, np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def annulus() -> Shape:
    ring = np.arange(12)
    after, angle = (ring + 1) % 12, 2 * np.pi * ring / 12
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    faces = [np.stack([ring, after, ring + 12], axis=1), np.stack([after, after + 12, ring + 12], axis=1)]
    return np.concatenate([0.9 * circle, 0.4 * circle]), np.concatenate(faces)


def moebius() -> Shape:
    """A strip with half a turn: no choice of sides agrees everywhere."""
    ring = np.arange(9)
    angle = 2 * np.pi * ring / 9
    half = 0.3 * np.stack([np.cos(angle / 2) * np.cos(angle), np.cos(angle / 2) * np.sin(angle), np.sin(angle / 2)], 1)
    middle = 0.6 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    upper, lower = ring, ring + 9
    next_upper, next_lower = np.append(upper[1:], 9), np.append(lower[1:], 0)
    faces = [np.stack([upper, next_upper, lower], axis=1), np.stack([next_upper, next_lower, lower], axis=1)]
    return np.concatenate([middle + half, middle - half]), np.concatenate(faces)


def several() -> Shape:
    balls = [trimesh.creation.icosphere(1, 0.2).apply_translation(0.7 * axis) for axis in np.eye(3)]
    return of(trimesh.util.concatenate([*balls, trimesh.creation.box((0.2, 0.2, 0.2))]))


def book() -> Shape:
    """Three pages at one edge, and a loose page that shares one vertex only."""
    points = np.array([[0, 0, -1], [0, 0, 1], [1, 0, 0], [-0.5, 0.8, 0], [-0.5, -0.8, 0], [0.3, 0.3, 1], [0, 0.5, 1]])
    return points.astype(float), np.array([[0, 1, 2], [0, 1, 3], [0, 1, 4], [1, 5, 6]])


def punctured(share: float) -> Shape:
    """A sphere with many holes, some of which meet in a vertex."""
    points, faces = sphere()
    return points, faces[np.random.default_rng(3).random(len(faces)) > share]


def soup(vertices: int, faces: int, seed: int) -> Shape:
    rng = np.random.default_rng(seed)
    corners = np.array([rng.permutation(vertices)[:3] for _ in range(faces)], dtype=np.int64)
    return rng.uniform(-1, 1, (vertices, 3)), corners


TRIANGLE = np.array([[-0.9, -0.9, 0.0], [0.9, -0.9, 0.0], [0.0, 0.9, 0.2]])
SHAPES: dict[str, Callable[[], Shape]] = {
    "sphere": sphere,
    "torus": torus,
    "two handles": two_handles,
    "annulus": annulus,
    "triangle": lambda: (TRIANGLE, np.array([[0, 1, 2]])),
    "pillow": lambda: (TRIANGLE, np.array([[0, 1, 2], [0, 2, 1]])),
    "the same face twice": lambda: (TRIANGLE, np.array([[0, 1, 2], [1, 2, 0]])),
    "several": several,
    "book": book,
    "moebius": moebius,
    "sheet": lambda: grid(8, 6),
    "few holes": lambda: punctured(0.1),
    "many holes": lambda: punctured(0.4),
    "soup": lambda: soup(12, 40, 1),
}
