"""Where images are taken from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Cameras:
    """Orthographic cameras that look at the origin, one for each of E images.

    Attributes:
        rotation: (E, 3, 3) rows are the unit vectors to the right in the image, down in the image, and forward.
        extent: half the side of the square in view, in the units of the vertices; depth counts from the plane that
            lies this far before the origin.
    """

    rotation: Tensor
    extent: float

    def project(self, vertices: Tensor, size: int) -> Tensor:
        """Return column, row and depth, all in pixels, of `vertices` (V, 3) in each image, (E, V, 3).

        Pixel i covers the interval [i, i + 1).
        """
        return (torch.matmul(vertices, self.rotation.to(vertices).mT) + self.extent) * self.pixels(size)

    def pixels(self, size: int) -> float:
        """Return how many pixels of a `size` x `size` image are one unit of the vertices."""
        return size / (2.0 * self.extent)


def random_cameras(count: int, rng: np.random.Generator, extent: float) -> Cameras:
    """Return `count` cameras of uniformly distributed orientation, float64, on the CPU.

    Args:
        count: E, images.
        rng: its state decides the poses.
        extent: half the side of the square in view.
    """
    # The orthogonal factor of a Gaussian matrix is uniform once the signs of the triangular one are fixed.
    matrix, triangular = np.linalg.qr(rng.standard_normal((count, 3, 3)))
    matrix *= np.sign(np.diagonal(triangular, axis1=1, axis2=2))[:, None, :]
    matrix[:, :, 2] *= np.linalg.det(matrix)[:, None]
    return Cameras(torch.from_numpy(matrix), extent)
