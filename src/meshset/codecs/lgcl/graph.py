"""Convolutions on the graph of a scaffold, over numpy arrays or torch tensors."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.latent_sdf.network import Weights
from meshset.codecs.lgcl.scaffold import Scaffold
from meshset.field.grid import Array


def chebyshev(scaffold: Scaffold, weights: Weights, name: str, features: Array) -> Array:
    """Apply chebConv (Defferrard et al. 2016, as COMA uses it): sum_k T_k(L) x W_k + b.

    L is the normalised Laplacian scaled to [-1, 1] with a largest eigenvalue of 2: -D^(-1/2) A D^(-1/2).

    Args:
        scaffold: the graph.
        weights: `name`.kernel (k C, H), T_0 first; `name`.bias (H,), or none.
        name: of the layer.
        features: (B, N, C).

    Returns:
        (B, N, H).
    """
    xp = array_api_compat.array_namespace(features)
    kernel = weights[f"{name}.kernel"]
    table = scaffold.neighbours
    root = 1.0 / np.sqrt(np.maximum(scaffold.degrees, 1)).astype(np.float32)
    share = _like(np.where(table < 0, np.float32(0), -root[:, None] * root[table]), features)

    def scaled_laplacian(values: Array) -> Array:
        return (share[None, :, None, :] @ gathered(values, table))[:, :, 0, :]

    terms = [features, scaled_laplacian(features)]
    order = kernel.shape[0] // features.shape[-1]
    while len(terms) < order:
        terms.append(2.0 * scaled_laplacian(terms[-1]) - terms[-2])
    return _biased(xp.concat(terms[:order], axis=-1) @ kernel, weights, name)


def varying(scaffold: Scaffold, weights: Weights, name: str, features: Array) -> Array:
    """Apply vcConv (Zhou et al. 2020): each edge has a kernel of its own, a mixture of k common ones.

    y_i = sum_j sum_k a_ijk B_k x_j + b, j running over i and its neighbours.

    Args:
        scaffold: the graph.
        weights: `name`.kernel (k C, H), B_1 first; `name`.mixture (N + 2 E, k), for each key point in turn its own row,
            then those of its neighbours in ascending order; `name`.bias (H,), or none.
        name: of the layer.
        features: (B, N, C).

    Returns:
        (B, N, H).
    """
    xp = array_api_compat.array_namespace(features)
    count = len(scaffold.chosen)
    table = np.column_stack([np.arange(count), scaffold.neighbours])
    present = table >= 0
    rows = np.where(present, np.cumsum(present.ravel()).reshape(present.shape) - 1, 0)
    mixture = xp.reshape(xp.take(weights[f"{name}.mixture"], _like(rows.ravel(), features), axis=0), (*rows.shape, -1))
    mixture = mixture * _like(present.astype(np.float32), features)[:, :, None]
    mixed = xp.permute_dims(mixture, (0, 2, 1))[None] @ gathered(features, table)
    return _biased(xp.reshape(mixed, (features.shape[0], count, -1)) @ weights[f"{name}.kernel"], weights, name)


def elu(values: Array) -> Array:
    """Return v for v > 0, else exp(v) - 1."""
    xp = array_api_compat.array_namespace(values)
    return xp.where(values > 0, values, xp.expm1(xp.clip(values, max=0)))


def gathered(features: Array, table: NDArray[np.integer[Any]]) -> Array:
    """Return the features (B, N, C) of the key points in a table (N, D), (B, N, D, C); -1 stands for any."""
    xp = array_api_compat.array_namespace(features)
    rows = _like(np.maximum(table, 0).ravel().astype(np.int64), features)
    return xp.reshape(xp.take(features, rows, axis=1), (features.shape[0], *table.shape, features.shape[-1]))


def _like(values: NDArray[Any], features: Array) -> Array:
    xp = array_api_compat.array_namespace(features)
    return xp.asarray(values, device=array_api_compat.device(features))


def _biased(values: Array, weights: Weights, name: str) -> Array:
    bias = weights.get(f"{name}.bias")
    return values if bias is None else values + bias
