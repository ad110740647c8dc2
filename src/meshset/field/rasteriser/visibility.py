"""What each pixel sees, by scan conversion, and which edges form the outline; no gradients here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from meshset.field.rasteriser.cameras import Cameras

_LARGEST_STEP = 1 << 21
"""Spans or pixels that are worked on at a time: bounds the memory to some hundred megabytes."""
_INDEX = (1 << 31) - 1
"""Mask of the triangle in a packed integer, and the largest number that one can have."""


@dataclass(frozen=True)
class Fragments:
    """What E images of `size` x `size` pixels see of a mesh; pixels are named (image * size + row) * size + column.

    Attributes:
        cameras: one for each image.
        size: pixels a side.
        pixel: (P,) int64 pixels that see the mesh.
        corners: (P, 3) int64 vertices of the triangle seen there, as rows of (E, V) flattened.
        outline: (C,) int64 covered pixels with an uncovered neighbour beyond a crossing of the outline.
        step: (C,) int64 from the covered pixel to the uncovered one.
        across: (C,) bool, whether that step is along the column rather than along the row.
        ends: (C, 2) int64 vertices of the edge that crosses, as rows of (E, V) flattened.
    """

    cameras: Cameras
    size: int
    pixel: Tensor
    corners: Tensor
    outline: Tensor
    step: Tensor
    across: Tensor
    ends: Tensor


@dataclass(frozen=True)
class _Scene:
    """The triangles of E images of `size` x `size` pixels.

    Attributes:
        screen: (E * V, 3) columns, rows and depths of the vertices.
        rows: (E * F, 3) int64 corners of the triangles, as rows of `screen`.
        corners: three (3, E * F) columns, rows and depths of the corners.
        start: (2, E * F) int64 first column and row of pixels whose centres are not before the triangle.
        stop: (2, E * F) int64 first column and row of pixels whose centres are beyond it.
        images: E.
        size: pixels a side.
    """

    screen: Tensor
    rows: Tensor
    corners: list[Tensor]
    start: Tensor
    stop: Tensor
    images: int
    size: int


@torch.no_grad()
def find_visible(vertices: Tensor, faces: Tensor, cameras: Cameras, size: int) -> Fragments:
    """Find the triangle that each pixel sees and the edges that form the outline, without gradients.

    Both sides of a triangle are seen. Parts thinner than the distance of two pixel centres may go unseen.

    Args:
        vertices: (V, 3) finite floats, on any device.
        faces: (F, 3) integers, on the same device.
        cameras: E poses.
        size: pixels a side.

    Raises:
        ValueError: there are 2^31 triangles or more in the E images together.
    """
    faces = faces.long()
    images = len(cameras.rotation)
    if images * len(faces) > _INDEX:
        raise ValueError(f"{images} images of {len(faces)} triangles are too many to draw at once")
    screen = cameras.project(vertices, size).view(-1, 3)
    rows = (faces + len(vertices) * torch.arange(images, device=faces.device)[:, None, None]).view(-1, 3)
    corners = [screen.index_select(0, rows[:, c]).T.contiguous() for c in range(3)]
    a, b, c = (corner[:2] for corner in corners)
    start = _first_centre(torch.minimum(torch.minimum(a, b), c), size)
    stop = _first_centre(torch.maximum(torch.maximum(a, b), c), size)
    scene = _Scene(screen, rows, corners, start, stop, images, size)
    seen = _nearest(scene)
    (pixel,) = torch.nonzero(seen >= 0, as_tuple=True)
    covered = (seen >= 0).view(images, size, size)
    near = _near_outline(scene, covered)
    sides = [_outline(scene, covered, near, axis) for axis in (0, 1)]
    outline, step, across, ends = (torch.cat(parts) for parts in zip(*sides, strict=True))
    return Fragments(cameras, size, pixel, rows.index_select(0, seen[pixel]), outline, step, across, ends)


def _nearest(scene: _Scene) -> Tensor:
    """Return the triangle that each pixel sees, (E * size * size,) int64, -1 for none."""
    nothing = torch.iinfo(torch.int64).max
    size = scene.size
    best = torch.full((scene.images * size * size,), nothing, dtype=torch.int64, device=scene.screen.device)
    meets = (scene.start < scene.stop).all(dim=0)
    for triangle, line, (one, one_depth), (other, other_depth) in _spans(scene, meets, 1, (0, 2)):
        start = _first_centre(torch.minimum(one, other), size)
        count = _first_centre(torch.maximum(one, other), size) - start
        slope = torch.where(one == other, 0.0, (other_depth - one_depth) / (other - one))
        depth = one_depth + (start + 0.5 - one) * slope
        pixel = line * size + start
        for begin, end in _blocks(count):
            span, number = _spread(count[begin:end])
            span += begin
            at = depth.index_select(0, span) + number * slope.index_select(0, span)
            key = _packed(at, triangle.index_select(0, span))
            best.scatter_reduce_(0, pixel.index_select(0, span) + number, key, "amin")
    return torch.where(best == nothing, -1, best & _INDEX)


def _outline(scene: _Scene, covered: Tensor, near: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Find the edges of the outline between neighbours along `axis`, 0 for columns.

    Only edges that run more across than along this axis count: the others belong to the other axis, so that each
    piece of the outline counts once.

    Args:
        scene: the triangles.
        covered: (E, size, size) bool.
        near: (E * F,) bool, the triangles to look at.
        axis: of the neighbours.

    Returns:
        `outline`, `step`, `across` and `ends` as in `Fragments`.
    """
    size = scene.size
    gaps = _gaps(covered if axis == 0 else covered.mT)
    furthest = _furthest(scene, gaps, near, axis)
    (place,) = torch.nonzero(furthest >= 0, as_tuple=True)
    triangle = furthest[place] & _INDEX
    side, place = place // gaps.shape[1], place % gaps.shape[1]
    line, pixel = place // (size + 2), place % (size + 2) - 1
    sign = 1 - 2 * side

    names = scene.rows.index_select(0, triangle)
    points = scene.screen.index_select(0, names.view(-1)).view(-1, 3, 3)
    along, aside = points[:, :, axis], points[:, :, 1 - axis]
    along_run, aside_run = along.roll(-1, 1) - along, aside.roll(-1, 1) - aside
    centre = (line % size)[:, None] + 0.5
    crosses = (aside <= centre) != (aside.roll(-1, 1) <= centre)
    reach = (along + (centre - aside) / aside_run * along_run) * sign[:, None]
    edge = torch.where(crosses, reach, -torch.inf).argmax(dim=1, keepdim=True)
    ends = torch.cat([names.gather(1, edge), names.gather(1, (edge + 1) % 3)], dim=1)
    steeper = aside_run.abs() > along_run.abs() if axis else aside_run.abs() >= along_run.abs()
    own = steeper.gather(1, edge)[:, 0]

    image = line // size
    outline = line * size + pixel if axis == 0 else (image * size + pixel) * size + line % size
    step = sign if axis == 0 else sign * size
    across = torch.full_like(own, axis == 1)
    return outline[own], step[own], across[own], ends[own]


