"""Depth and coverage of what is seen, with gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from meshset.field.rasteriser.cameras import Cameras
from meshset.field.rasteriser.visibility import Fragments, find_visible

_GRAZING = 0.02
"""Sine of the smallest angle between a triangle and the line of sight that gradients of depth are computed with."""


def render(vertices: Tensor, faces: Tensor, cameras: Cameras, size: int) -> tuple[Tensor, Tensor]:
    """Return depth and silhouette of a mesh, each (E, size, size) of the dtype of `vertices`.

    The same as `shade` of what `find_visible` found.
    """
    return shade(vertices, find_visible(vertices, faces, cameras, size))


def shade(vertices: Tensor, fragments: Fragments) -> tuple[Tensor, Tensor]:
    """Return depth and silhouette, differentiable in the vertices, for what was found to be visible.

    Args:
        vertices: (V, 3) floats, the positions that `find_visible` was given.
        fragments: what it found.

    Returns:
        Depth (E, size, size) in the units of the vertices, from the plane `extent` before the origin to where the line
        of sight through the pixel's centre first meets the mesh; 0 where it does not. Silhouette (E, size, size), the
        share of the pixel that is covered: 1 inside, 0 outside, between at the outline. The share is exact for a
        straight outline along a side of the pixels and otherwise near; holes and parts of about a pixel may leave
        [0, 1]. First derivatives only. Gradients of depth are those of a triangle at least 0.02 rad off the line
        of sight.
    """
    shape = (len(fragments.cameras.rotation), fragments.size, fragments.size)
    screen = fragments.cameras.project(vertices, fragments.size).view(-1, 3)
    along = _depth(screen, fragments) / fragments.cameras.pixels(fragments.size)
    depth = screen.new_zeros(shape[0] * shape[1] * shape[2]).index_put((fragments.pixel,), along)
    beyond = _overhang(screen, fragments)
    target = fragments.outline + fragments.step * (beyond.detach() >= 0)
    silhouette = torch.zeros_like(depth).index_fill(0, fragments.pixel, 1.0).index_add(0, target, beyond)
    return depth.view(shape), silhouette.view(shape)


def _depth(screen: Tensor, fragments: Fragments) -> Tensor:
    """Return the depth (P,) in pixels of the triangles seen, at the centres of their pixels."""
    a, b, c = (screen.index_select(0, fragments.corners[:, k]) for k in range(3))
    with torch.no_grad():
        column = (fragments.pixel % fragments.size).to(screen) + 0.5
        row = (fragments.pixel // fragments.size % fragments.size).to(screen) + 0.5
        normal = torch.linalg.cross(b - a, c - a)
        area = torch.where(normal[:, 2] == 0.0, 1.0, normal[:, 2])
        second, third = _doubled_area(column, row, c, a) / area, _doubled_area(column, row, a, b) / area
        weights = torch.stack([1.0 - second - third, second, third], dim=1).clamp(0.0, 1.0)
        weights /= weights.sum(dim=1, keepdim=True)
        steepest = torch.linalg.vector_norm(normal, dim=1) * _GRAZING
        slope = normal / torch.copysign(torch.maximum(area.abs(), steepest), area)[:, None]
        slope[:, 2] = 1.0
    point = weights[:, :1] * a + weights[:, 1:2] * b + weights[:, 2:] * c
    # Where a triangle moves sideways by d, its depth at a fixed pixel falls by slope . d. With weights and slope held
    # constant, this form has the right value and the right first derivatives, and little for autograd to record.
    still = point.detach().clone()
    still[:, 2] = 0.0
    return torch.sum((point - still) * slope, dim=1)


def _doubled_area(column: Tensor, row: Tensor, p: Tensor, q: Tensor) -> Tensor:
    """Return twice the signed area of the triangles between a point, `p` and `q` in the image."""
    return (p[:, 0] - column) * (q[:, 1] - row) - (p[:, 1] - row) * (q[:, 0] - column)


def _overhang(screen: Tensor, fragments: Fragments) -> Tensor:
    """Return how far (C,) in pixels the outline lies beyond the border between the two pixels, negative before it."""
    size, across = fragments.size, fragments.across
    column, row = fragments.outline % size + 0.5, fragments.outline // size % size + 0.5
    ends = screen.index_select(0, fragments.ends.view(-1)).view(-1, 2, 3)
    along = torch.where(across[:, None], ends[:, :, 1], ends[:, :, 0])
    aside = torch.where(across[:, None], ends[:, :, 0], ends[:, :, 1])
    line, centre = torch.where(across, column, row), torch.where(across, row, column)
    crossing = along[:, 0] + _share(line, aside[:, 0], aside[:, 1]) * (along[:, 1] - along[:, 0])
    return (crossing - centre) * fragments.step.sign() - 0.5


def _share(at: Tensor, start: Tensor, end: Tensor) -> Tensor:
    return (at - start) / (end - start)
