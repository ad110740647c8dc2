"""Key spheres: a few balls inside a mesh that already show its shape.

The key spheres paper says of them (section 2.1) that the radius of each is the signed distance of its centre, and that
the method of its reference [15] chooses them by radii and mutual distances, so that centres have a large radius or lie
at essential positions. That reference is SN-Graph (Zhang et al. 2021), which takes candidates of decreasing radius that
touch none before them, adds points of the surface as spheres of radius 0, and then takes again and again the candidate
j with the largest

    min over all chosen i of |c_j - c_i| - r_i + 2 r_j.

This is what happens here, but for two things. SN-Graph has the voxels of a 256^3 grid as candidates; here they are
medial balls, exact whatever the size of a detail: the largest ball inside that touches the surface at a random point
of it, found by shrinking (Ma et al. 2012). And SN-Graph weighs the first sphere's radius against the distance from the
middle of the grid, in units of voxels; here the first is the largest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meshset.geometry.mesh import Mesh
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import sample_surface

BALLS = 4096
"""Points of the surface that a medial ball is looked for at."""

POINTS = 2048
"""Points of the surface that are candidates themselves, as in SN-Graph; at most so many spheres can be asked for."""

_ROUNDS = 24
_TOUCHES = 1 - 1e-4
"""A ball is empty where the surface comes no nearer to its centre than this share of its radius."""


def key_spheres(mesh: Mesh, count: int, seed: int = 0) -> NDArray[np.float64]:
    """Return `count` spheres that lie inside `mesh`, the most telling ones first.

    Fewer spheres are the first ones of more. A sphere has radius 0 where no ball is left that touches none of the
    others; a mesh without an inside has no other.

    Args:
        mesh: facing outward, in any units, with an area.
        count: spheres, 1 to `POINTS`.
        seed: the same mesh, count and seed give the same spheres.

    Returns:
        Centre and radius of each, (count, 4) float64. The radius is the distance of the centre to the surface.

    Raises:
        MeshFileError: the mesh has no area.
        ValueError: `count` is out of range.
        MissingExtraError: libigl is not installed.
    """
    if not 1 <= count <= POINTS:
        raise ValueError(f"1 to {POINTS} key spheres can be chosen, not {count}")
    samples = sample_surface(mesh, BALLS, seed)
    balls = _medial_balls(SurfaceQueries(mesh), samples.points, samples.normals)
    points = np.concatenate([samples.points[:POINTS], np.zeros((POINTS, 1))], axis=1)
    return _spread_out(np.concatenate([_apart(balls), points]), count)


def _medial_balls(
    queries: SurfaceQueries, points: NDArray[np.float64], normals: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the largest empty ball behind each point of a surface, (N, 4), those outside of the solid left out."""
    # No ball inside a box is wider than its narrowest side.
    radii = np.full(len(points), float(np.ptp(points, axis=0).min()) / 2)
    distances = np.zeros(len(points))
    shrinking = np.arange(len(points))
    for _ in range(_ROUNDS):
        at, normal, radius = points[shrinking], normals[shrinking], radii[shrinking]
        distance, _, nearest = queries.closest(at - radius[:, None] * normal)
        distances[shrinking] = distance
        inward = np.einsum("ij,ij->i", normal, at - nearest)
        smaller = (distance < _TOUCHES * radius) & (inward > 0)
        shrinking = shrinking[smaller]
        if not len(shrinking):
            break
        # The ball that touches at the point and goes through what was nearest to the centre of the last one.
        radii[shrinking] = np.sum((at - nearest)[smaller] ** 2, axis=1) / (2 * inward[smaller])
    centres = points - radii[:, None] * normals
    done = np.setdiff1d(np.arange(len(points)), shrinking)
    inside = done[queries.winding_number(centres[done]) > 0.5]
    return np.concatenate([centres[inside], distances[inside, None]], axis=1)


def _apart(balls: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the balls (n, 4) that touch no larger one among those returned, the largest first."""
    left = balls[np.argsort(-balls[:, 3], kind="stable")]
    kept = []
    while len(left):
        kept.append(left[0])
        left = left[np.linalg.norm(left[:, :3] - left[0, :3], axis=1) > left[:, 3] + left[0, 3]]
    return np.array(kept).reshape(-1, 4)


def _spread_out(candidates: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Choose `count` of the candidates (N, 4) for their radii and their distances, beginning with the largest."""
    centres, radii = candidates[:, :3], candidates[:, 3]
    chosen = [int(radii.argmax())]
    gap = np.full(len(candidates), np.inf)
    while len(chosen) < count:
        last = chosen[-1]
        gap = np.minimum(gap, np.linalg.norm(centres - centres[last], axis=1) - radii[last])
        gap[last] = -np.inf
        chosen.append(int((gap + 2 * radii).argmax()))
    return candidates[chosen]