def _near_outline(scene: _Scene, covered: Tensor) -> Tensor:
    """Say which triangles (E * F,) may reach into a gap between a covered pixel (E, size, size) and one that is not."""
    rim = torch.zeros_like(covered)
    for grid, marked in ((covered, rim), (covered.mT, rim.mT)):
        changes = grid[:, :, 1:] != grid[:, :, :-1]
        marked[:, :, 1:] |= changes
        marked[:, :, :-1] |= changes
    # Sums over all pixels above and to the left give the sum over any rectangle from its four corners.
    side = scene.size + 1
    sums = torch.zeros((scene.images, side, side), dtype=torch.int32, device=rim.device)
    sums[:, 1:, 1:] = rim.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32)
    sums = sums.view(-1)
    image = torch.arange(scene.images, device=rim.device) * (side * side)
    offset = image.repeat_interleave(scene.start.shape[1] // scene.images)
    (left, top), (right, bottom) = (scene.start - 1).clamp(min=0), (scene.stop + 1).clamp(max=scene.size)
    upper, lower = offset + top * side, offset + bottom * side
    inside = sums[lower + right] - sums[lower + left] - sums[upper + right] + sums[upper + left]
    return inside > 0


def _gaps(covered: Tensor) -> Tensor:
    """Mark covered pixels (E, lines, size) whose next, and previous, pixel of the line is not covered.

    Returns:
        (2, E * lines * (size + 2)) bool; a pixel is added at both ends of a line, for what lies outside the image.
    """
    images, lines, size = covered.shape
    gaps = covered.new_zeros((2, images, lines, size + 2))
    gaps[0, :, :, 1:size] = covered[:, :, :-1] & ~covered[:, :, 1:]
    gaps[1, :, :, 2 : size + 1] = covered[:, :, 1:] & ~covered[:, :, :-1]
    return gaps.view(2, -1)


def _furthest(scene: _Scene, gaps: Tensor, near: Tensor, axis: int) -> Tensor:
    """Return, packed, reach and triangle of the span that reaches furthest into each gap, (2 * G,), -1 for none."""
    furthest = torch.full(gaps.shape, -1, dtype=torch.int64, device=gaps.device)
    for triangle, line, (one,), (other,) in _spans(scene, near, 1 - axis, (axis,)):
        for side, end in enumerate((torch.maximum(one, other), torch.minimum(one, other))):
            pixel = torch.ceil(end - 0.5) - (1 - side)
            place = line * (scene.size + 2) + (pixel.clamp(-1, scene.size) + 1).long()
            (some,) = torch.nonzero(gaps[side].index_select(0, place), as_tuple=True)
            reach = (end[some] - (pixel[some] + 0.5)).abs()
            furthest[side].scatter_reduce_(0, place[some], _packed(reach, triangle[some]), "amax")
    return furthest.view(-1)


def _spans(
    scene: _Scene, chosen: Tensor, across: int, wanted: tuple[int, ...]
) -> Iterator[tuple[Tensor, Tensor, list[Tensor], list[Tensor]]]:
    """Cut triangles with the lines through the centres of pixels.

    Neighbours compute the same crossing for the edge they share, to the last bit, and an edge belongs to a line that
    its lower end lies on but its upper end does not; so spans leave no holes and do not overlap.

    Args:
        scene: the triangles.
        chosen: (E * F,) bool, which of them to cut.
        across: the coordinate that is constant on a line, 1 for rows of pixels.
        wanted: the coordinates to return.

    Yields:
        For some spans: triangle (N,) int64, line (N,) int64 image * size + row or column, and the wanted coordinates
        (N,) at either end, in no order.
    """
    start, stop = scene.start[across], scene.stop[across]
    (met,) = torch.nonzero(chosen & (start < stop), as_tuple=True)
    start, count = start[met], stop[met] - start[met]
    kept = [across, *wanted]
    low, middle, high = _sorted([corner[kept].index_select(1, met) for corner in scene.corners])
    image = met // (len(chosen) // scene.images)
    for begin, end in _blocks(count):
        cut, number = _spread(count[begin:end])
        cut += begin
        line = start.index_select(0, cut) + number
        centre = line + 0.5
        lows, middles, highs = (corner.index_select(1, cut) for corner in (low, middle, high))
        upper = centre < middles[0]
        starts, ends = torch.where(upper, lows, middles), torch.where(upper, middles, highs)
        long = lows[1:] + (centre - lows[0]) / (highs[0] - lows[0]) * (highs[1:] - lows[1:])
        short = starts[1:] + (centre - starts[0]) / (ends[0] - starts[0]) * (ends[1:] - starts[1:])
        yield met.index_select(0, cut), image.index_select(0, cut) * scene.size + line, list(long), list(short)


def _sorted(points: list[Tensor]) -> list[Tensor]:
    """Sort three points (C, N) each by their first coordinate."""
    a, b, c = points
    a, b = _ordered(a, b)
    b, c = _ordered(b, c)
    a, b = _ordered(a, b)
    return [a, b, c]


def _ordered(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    swap = p[0] > q[0]
    return torch.where(swap, q, p), torch.where(swap, p, q)


def _first_centre(at: Tensor, size: int) -> Tensor:
    """Return the first pixel of a line whose centre is not before `at`, int64 in [0, size]."""
    return torch.ceil(at - 0.5).clamp(0, size).long()


def _blocks(count: Tensor) -> list[tuple[int, int]]:
    """Cut a list of things with `count` parts each into ranges of about `_LARGEST_STEP` parts at most."""
    total = torch.cumsum(count, 0)
    parts = int(total[-1]) if len(total) else 0
    limits = torch.arange(0, parts, _LARGEST_STEP, device=count.device)
    bounds = [*torch.searchsorted(total, limits).tolist(), len(count)]
    return [(begin, end) for begin, end in pairwise(bounds) if begin < end]


def _spread(count: Tensor) -> tuple[Tensor, Tensor]:
    """Return, for each part of things with `count` parts each, which thing it belongs to and its number in it."""
    thing = torch.repeat_interleave(count)
    before = torch.cumsum(count, 0) - count
    return thing, torch.arange(len(thing), device=count.device) - before.index_select(0, thing)


def _packed(value: Tensor, name: Tensor) -> Tensor:
    """Return integers that sort by `value`, rounded to float32, then by `name` >= 0."""
    bits = value.float().view(torch.int32)
    return ((bits ^ ((bits >> 31) & 0x7FFFFFFF)).long() << 32) | name
