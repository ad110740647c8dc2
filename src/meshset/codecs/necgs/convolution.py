"""The sparse convolution of training, with a backward pass that gathers instead of scattering."""

from __future__ import annotations

import threading
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from meshset.codecs.necgs.decoder import by_neighbour
from meshset.codecs.necgs.structure import BatchLevel

_held = threading.local()


def _buffer(name: str, rows: int, columns: int, device: torch.device) -> Tensor:
    """Return an uninitialised (rows, columns) float32 tensor whose memory is used again by the next call with `name`.

    The gathered neighbourhoods are tens of megabytes: fresh pages for them cost more than filling them does.
    """
    buffer: Tensor | None = getattr(_held, name, None)
    if buffer is None or buffer.device != device or buffer.numel() < rows * columns:
        buffer = torch.empty(rows * columns, device=device)
        setattr(_held, name, buffer)
    return buffer[: rows * columns].view(rows, columns)


def _gathered(features: Tensor, neighbours: Tensor) -> Tensor:
    """Return (N, T C), the neighbourhood of every expanded voxel; valid until the next call."""
    out = _buffer("gathered", neighbours.numel(), features.shape[1], features.device)
    padded = torch.cat([features.new_zeros(1, features.shape[1]), features])
    torch.index_select(padded, 0, neighbours.view(-1), out=out)
    return out.view(neighbours.shape[0], -1)


class _SparseConvolution(torch.autograd.Function):
    """Neighbourhoods times weights; gradients reach only expanded voxels.

    The others exist with a gate of (nearly) 0, so what they would get or give is (nearly) 0 as well.
    """

    @staticmethod
    def forward(ctx, features, weights, expanded, neighbours, inverse):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(features, weights, expanded, neighbours, inverse)
        return _gathered(features, neighbours) @ weights

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        features, weights, expanded, neighbours, inverse = ctx.saved_tensors
        to_weights = _gathered(features, neighbours).t() @ gradient
        count, channels = neighbours.shape[0], features.shape[1]
        spread = _buffer("spread", neighbours.numel() + 1, channels, features.device)
        torch.mm(gradient, weights.t(), out=spread[1:].view(count, -1))
        spread[0] = 0.0
        to_features = torch.zeros_like(features)
        to_features[expanded] = embedding_bag(inverse, spread, mode="sum")
        return to_features, to_weights, None, None, None


class _ProjectedConvolution(torch.autograd.Function):
    """The same for fewer outputs than inputs: weights first, on every voxel, then a gather of what they give.

    Moves T H numbers a voxel instead of T C; the head of the paper's decoder has H = 1.
    """

    @staticmethod
    def forward(ctx, features, weights, expanded, neighbours, inverse):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(features, weights, expanded, inverse)
        taps, outputs = neighbours.shape[1], weights.shape[1]
        padded = torch.cat([features.new_zeros(1, features.shape[1]), features])
        projected = padded @ by_neighbour(weights, taps)
        places = neighbours * taps + torch.arange(taps, dtype=neighbours.dtype, device=neighbours.device)
        gathered = projected.view(-1, outputs).index_select(0, places.view(-1))
        return gathered.view(len(neighbours), taps, outputs).sum(dim=1)

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        features, weights, expanded, inverse = ctx.saved_tensors
        taps, outputs = inverse.shape[1], weights.shape[1]
        padded = torch.cat([gradient.new_zeros(1, gradient.shape[1]), gradient])
        spread = padded.index_select(0, ((inverse + taps - 1) // taps).view(-1)).view(len(inverse), -1)
        to_features = torch.zeros_like(features)
        to_features[expanded] = spread @ by_neighbour(weights, taps).t()
        to_weights = features[expanded].t() @ spread
        to_weights = to_weights.view(-1, taps, outputs).transpose(0, 1).reshape(-1, outputs)
        return to_features, to_weights, None, None, None


def trained_convolution(level: BatchLevel) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return a convolution for `decoder.upsample` over the voxels of `level` that is fast to differentiate."""

    def convolution(features: Tensor, neighbours: Tensor, weights: Tensor) -> Tensor:
        kind = _SparseConvolution if weights.shape[1] >= features.shape[1] else _ProjectedConvolution
        return kind.apply(features, weights, level.expanded, neighbours, level.inverse)  # type: ignore[no-any-return, no-untyped-call]

    return convolution
