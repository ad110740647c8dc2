"""LGCL's loss: that of SDF-8 and SDF-4, and the similarity of neighbouring local codes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from scipy.sparse import csr_array, diags_array, eye_array
from torch import Tensor

from meshset.codecs.latent_sdf.network import LatentNetwork, Weights
from meshset.codecs.latent_sdf.objectives import Geometry
from meshset.codecs.lgcl.network import Lgcl
from meshset.codecs.lgcl.scaffold import Scaffold

RINGS = 3
"""K of Eq. 7."""


class LocalGeometry(Geometry):
    """L_basic + lambda_sim L_sim (Eq. 8; the length of the global code is added for every network).

    Args:
        similarity: lambda_sim.
    """

    def __init__(self, similarity: float) -> None:
        self._similarity = similarity
        self._means: Tensor | None = None

    def losses(
        self, network: LatentNetwork, weights: Weights, codes: Tensor, keys: Tensor, batch: Mapping[str, Tensor]
    ) -> Tensor:
        """Return the loss of each mesh (B,)."""
        basic = super().losses(network, weights, codes, keys, batch)
        if not self._similarity or not isinstance(network, Lgcl):
            return basic
        if self._means is None:
            self._means = as_tensor(ring_means(network.scaffold)).to(codes.device)
        return basic + self._similarity * dissimilarity(codes, self._means)


def dissimilarity(codes: Tensor, means: Tensor) -> Tensor:
    """Return L_sim of each mesh (B,): the mean distance of local codes (B, N, C) from `means` (N, N) of others."""
    rows = codes.permute(1, 0, 2)
    around = torch.sparse.mm(means, rows.flatten(1)).view(rows.shape)
    distance: Tensor = torch.linalg.vector_norm(rows - around, dim=2).mean(dim=0)
    return distance


def ring_means(scaffold: Scaffold) -> csr_array:
    """Return the matrix (N, N) that takes the mean of a key point's rings, each of which is the mean of its own.

    Ring k holds the key points that are k edges away. Eq. 7 as printed adds the rings; equal codes would then be driven
    to 0, against what the text wants of it.
    """
    count = len(scaffold.chosen)
    start, end = scaffold.edges.T
    ones = [1.0] * len(start)
    half = csr_array((ones, (start, end)), shape=(count, count))
    one_more = half + half.T + eye_array(count)
    within = csr_array(eye_array(count))
    total = csr_array((count, count))
    for _ in range(RINGS):
        wider = csr_array((one_more @ within) > 0).astype(float)
        total = total + _rows_of_one(csr_array(wider - within))
        within = wider
    return _rows_of_one(csr_array(total))


def _rows_of_one(matrix: csr_array) -> csr_array:
    """Return a matrix whose rows are divided by their sums, those without any left as they are."""
    sums = matrix.sum(axis=1)
    sums[sums == 0] = 1.0
    return csr_array(diags_array(1.0 / sums) @ matrix)


def as_tensor(matrix: csr_array) -> Tensor:
    """Return a sparse matrix as a sparse float32 tensor."""
    found = matrix.tocoo()
    places = torch.stack([torch.from_numpy(found.row).long(), torch.from_numpy(found.col).long()])
    return torch.sparse_coo_tensor(
        places, torch.from_numpy(found.data).float(), found.shape, check_invariants=False
    ).coalesce()
