"""What set networks are trained on, and the loss: distances, distances without sign and normals, or fields."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from meshset.codecs.common.dense import dense_values
from meshset.codecs.common.samples import usable_samples
from meshset.codecs.common.stored_fields import make_fields
from meshset.codecs.latent_sdf.network import LatentNetwork, Weights
from meshset.codecs.protocol import Refusal, Settings
from meshset.errors import MeshFileError
from meshset.field import Field
from meshset.field.grid import spacing
from meshset.geometry.mesh import Mesh
from meshset.geometry.sampling import sample_surface

Example = dict[str, NDArray[np.float32]]
"""Arrays (N, ...) of one mesh, equally long and in random order; a visit sees the same slice of each."""

GRADIENT_WEIGHT = 0.1
"""lambda_grad of LGCL's Eq. 6."""

QUANTITIES = 4
"""TSDF and deformation at a grid point; a field without deformation has zeros."""

BAND_SHARE = 0.7
"""Share of the points of a field that lie in its band; the others are drawn from the whole grid."""


class Objective(ABC):
    """Makes the example of a mesh, and compares a network with a batch of them."""

    @abstractmethod
    def example(self, mesh: Mesh, count: int, settings: Settings) -> tuple[Example, tuple[str, ...]]:
        """Return what is known of `count` points around a mesh in the cube, and notes.

        Raises:
            MeshFileError: nothing can be learned of this mesh.
            MissingExtraError: libigl, scipy or torch is not installed.
        """

    @abstractmethod
    def losses(
        self, network: LatentNetwork, weights: Weights, codes: Tensor, keys: Tensor, batch: Mapping[str, Tensor]
    ) -> Tensor:
        """Return the loss of each mesh (B,), for examples (B, P, ...)."""


class Distances(Objective):
    """Signed distances, clamped (DeepSDF, Eq. 4)."""

    def example(self, mesh: Mesh, count: int, settings: Settings) -> tuple[Example, tuple[str, ...]]:
        """Return points and signed distances."""
        samples = usable_samples(mesh, count, settings.resolution, settings.seed)
        return {"points": samples.points.T.copy(), "distance": samples.distance}, samples.notes

    def losses(
        self, network: LatentNetwork, weights: Weights, codes: Tensor, keys: Tensor, batch: Mapping[str, Tensor]
    ) -> Tensor:
        """Return the mean absolute error.

        With a clamp, targets beyond it are moved there, and a prediction still further out is right. One beyond the
        clamp on the wrong side counts in full: clamped, as DeepSDF has it, it would have no gradient to come back by.
        """
        found, wanted = network.values(weights, codes, keys, batch["points"])[..., 0], batch["distance"]
        error: Tensor = found - wanted
        if network.clamp is not None:
            target = wanted.clamp(-network.clamp, network.clamp)
            right = (target.abs() >= network.clamp) & ((found - target) * target > 0)
            error = (found - target).masked_fill(right, 0.0)
        return error.abs().mean(dim=1)


class Geometry(Objective):
    """L_basic: distances without sign, gradients of length 1, and the normals of the surface (LGCL, Eq. 4 to 6)."""

    def example(self, mesh: Mesh, count: int, settings: Settings) -> tuple[Example, tuple[str, ...]]:
        """Return points, unsigned distances, and as many points of the surface with their normals."""
        samples = usable_samples(mesh, count, settings.resolution, settings.seed)
        surface = sample_surface(mesh, count, settings.seed)
        return {
            "points": samples.points.T.copy(),
            "distance": np.abs(samples.distance),
            "surface": surface.points.astype(np.float32),
            "normals": surface.normals.astype(np.float32),
        }, samples.notes

    def losses(
        self, network: LatentNetwork, weights: Weights, codes: Tensor, keys: Tensor, batch: Mapping[str, Tensor]
    ) -> Tensor:
        """Return L_sal + L_igr."""
        count = batch["points"].shape[1]
        points = torch.cat([batch["points"], batch["surface"]], dim=1).requires_grad_()
        found = network.values(weights, codes, keys, points)[..., 0]
        (gradient,) = torch.autograd.grad(found.sum(), points, create_graph=True)
        wanted = torch.nn.functional.pad(batch["distance"], (0, count))
        distance = (found.abs() - wanted).abs().mean(dim=1)
        unit = (torch.linalg.vector_norm(gradient, dim=2) - 1.0).square().mean(dim=1)
        normal = torch.linalg.vector_norm(gradient[:, count:] - batch["normals"], dim=2).mean(dim=1)
        total: Tensor = distance + GRADIENT_WEIGHT * unit + normal
        return total


class FieldValues(Objective):
    """TSDF-Def at grid points, most of them in the band (NeCGS, supplement 3.2)."""

    def example(self, mesh: Mesh, count: int, settings: Settings) -> tuple[Example, tuple[str, ...]]:
        """Return grid points and the field there."""
        with TemporaryDirectory(prefix="meshset-fields-") as folder:
            (outcome,) = make_fields([mesh], settings, Path(folder))
            if isinstance(outcome, Refusal):
                raise MeshFileError(outcome.reason)
            field = Field.load(outcome[0])
        rng = np.random.default_rng(settings.seed)
        near = round(BAND_SHARE * count)
        band = field.coords[np.abs(field.tsdf) < 1].astype(np.int64)
        anywhere = rng.integers(0, field.resolution, (count - near, 3))
        drawn = rng.permutation(np.concatenate([band[rng.integers(0, len(band), near)], anywhere]))
        values = dense_values(field, QUANTITIES)[(slice(None), *drawn.T)].T
        points = (-1.0 + spacing(field.resolution) * drawn).astype(np.float32)
        return {"points": points, "values": np.ascontiguousarray(values)}, outcome[1]

    def losses(
        self, network: LatentNetwork, weights: Weights, codes: Tensor, keys: Tensor, batch: Mapping[str, Tensor]
    ) -> Tensor:
        """Return the mean absolute error of the field, its channels added."""
        error: Tensor = (network.values(weights, codes, keys, batch["points"]) - batch["values"]).abs()
        return error.sum(dim=2).mean(dim=1)
