"""Fitting a TSDF-Def to a mesh: one loop for both objectives (NeCGS Eq. 1, Algorithm 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from meshset.field.band import Field
from meshset.field.cells import unfold_cells
from meshset.field.grid import RowLookup
from meshset.field.marching_cubes import grid_points, place_vertices, surface_topology
from meshset.field.projection import ProjectObjective
from meshset.field.rendering import RenderObjective
from meshset.geometry.mesh import Mesh
from meshset.vocabulary import Objective as ObjectiveName


class Objective(Protocol):
    """What says how far an extracted surface is from the mesh."""

    def prepare(self, vertices: Tensor, faces: Tensor, number: int) -> Callable[[Tensor], Tensor]:
        """Look at the surface of round `number`, and return the loss as a function of its vertices (V, 3)."""
        ...

    def sparsity(self, deformation: Tensor, vertices: int) -> Tensor:
        """Return the L1 term of NeCGS Eq. 1, weighted, for a deformation (N, 3) and a surface of so many vertices."""
        ...


@dataclass(frozen=True)
class Schedule:
    """How the optimiser runs.

    Attributes:
        rounds: how often, at most, topology and objective are refreshed.
        steps: steps of Adam in a round.
        rate: learning rate, given the share of all steps that is done.
        settled: share of the rounds after which deformations near 0 are fixed at 0 and the others are no longer
            pulled there; 1 for never.
        enough: loss at the start of a round below which there is nothing left to gain.
        gain: share of the loss that a round of the second half must gain for another one to follow; None to run all.
        changes_sides: whether grid points may pass from inside to outside, which changes the topology.
    """

    rounds: int
    steps: int
    rate: Callable[[float], float]
    settled: float = 1.0
    enough: float = 0.0
    gain: float | None = None
    changes_sides: bool = True


PROJECT = Schedule(
    rounds=12,
    steps=8,
    rate=lambda done: 0.05 * (1.0 - done),
    settled=0.5,
    enough=5e-5,
    gain=0.01,
    changes_sides=False,
)
"""Ours: 12 rounds, or fewer once a round gains less than 1 % or the distances are about 1 % of a voxel."""

RENDER = Schedule(rounds=500, steps=1, rate=lambda done: 0.01 * 10.0 ** (-2.0 * done))
"""The paper's: 500 iterations, each with its own topology, at a rate of 0.01 that the released code decays by
10^(-0.004 it)."""

_OBJECTIVES: dict[ObjectiveName, Callable[[Mesh, int, str], Objective]] = {
    "project": ProjectObjective,
    "render": RenderObjective,
}
_SCHEDULES: dict[ObjectiveName, Schedule] = {"project": PROJECT, "render": RENDER}

_UNFOLD_EVERY = 8
"""Steps between two looks for cells that are turned over."""

_LEAST = 1e-3
"""Magnitude that a value keeps on a side that it may not leave."""

_NEAR_ZERO = 1.0 / 32.0
"""Deformations below this, in half voxels, have been pulled to 0 by the L1 term, up to the noise of the steps."""


def fit_deformation(
    mesh: Mesh, field: Field, objective: ObjectiveName = "project", *, sparse: bool = True, device: str = "cpu"
) -> Field:
    """Fit values and deformations of a field so that its surface meets the mesh.

    Both start at the sampled TSDF without deformation and are clamped to [-1, 1] after each step.

    Args:
        mesh: the normalised mesh that `field` was sampled from.
        field: its TSDF.
        objective: "project", distances between the two surfaces (ours); or "render", silhouettes and depth images
            (the paper's, supplement Eq. 5 to 7).
        sparse: whether the L1 norm of the deformation counts (NeCGS Eq. 1).
        device: torch device of the optimisation; closest points are found on the CPU in any case.
    """
    schedule = _SCHEDULES[objective]
    measured: Objective = _OBJECTIVES[objective](mesh, field.resolution, device)
    coords = torch.from_numpy(field.coords.astype(np.int64)).to(device)
    tsdf = torch.from_numpy(field.tsdf.copy()).to(device).requires_grad_()
    deformation = torch.zeros(len(coords), 3, device=device, requires_grad=True)
    _optimise(coords, tsdf, deformation, field.resolution, measured, schedule, sparse)
    return replace(field, tsdf=tsdf.detach().cpu().numpy(), deformation=deformation.detach().cpu().numpy())


def _optimise(
    coords: Tensor,
    tsdf: Tensor,
    deformation: Tensor,
    resolution: int,
    objective: Objective,
    schedule: Schedule,
    sparse: bool,
) -> None:
    """Run Adam on `tsdf` (N,) and `deformation` (N, 3), in place."""
    optimiser = torch.optim.Adam([tsdf, deformation])
    lowest, highest = _bounds(coords, tsdf.detach(), resolution, schedule.changes_sides)
    free: Tensor | None = None
    before = float("inf")
    for number in range(schedule.rounds):
        topology = surface_topology(coords, tsdf.detach(), resolution)
        with torch.no_grad():
            extracted = place_vertices(topology, grid_points(coords, resolution, tsdf, deformation), tsdf)
        loss_of = objective.prepare(extracted, topology.faces, number)
        if schedule.gain is not None:
            now = float(loss_of(extracted))
            late = number > schedule.rounds / 2
            if now < schedule.enough or (late and now > (1.0 - schedule.gain) * before):
                break
            before = now
        if sparse and free is None and number >= schedule.settled * schedule.rounds:
            free = deformation.detach().abs() > _NEAR_ZERO
        for step in range(schedule.steps):
            done = (number + step / schedule.steps) / schedule.rounds
            optimiser.param_groups[0]["lr"] = schedule.rate(done)
            optimiser.zero_grad(set_to_none=True)
            vertices = place_vertices(topology, grid_points(coords, resolution, tsdf, deformation), tsdf)
            loss = loss_of(vertices)
            if sparse and free is None:
                loss = loss + objective.sparsity(deformation, len(vertices))
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            with torch.no_grad():
                tsdf.clamp_(lowest, highest)
                deformation.clamp_(-1.0, 1.0)
                if free is not None:
                    deformation.mul_(free)
        if (number + 1) * schedule.steps % _UNFOLD_EVERY == 0:
            unfold_cells(coords, tsdf, deformation, resolution)
    with torch.no_grad():
        if sparse:
            deformation.mul_(deformation.abs() > _NEAR_ZERO)
        unfold_cells(coords, tsdf, deformation, resolution)


def _bounds(coords: Tensor, tsdf: Tensor, resolution: int, changes_sides: bool) -> tuple[Tensor, Tensor]:
    """Return the least and the largest value that each grid point may take, (N,) each.

    At the rim of the band, where a neighbour is missing, points keep their side in any case: a surface there would be
    cut open.
    """
    lookup = RowLookup(coords, resolution)
    fixed = torch.full((len(coords),), not changes_sides, device=coords.device)
    for x, y, z in product((-1, 0, 1), repeat=3):
        fixed |= lookup.at(lookup.keys + lookup.stride((x, y, z))) < 0
    lowest = torch.where(fixed & (tsdf >= 0), _LEAST, -1.0)
    highest = torch.where(fixed & (tsdf < 0), -_LEAST, 1.0)
    return lowest, highest
