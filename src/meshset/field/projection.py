"""Distances between an extracted surface and a mesh, both ways: the `project` objective of the fitting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from meshset.field.buried import outer_surface
from meshset.field.grid import spacing
from meshset.geometry.mesh import Mesh
from meshset.geometry.orientation import face_outward
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import SharpEdges, SurfaceSamples, face_normals, sample_surface

DENSITIES = (3.0, 1.25)
"""Samples on each surface for each vertex of the extracted one, if these are few, and if they are many."""
MANY_SAMPLES = 50_000
EDGE_SHARE = 0.25
"""Samples along sharp edges of the mesh for each sample of its faces."""
ALONG_NORMAL = 0.9
"""Share of the component along the normal in a squared distance; the rest holds samples in place."""
FLATNESS = 0.05
"""Weight of the tilt: how far the sides of the triangle around a sample leave the plane across the mesh's normal."""
_ON_SURFACE = 0.1
"""Distance from the outer surface, in half voxels, from which on a point of an edge is buried."""
SPARSITY = 0.01
"""Weight of the L1 norm of the deformation (lambda_Reg of NeCGS Eq. 1) beside distances in half voxels."""


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

    def loss(self, vertices: Tensor, unit: float) -> Tensor:
        """Return the mean pseudo-Huber loss of distances and tilts of the pairs, in units of `unit`."""
        corners = vertices.index_select(0, self.corners.view(-1)).view(-1, 3, 3)
        points = (self.weights[:, :, None] * corners).sum(dim=1)
        apart = (points - self.goal) / unit
        along = (apart * self.normal).sum(dim=1)
        squared = ALONG_NORMAL * along.square() + (1.0 - ALONG_NORMAL) * apart.square().sum(dim=1)
        sides = ((corners - corners.roll(1, dims=1)) * self.normal[:, None]).sum(dim=2) / unit
        tilt = FLATNESS * sides.square().sum(dim=1)
        return (torch.sqrt(1.0 + squared) - 1.0).mean() + (torch.sqrt(1.0 + tilt) - 1.0).mean()


class ProjectObjective:
    """Mean distance, mostly along the normal, and tilt, from either surface to the other one, in half voxels.

    Samples of the extracted surface are pulled to the mesh; samples of the mesh, more of them along its sharp edges,
    pull the extracted surface to them, which is what moves edges and thin walls into place. Buried surface pulls
    nothing.

    Args:
        mesh: the normalised mesh.
        resolution: K, which sets the unit.
        device: torch device that surfaces come from; closest points are found on the CPU.
    """

    def __init__(self, mesh: Mesh, resolution: int, device: torch.device | str = "cpu") -> None:
        solid = SurfaceQueries(face_outward(mesh)[0])
        self._outer = outer_surface(mesh, solid, resolution)
        self._has_buried = self._outer is not mesh
        self._device = device
        self._unit = spacing(resolution) / 2
        self._queries = SurfaceQueries(self._outer)
        self._normals = face_normals(self._outer)
        self._edges = SharpEdges(mesh, face_normals(mesh))

    def prepare(self, vertices: Tensor, faces: Tensor, number: int) -> Callable[[Tensor], Tensor]:
        """Draw samples, seeded by `number`, and pair them with closest points; return the loss of vertices (V, 3)."""
        surface = Mesh(vertices.cpu().numpy().astype(np.float64), faces.cpu().numpy())
        pairs = self._pairs(surface, number)
        return lambda moved: pairs.loss(moved, self._unit)

    def sparsity(self, deformation: Tensor, vertices: int) -> Tensor:
        """Return the weighted L1 norm of a deformation (N, 3) in half voxels, per vertex of the surface."""
        return SPARSITY * deformation.abs().sum() / vertices

    def _pairs(self, surface: Mesh, seed: int) -> _Pairs:
        most, least = (int(density * len(surface.vertices)) for density in DENSITIES)
        count = max(min(most, MANY_SAMPLES), least)
        outward = sample_surface(surface, count, seed)
        _, nearest_face, goal = self._queries.closest(outward.points)
        inward = self._samples_of_mesh(count, seed)
        _, face, foot = SurfaceQueries(surface).closest(inward.points)
        faces = np.concatenate([outward.faces, face])
        points = np.concatenate([outward.points, foot])
        weights = _barycentric(surface.triangles[faces], points)
        floats = (
            weights,
            np.concatenate([goal, inward.points]),
            np.concatenate([self._normals[nearest_face], inward.normals]),
        )
        return _Pairs(
            torch.from_numpy(surface.faces[faces].astype(np.int64)).to(self._device),
            *(torch.from_numpy(array.astype(np.float32)).to(self._device) for array in floats),
        )

    def _samples_of_mesh(self, count: int, seed: int) -> SurfaceSamples:
        on_faces = sample_surface(self._outer, count, seed)
        on_edges = self._samples_of_edges(int(EDGE_SHARE * count), seed)
        return SurfaceSamples(
            np.concatenate([on_faces.points, on_edges.points]),
            np.concatenate([on_faces.faces, on_edges.faces]),
            np.concatenate([on_faces.normals, on_edges.normals]),
        )

    def _samples_of_edges(self, count: int, seed: int) -> SurfaceSamples:
        """Draw points on sharp edges, leaving out those that are buried."""
        drawn = self._edges.sample(count, seed)
        if not self._has_buried:
            return drawn
        kept = self._queries.closest(drawn.points)[0] < _ON_SURFACE * self._unit
        return SurfaceSamples(drawn.points[kept], drawn.faces[kept], drawn.normals[kept])


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
