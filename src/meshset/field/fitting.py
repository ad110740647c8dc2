"""Fitting a TSDF-Def to a mesh (NeCGS Eq. 1, Algorithm 1), with distances to the surface in place of renderings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from meshset.field.band import Field
from meshset.field.grid import spacing
from meshset.field.marching_cubes import Topology, grid_points, place_vertices, surface_topology
from meshset.geometry.mesh import Mesh
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import sample_surface

ROUNDS = 12
STEPS = 8
PEAK_RATE = 0.05
SPARSITY = 0.02
"""Weight of the L1 norm of the deformation (lambda_Reg), against squared distances in half voxels."""
ALONG_NORMAL = 0.9
"""Share of the component along the normal in a squared distance; the rest holds samples in place."""


@dataclass(frozen=True)
class _Pairs:
    """Points of the extracted surface and the points of the mesh that they should meet.

    Attributes:
        corners: (S, 3) vertices of the triangle that each point lies in.
        weights: (S, 3) its barycentric coordinates.
        goal: (S, 3) points on the mesh.
        normal: (S, 3) unit normals of the mesh there.
    """

    corners: Tensor
    weights: Tensor
    goal: Tensor
    normal: Tensor


def fit_deformation(
    mesh: Mesh, field: Field, samples: int = 60_000, sparsity: float = SPARSITY, seed: int = 0
) -> Field:
    """Fit values and deformations of a field so that its surface meets the mesh, from both sides.

    Distances run from samples of the extracted surface to the mesh and from samples of the mesh to the extracted
    surface, mostly along the normal; topology and pairs are refreshed every 8 steps, 12 times. Values stay on their
    side of 0 within a round.

    Args:
        mesh: the normalised mesh that `field` was sampled from.
        field: its TSDF.
        samples: points on each of the two surfaces.
        sparsity: weight of the L1 norm of the deformation.
        seed: start of the random samples.
    """
    h = spacing(field.resolution)
    queries, normals = SurfaceQueries(mesh), _face_normals(mesh)
    coords = torch.from_numpy(field.coords.astype(np.int64))
    tsdf = torch.from_numpy(field.tsdf.copy()).requires_grad_()
    deformation = torch.zeros(len(coords), 3, requires_grad=True)
    optimiser = torch.optim.Adam([tsdf, deformation], lr=PEAK_RATE)
    for number in range(ROUNDS):
        topology = surface_topology(coords, tsdf.detach(), field.resolution)
        with torch.no_grad():
            extracted = place_vertices(topology, grid_points(coords, field.resolution, tsdf, deformation), tsdf)
        pairs = _pairs(mesh, normals, queries, extracted, topology, samples, seed + number)
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = PEAK_RATE * (1.0 - (number * STEPS + step) / (ROUNDS * STEPS))
            optimiser.zero_grad(set_to_none=True)
            vertices = place_vertices(topology, grid_points(coords, field.resolution, tsdf, deformation), tsdf)
            loss = _distance(vertices, pairs, h / 2) + sparsity * deformation.abs().sum() / len(vertices)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            with torch.no_grad():
                deformation.clamp_(-1.0, 1.0)
                tsdf.clamp_(-1.0, 1.0)
    return replace(field, tsdf=tsdf.detach().numpy(), deformation=deformation.detach().numpy())


def _pairs(
    mesh: Mesh,
    mesh_normals: NDArray[np.float64],
    queries: SurfaceQueries,
    extracted: Tensor,
    topology: Topology,
    samples: int,
    seed: int,
) -> _Pairs:
    """Pair samples of either surface with the closest points of the other one."""
    surface = Mesh(extracted.numpy().astype(np.float64), topology.faces.numpy())
    outward = sample_surface(surface, samples, seed)
    _, nearest_face, goal = queries.closest(outward.points)
    inward = sample_surface(mesh, samples, seed)
    _, face, foot = SurfaceQueries(surface).closest(inward.points)
    faces = np.concatenate([outward.faces, face])
    points = np.concatenate([outward.points, foot])
    normals = np.concatenate([mesh_normals[nearest_face], inward.normals])
    return _Pairs(
        torch.from_numpy(surface.faces[faces].astype(np.int64)),
        torch.from_numpy(_barycentric(surface.triangles[faces], points).astype(np.float32)),
        torch.from_numpy(np.concatenate([goal, inward.points]).astype(np.float32)),
        torch.from_numpy(normals.astype(np.float32)),
    )


def _distance(vertices: Tensor, pairs: _Pairs, unit: float) -> Tensor:
    """Return the mean Huber loss of the distances of the pairs, in units of `unit`."""
    corners = vertices.index_select(0, pairs.corners.view(-1)).view(-1, 3, 3)
    points = (pairs.weights[:, :, None] * corners).sum(dim=1)
    apart = (points - pairs.goal) / unit
    along = (apart * pairs.normal).sum(dim=1)
    squared = ALONG_NORMAL * along.square() + (1.0 - ALONG_NORMAL) * apart.square().sum(dim=1)
    return (torch.sqrt(1.0 + squared) - 1.0).mean()


def _face_normals(mesh: Mesh) -> NDArray[np.float64]:
    triangles = mesh.triangles
    normals: NDArray[np.float64] = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    return normals


def _barycentric(triangles: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coordinates (S, 3) of points in their triangles (S, 3, 3)."""
    a, b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    p = points - triangles[:, 0]
    aa, ab, bb = (a * a).sum(1), (a * b).sum(1), (b * b).sum(1)
    pa, pb = (p * a).sum(1), (p * b).sum(1)
    area = np.maximum(aa * bb - ab * ab, 1e-30)
    second, third = (bb * pa - ab * pb) / area, (aa * pb - ab * pa) / area
    coordinates: NDArray[np.float64] = np.clip(np.stack([1.0 - second - third, second, third], axis=1), 0.0, 1.0)
    coordinates /= coordinates.sum(axis=1, keepdims=True)
    return coordinates
