"""The reconstruction error of NeCGS between renderings of two meshes (Eqs. S5 to S7)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from meshset.field.grid import spacing
from meshset.field.rasteriser import Cameras, find_visible, random_cameras, render, shade
from meshset.geometry.mesh import Mesh

POSES = 4
"""Images per iteration (E)."""
DEPTH_WEIGHT = 10.0
"""Weight of depth against silhouettes (lambda_rec)."""
_POOL = 64
"""Poses that the target is drawn from; every 16 iterations each is used once, in a new order."""
_PIXELS = 3
"""Pixels a side of an image for each grid point a side."""
_SPARSITY = 10.0
"""Weight of the L1 norm of the deformation (lambda_Reg)."""
_MARGIN = 1.05
"""Half the side of the square in view, in radii of the target around the origin."""


class RenderObjective:
    """Compares surfaces with one target by silhouette and depth, from 4 poses an iteration.

    The paper states E = 4 poses "around the meshes", the weights 10 of depth and 10 of the L1 norm of the deformation
    (lambda_Reg), and norms that are sums over pixels. It does not state the size of the images, the cameras, or the
    units of depth and deformation. Here:

    - Cameras are orthographic, of random orientation, and see all of the target. The target is drawn once from a pool
      of 64 poses; iterations take turns with them.
    - Images have 3 K pixels a side: with the whole target in view, a voxel takes about one and a half.
    - Depth and deformation are in units of the cube [-1, 1]^3. All norms are sums divided by the number of pixels of
      the four images, so that the value does not depend on their size.

    Args:
        target: the normalised mesh, at least one face.
        resolution: K, which sets the size of the images.
        device: where images are kept and surfaces are expected.
    """

    def __init__(self, target: Mesh, resolution: int, device: torch.device | str = "cpu") -> None:
        size = _PIXELS * resolution
        vertices = torch.from_numpy(target.vertices[target.faces].reshape(-1, 3).astype(np.float32)).to(device)
        faces = torch.arange(len(vertices), device=device).view(-1, 3)
        extent = _MARGIN * float(torch.linalg.vector_norm(vertices, dim=1).max())
        pool = random_cameras(_POOL, np.random.default_rng(0), extent)
        self._pool = Cameras(pool.rotation.to(device), extent)
        self._size, self._half_voxel = size, spacing(resolution) / 2
        with torch.no_grad():
            shots = [
                render(vertices, faces, Cameras(self._pool.rotation[first : first + POSES], extent), size)
                for first in range(0, _POOL, POSES)
            ]
        self._depth, self._silhouette = (torch.cat(images) for images in zip(*shots, strict=True))

    def prepare(self, vertices: Tensor, faces: Tensor, number: int) -> Callable[[Tensor], Tensor]:
        """Choose the poses of an iteration and find what they see of a surface.

        Args:
            vertices: (V, 3) floats in the units of the target; no gradient is taken here.
            faces: (F, 3) integers.
            number: of the iteration, from 0; it decides the poses.

        Returns:
            A function of the same vertices, with gradients, that returns the scalar E_M + 10 E_D:
            E_M is the mean difference of the silhouettes; E_D that of the depths, times the silhouette of the target.
            A pixel where the centre of only one of the two silhouettes is hit counts 0 in E_D: it has no depth to move,
            and E_M counts it.
        """
        turn, place = divmod(number, _POOL // POSES)
        order = np.random.default_rng(turn).permutation(_POOL)
        chosen = torch.from_numpy(order[place * POSES : (place + 1) * POSES]).to(vertices.device)
        cameras = Cameras(self._pool.rotation[chosen], self._pool.extent)
        fragments = find_visible(vertices.detach(), faces, cameras, self._size)
        goal_depth, goal_silhouette = self._depth[chosen], self._silhouette[chosen]

        def error(vertices: Tensor) -> Tensor:
            depth, silhouette = shade(vertices, fragments)
            seen = (depth != 0.0) & (goal_depth != 0.0)
            silhouette_error = (silhouette - goal_silhouette).abs().mean()
            depth_error = (torch.where(seen, depth - goal_depth, 0.0).abs() * goal_silhouette).mean()
            return silhouette_error + DEPTH_WEIGHT * depth_error

        return error

    def sparsity(self, deformation: Tensor, vertices: int) -> Tensor:
        """Return lambda_Reg times the L1 norm of a deformation (N, 3) given in half voxels."""
        return _SPARSITY * self._half_voxel * deformation.abs().sum() / (POSES * self._size**2)
