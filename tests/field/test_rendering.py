"""The error between renderings is least for equal meshes and its gradient leads there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from meshset.field.rendering import RenderObjective
from meshset.geometry import Mesh
from tests.field import shapes

TARGET = shapes.sphere(0.8, 48)


def tensors(mesh: Mesh) -> tuple[Tensor, Tensor]:
    return torch.tensor(mesh.vertices, dtype=torch.float32), torch.tensor(mesh.faces)


@pytest.fixture(scope="module")
def objective() -> RenderObjective:
    return RenderObjective(TARGET, 32)


def error(objective: RenderObjective, vertices: Tensor, faces: Tensor, number: int = 0) -> Tensor:
    return objective.prepare(vertices.detach(), faces, number)(vertices)


def test_equal_meshes_have_no_error(objective: RenderObjective) -> None:
    vertices, faces = tensors(TARGET)
    assert float(error(objective, vertices, faces)) < 1e-5
    finer = tensors(shapes.sphere(0.8, 80))
    assert float(error(objective, *finer)) < 0.01


def test_error_is_the_mean_of_silhouette_and_depth_differences(objective: RenderObjective) -> None:
    vertices, faces = tensors(TARGET)
    side = 2 * 1.05 * 0.8
    # A smaller sphere: the silhouettes differ by a ring, and depth by what closed forms give inside the smaller one.
    small = error(objective, 0.75 * vertices, faces)
    radius, ring = 0.6, torch.pi * (0.64 - 0.36)
    volume = 2 / 3 * torch.pi * (0.8**3 - (0.64 - radius**2) ** 1.5) - 2 / 3 * torch.pi * radius**3
    assert float(small) == pytest.approx((ring + 10 * volume) / side**2, rel=0.02)


def test_what_is_not_there_counts_as_silhouette_only(objective: RenderObjective) -> None:
    nothing = torch.full((3, 3), 9.0)
    covered = torch.pi * 0.64 / (2 * 1.05 * 0.8) ** 2
    assert float(error(objective, nothing, torch.tensor([[0, 1, 2]]))) == pytest.approx(covered, rel=0.02)


def test_poses_follow_the_number(objective: RenderObjective) -> None:
    vertices, faces = tensors(shapes.box((-0.5, -0.4, -0.6), (0.3, 0.41, 0.63)))
    errors = [float(error(objective, vertices, faces, number)) for number in range(20)]
    assert len(set(errors)) == 20
    assert errors[3] == float(error(RenderObjective(TARGET, 32), vertices, faces, 3))


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.1), (0.85, 0.0), (1.04, -0.05)])
def test_steps_against_the_gradient_reach_the_target(objective: RenderObjective, scale: float, shift: float) -> None:
    vertices, faces = tensors(TARGET)
    moves = torch.tensor([shift, 0.0, 0.0]).requires_grad_()
    size = torch.tensor(scale).requires_grad_()
    optimiser = torch.optim.Adam([moves, size], lr=0.01)
    for number in range(40):
        optimiser.zero_grad()
        loss = error(objective, vertices * size + moves, faces, number)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert float(size.detach()) == pytest.approx(1.0, abs=0.02)
    assert float(moves.detach().abs().max()) < 0.02


def test_single_vertices_move_towards_the_target(objective: RenderObjective) -> None:
    vertices, faces = tensors(shapes.sphere(0.76, 32))
    vertices.requires_grad_()
    optimiser = torch.optim.Adam([vertices], lr=0.004)
    losses = []
    for number in range(32):
        optimiser.zero_grad()
        loss = error(objective, vertices, faces, number)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(float(loss.detach()))
        optimiser.step()
    assert losses[-1] < 0.4 * losses[0]
    before, after = 0.04, (torch.linalg.vector_norm(vertices.detach(), dim=1) - 0.8).abs().mean()
    assert float(after) < 0.5 * before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_agrees(objective: RenderObjective) -> None:
    vertices, faces = tensors(shapes.torus(rows=64, columns=32))
    there = RenderObjective(TARGET, 32, "cuda")
    here = float(error(objective, vertices, faces))
    assert float(error(there, vertices.cuda(), faces.cuda())) == pytest.approx(here, rel=1e-4)
