"""Images agree with ray casting and closed forms, gradients with differences and derivatives of areas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from meshset.field.marching_cubes import extract_surface
from meshset.field.rasteriser import Cameras, random_cameras, render, visibility
from meshset.geometry import Mesh
from meshset.geometry.queries import SurfaceQueries
from tests.field import shapes

FRONT = Cameras(torch.eye(3, dtype=torch.float64)[None], 1.0)


def tensors(mesh: Mesh, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    return torch.tensor(mesh.vertices, dtype=dtype), torch.tensor(mesh.faces)


def cameras(count: int, extent: float = 1.3, seed: int = 0) -> Cameras:
    return random_cameras(count, np.random.default_rng(seed), extent)


def cast(mesh: Mesh, view: Cameras, size: int, back: float = 0.0) -> np.ndarray:
    """Depth by ray casting, in float32, from `back` before the plane that depth counts from; inf without a hit."""
    at = ((np.arange(size) + 0.5) / size * 2 - 1) * view.extent
    images = []
    for right, down, forward in view.rotation.numpy():
        origins = at[None, :, None] * right + at[:, None, None] * down - (view.extent + back) * forward
        directions = np.broadcast_to(forward, origins.shape)
        images.append(SurfaceQueries(mesh).first_hit(origins.reshape(-1, 3), directions.reshape(-1, 3)))
    return np.stack(images).reshape(-1, size, size) - back


def test_cameras_are_rotations_and_follow_the_seed() -> None:
    rotation = cameras(50).rotation
    assert torch.allclose(rotation @ rotation.mT, torch.eye(3, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(50, dtype=torch.float64))
    assert torch.equal(rotation, cameras(50).rotation)
    assert not torch.equal(rotation, cameras(50, seed=1).rotation)
    assert rotation.mean(dim=0).abs().max() < 0.3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "mesh",
    [
        shapes.box((-0.9, -0.5, -0.6), (0.9, 0.47, 0.6)),
        shapes.sphere(0.8, 16),
        shapes.torus(rows=96, columns=48),
        shapes.joined(shapes.box((-0.2, -0.2, -0.2), (0.2, 0.2, 0.2)), shapes.torus(rows=24, columns=12)),
    ],
)
def test_depth_agrees_with_ray_casting(mesh: Mesh, dtype: torch.dtype) -> None:
    view = cameras(4)
    depth, silhouette = render(*tensors(mesh, dtype), view, 64)
    expected = cast(mesh, view, 64)
    seen = depth.numpy() != 0
    assert (seen != np.isfinite(expected)).sum() <= 2
    both = seen & np.isfinite(expected)
    assert both.mean() > 0.1
    off = np.abs(depth.numpy() - expected)[both]
    # At a fold of the surface, ray casting may take the one triangle and we the other.
    assert np.quantile(off, 0.999) < (1e-4 if dtype == torch.float32 else 1e-6)
    assert (silhouette.numpy()[seen] >= 0.0).all()


def test_depth_of_a_box_and_a_sphere_in_closed_form() -> None:
    depth, silhouette = render(*tensors(shapes.box((-0.5, -0.25, -0.75), (0.5, 0.25, 0.3))), FRONT, 32)
    assert torch.allclose(depth[0, 12:20, 8:24], torch.tensor(0.25, dtype=torch.float64))
    assert int((depth != 0).sum()) == 8 * 16
    assert int((silhouette == 1).sum()) == 8 * 16
    depth, _ = render(*tensors(shapes.sphere(0.8, 64)), FRONT, 32)
    at = (torch.arange(32) + 0.5) / 16 - 1
    square = at[None, :] ** 2 + at[:, None] ** 2
    inner = square < 0.7**2
    assert (depth[0] - (1 - torch.sqrt((0.64 - square).clamp(min=0)))).abs()[inner].max() < 2e-3


def test_rows_run_down_and_columns_right() -> None:
    depth, _ = render(*tensors(shapes.box((0.5, -0.9, -0.1), (0.9, -0.7, 0.1))), FRONT, 20)
    rows, columns = torch.nonzero(depth[0], as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (1, 2, 15, 18)


def test_a_tessellated_plane_has_no_holes() -> None:
    side = 60
    lattice = np.stack(np.meshgrid(np.linspace(-2, 2, side), np.linspace(-2, 2, side)), -1).reshape(-1, 2)
    lattice += np.random.default_rng(0).uniform(-0.02, 0.02, lattice.shape)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    faces = np.concatenate([corner[:, None] + [0, 1, side + 1], corner[:, None] + [0, side, side + 1]])
    plane = Mesh(np.pad(lattice, ((0, 0), (0, 1))), faces.astype(np.int32))
    depth, silhouette = render(*tensors(plane, torch.float32), FRONT, 128)
    assert torch.allclose(depth, torch.ones(()))
    assert torch.equal(silhouette, torch.ones(1, 128, 128))


@pytest.mark.parametrize("shift", [0.0, 0.003, 0.02, 0.029])
def test_coverage_of_a_square_is_exact(shift: float) -> None:
    square = shapes.box((-0.5 + shift, -0.4, -0.5), (0.5 + shift, 0.4, 0.5))
    _, silhouette = render(*tensors(square), FRONT, 40)
    middle = silhouette[0, 20]
    assert float(middle.sum()) / 20 == pytest.approx(1.0, abs=1e-9)
    left = (0.5 + shift) * 20
    assert float(middle[int(left)]) == pytest.approx(1 - left % 1, abs=1e-9)


def area(vertices: Tensor, faces: Tensor, view: Cameras, size: int) -> Tensor:
    return render(vertices, faces, view, size)[1].sum(dim=(1, 2)) / view.pixels(size) ** 2


def marched_sphere(resolution: int, radius: float) -> tuple[Tensor, Tensor]:
    axis = torch.arange(resolution)
    coords = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).view(-1, 3)
    points = -1 + 2 / (resolution - 1) * coords.double()
    return extract_surface(coords, torch.linalg.vector_norm(points, dim=1) - radius, resolution)


@pytest.mark.parametrize("size", [32, 96])
@pytest.mark.parametrize(
    ("surface", "tolerance"),
    [
        (tensors(shapes.sphere(0.8, 12)), 0.05),
        (tensors(shapes.sphere(0.8, 100)), 0.01),
        (marched_sphere(64, 0.8), 0.02),
    ],
)
def test_area_of_a_sphere_and_its_derivative(surface: tuple[Tensor, Tensor], tolerance: float, size: int) -> None:
    vertices, faces = surface
    vertices = vertices.clone().requires_grad_()
    covered = area(vertices, faces, cameras(4), size)
    assert covered.detach().numpy() == pytest.approx(math.pi * 0.64, rel=tolerance)
    (slope,) = torch.autograd.grad(covered.mean(), vertices)
    growth = float((slope * vertices).sum().detach()) / 0.8
    assert growth == pytest.approx(2 * math.pi * 0.8, rel=tolerance)
    assert slope.sum(dim=0).abs().max() < 0.02 * growth


def test_area_of_an_ellipse_follows_each_axis() -> None:
    vertices, faces = tensors(shapes.sphere(1.0, 64))
    axes = torch.tensor([0.8, 0.5, 0.3], dtype=torch.float64, requires_grad=True)
    covered = area(vertices * axes, faces, FRONT, 64)
    (slope,) = torch.autograd.grad(covered.sum(), axes)
    assert slope.numpy() == pytest.approx([math.pi * 0.5, math.pi * 0.8, 0.0], rel=0.02)


def test_gradients_agree_with_differences_for_large_triangles() -> None:
    mesh = shapes.box((-0.5, -0.4, -0.6), (0.52, 0.41, 0.63))
    vertices, faces = tensors(mesh)
    weights = torch.from_numpy(np.random.default_rng(1).standard_normal((2, 2, 17, 17)))

    def total(vertices: Tensor) -> Tensor:
        depth, silhouette = render(vertices, faces, cameras(2), 17)
        return torch.stack([(weights[0] * depth).sum(), (weights[1] * silhouette).sum()])

    assert torch.autograd.gradcheck(total, vertices.requires_grad_(), eps=1e-7, atol=1e-4, rtol=1e-4)


def test_depth_gradients_agree_with_differences_for_small_triangles() -> None:
    vertices, faces = tensors(shapes.torus(rows=64, columns=32))
    vertices.requires_grad_()
    direction = torch.from_numpy(np.random.default_rng(2).standard_normal(vertices.shape))

    def total(vertices: Tensor) -> Tensor:
        return render(vertices, faces, cameras(2), 40)[0].sum()

    (slope,) = torch.autograd.grad(total(vertices), vertices)
    with torch.no_grad():
        step = 1e-8
        change = (total(vertices + step * direction) - total(vertices - step * direction)) / (2 * step)
    assert float((slope * direction).sum()) == pytest.approx(float(change), rel=1e-3)


def test_triangles_seen_from_the_side_have_bounded_gradients() -> None:
    x = 32.5 / 32 - 1
    wall = torch.tensor([[x - 1e-6, -0.8, -0.5], [x + 1e-6, -0.8, 0.5], [x, 0.8, 0.0]], dtype=torch.float64)
    depth, _ = render(wall.requires_grad_(), torch.tensor([[0, 1, 2], [0, 0, 1]]), FRONT, 64)
    seen = int((depth != 0).sum())
    assert seen > 20
    (slope,) = torch.autograd.grad(depth.sum(), wall)
    assert 1 < slope.abs().max() <= seen / 0.02


def test_huge_triangles_are_exact_and_drawn_in_bounded_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    faces = torch.arange(180).view(-1, 3)
    vertices = torch.from_numpy(rng.uniform(-50, 50, (180, 3)))
    whole = render(vertices, faces, cameras(2), 48)
    expected = cast(Mesh(vertices.numpy(), faces.numpy().astype(np.int32)), cameras(2), 48, back=100.0)
    taken = []
    spread = visibility._spread

    def counted(count: Tensor) -> tuple[Tensor, Tensor]:
        taken.append(int(count.sum()))
        return spread(count)

    monkeypatch.setattr(visibility, "_spread", counted)
    monkeypatch.setattr(visibility, "_LARGEST_STEP", 500)
    stepped = render(vertices, faces, cameras(2), 48)
    assert sum(taken) > 50_000
    assert max(taken) <= 500 + 48
    assert all(torch.equal(a, b) for a, b in zip(whole, stepped, strict=True))
    seen = whole[0].numpy() != 0
    assert seen.mean() > 0.5
    assert np.array_equal(seen, np.isfinite(expected))
    assert np.abs(whole[0].numpy() - expected)[seen].max() < 1e-4


@pytest.mark.parametrize("faces", [torch.tensor([[0, 1, 2]]), torch.zeros((0, 3), dtype=torch.int64)])
def test_nothing_in_view(faces: Tensor) -> None:
    vertices = (torch.eye(3) + torch.tensor([5.0, 0.0, 0.0])).requires_grad_()
    depth, silhouette = render(vertices, faces, FRONT, 8)
    assert torch.equal(depth, torch.zeros(1, 8, 8))
    assert torch.equal(silhouette, torch.zeros(1, 8, 8))
    (slope,) = torch.autograd.grad(depth.sum() + silhouette.sum(), vertices)
    assert torch.equal(slope, torch.zeros(3, 3))


def test_too_many_triangles_are_refused() -> None:
    faces = torch.zeros((1, 3), dtype=torch.int64).expand(1 << 20, 3)
    crowd = Cameras(torch.eye(3).expand(1 << 12, 3, 3), 1.0)
    with pytest.raises(ValueError, match="too many"):
        render(torch.zeros(1, 3), faces, crowd, 8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_agrees() -> None:
    vertices, faces = tensors(shapes.torus(rows=64, columns=32))
    slopes, images = [], []
    for device in ("cpu", "cuda"):
        at = vertices.to(device).requires_grad_()
        view = cameras(4)
        depth, silhouette = render(at, faces.to(device), Cameras(view.rotation.to(device), view.extent), 64)
        slopes.append(torch.autograd.grad(depth.sum() + silhouette.sum(), at)[0].cpu())
        images.append(torch.stack([depth, silhouette]).detach().cpu())
    assert float(((images[0] - images[1]).abs() > 1e-9).double().mean()) < 1e-3
    assert torch.linalg.vector_norm(slopes[0] - slopes[1]) < 1e-2 * torch.linalg.vector_norm(slopes[0])
