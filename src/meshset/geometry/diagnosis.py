"""What is wrong with a mesh: holes, edges of three faces, turned faces, parts, slivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MissingExtraError
from meshset.geometry.mesh import Mesh


@dataclass(frozen=True)
class Diagnosis:
    """Counts and properties of one mesh, as its index lists say: coincident vertices are not merged.

    Attributes:
        vertices: vertices, used or not.
        faces: faces.
        watertight: there is a face, and every edge has exactly two.
        winding_consistent: the two faces of every edge with two faces run along it in opposite directions.
        boundary_edges: edges of one face.
        nonmanifold_edges: edges of three or more faces.
        components: sets of faces that hang together by shared vertices; unused vertices do not count.
        degenerate_faces: faces of zero area.
        duplicate_faces: faces beyond the first with the same three vertices, in any order.
        inside_out: watertight, consistent, and of negative signed volume.
    """

    vertices: int
    faces: int
    watertight: bool
    winding_consistent: bool
    boundary_edges: int
    nonmanifold_edges: int
    components: int
    degenerate_faces: int
    duplicate_faces: int
    inside_out: bool

    def defects(self) -> tuple[str, ...]:
        """Return one short line per defect, none for a clean mesh; several components are no defect."""
        found = (
            (not self.faces, "no faces"),
            (self.inside_out, "inside out: the faces look inward"),
            (not self.winding_consistent, "neighbouring faces disagree which side is outside"),
            (self.boundary_edges, f"holes: {self.boundary_edges} edges of only one face"),
            (self.nonmanifold_edges, f"no manifold: {self.nonmanifold_edges} edges of three or more faces"),
            (self.duplicate_faces, f"{self.duplicate_faces} faces that repeat another"),
            (self.degenerate_faces, f"{self.degenerate_faces} faces without area"),
        )
        return tuple(line for present, line in found if present)


def diagnose(mesh: Mesh) -> Diagnosis:
    """Count the defects of `mesh`.

    Args:
        mesh: any mesh with valid indices, even one without faces.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    faces = np.asarray(mesh.faces, dtype=np.int64).reshape(-1, 3)
    counts, runs = _edges(faces)
    watertight = bool(len(faces)) and bool((counts == 2).all())
    consistent = not bool(runs[counts == 2].any())
    return Diagnosis(
        vertices=len(mesh.vertices),
        faces=len(faces),
        watertight=watertight,
        winding_consistent=consistent,
        boundary_edges=int((counts == 1).sum()),
        nonmanifold_edges=int((counts > 2).sum()),
        components=_component_count(faces, len(mesh.vertices)),
        degenerate_faces=int((_doubled_areas(mesh) == 0).sum()),
        duplicate_faces=len(faces) - len(np.unique(np.sort(faces, axis=1), axis=0)),
        inside_out=watertight and consistent and signed_volume(mesh) < 0,
    )


def signed_volume(mesh: Mesh) -> float:
    """Return the volume that `mesh` encloses, in cubed units of the mesh; negative where it is inside out.

    The sum of signed tetrahedra from the centre of the bounding box, so that a mesh far from the origin
    loses no digits. For a mesh with holes the value depends on that centre.
    """
    if not len(mesh.faces):
        return 0.0
    lower, upper = mesh.bounds
    corners = mesh.triangles - (lower + (upper - lower) / 2)
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)


def turned(mesh: Mesh) -> Mesh:
    """Return `mesh` with every face looking the other way; the vertices are shared, not copied."""
    return Mesh(mesh.vertices, np.ascontiguousarray(mesh.faces[:, ::-1]))


def _edges(faces: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for every edge of `faces` (F, 3) how many faces use it, and the sum of their directions (1, -1).

    A side that joins a vertex to itself counts as an edge.
    """
    sides = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    upward = np.where(sides[:, 0] < sides[:, 1], 1, -1)
    low, high = sides.min(axis=1), sides.max(axis=1)
    keys = low * (int(faces.max(initial=0)) + 1) + high
    _, edge, counts = np.unique(keys, return_inverse=True, return_counts=True)
    runs = np.bincount(edge, weights=upward, minlength=len(counts)).astype(np.int64)
    return counts.astype(np.int64), runs


def _component_count(faces: NDArray[np.int64], vertex_count: int) -> int:
    """Return how many sets of `faces` (F, 3) hang together by shared vertices."""
    try:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components
    except ImportError as error:
        raise MissingExtraError("mesh diagnosis", "compress") from error
    starts, ends = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    links = coo_array((np.ones(len(starts), dtype=np.int8), (starts, ends)), shape=(vertex_count, vertex_count))
    _, labels = connected_components(links, directed=False)
    return len(np.unique(labels[faces.ravel()]))


def _doubled_areas(mesh: Mesh) -> NDArray[np.float64]:
    triangles = mesh.triangles.reshape(-1, 3, 3)
    crosses = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return np.asarray(np.linalg.norm(crosses, axis=1), dtype=np.float64)
