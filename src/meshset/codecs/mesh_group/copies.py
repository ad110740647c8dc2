"""Members of a group that are others, turned, mirrored, scaled or moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh.residuals import GRID
from meshset.codecs.mesh_group.motion import Motion
from meshset.geometry import Mesh
from meshset.geometry.correspondence import Match

_ALIKE = 0.02
"""Edges whose lengths differ by more, as a share of their size, are not those of a copy."""

_SPENT = 0.2
"""Share of its bound that the vertices of a copy may be off, on average."""


@dataclass(frozen=True)
class Copy:
    """A member that is another one.

    Attributes:
        source: the other member.
        motion: what takes it there.
    """

    source: int
    motion: Motion


def copies(meshes: Sequence[Mesh], matches: Sequence[Match], bounds: Sequence[float]) -> dict[int, Copy]:
    """Return which members are copies of one before them that is none itself."""
    found: dict[int, Copy] = {}
    sources: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}  # points, and lengths of edges
    sides = np.sort(meshes[0].faces, axis=1).astype(np.int64)
    for member, (mesh, match) in enumerate(zip(meshes, matches, strict=True)):
        points = mesh.vertices[match.vertex].astype(np.float64)  # the last one for those that no face uses
        edges = np.linalg.norm(points[sides[:, 0]] - points[sides[:, 1]], axis=1)
        edges /= max(float(edges.mean()), 1e-30)
        points = points[match.vertex >= 0]
        for source, (others, lengths) in sources.items():
            if np.abs(edges - lengths).mean() > _ALIKE:
                continue
            motion = Motion.between(others, points)
            if motion is not None and _off(motion, others, points) <= _SPENT * bounds[member]:
                found[member] = Copy(source, motion)
                break
        else:
            sources[member] = points, edges
    return found


def _off(motion: Motion, source: NDArray[np.float64], goal: NDArray[np.float64]) -> float:
    """Return how far points are from where they should be, on average."""
    moved = np.array(motion.applied([(x, y, z) for x, y, z in (source * GRID).tolist()])) / GRID
    return float(np.linalg.norm(moved - goal, axis=1).mean())
