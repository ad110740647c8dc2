"""What is wrong with a mesh: holes, edges of three faces, turned faces, parts, slivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meshset.errors import MissingExtraError
from meshset.geometry._edges import Edges
from meshset.geometry._soup import counted
from meshset.geometry.mesh import Mesh
from meshset.geometry.orientation import wrong_parts


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
        inside_out: watertight, consistent, and every part of it faces the wrong way.
        inside_out_parts: closed parts that face the wrong way (see `meshset.geometry.orientation`); cavities do not.
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
    inside_out_parts: int

    def defects(self) -> tuple[str, ...]:
        """Return one short line per defect, none for a clean mesh; several components are no defect."""
        found = (
            (not self.faces, "no faces"),
            (self.inside_out, "inside out: the faces look inward"),
            (
                self.inside_out_parts and not self.inside_out,
                f"{counted(self.inside_out_parts, 'part')} inside out: closed, but facing inward",
            ),
            (not self.winding_consistent, "neighbouring faces disagree which side is outside"),
            (self.boundary_edges, f"holes: {counted(self.boundary_edges, 'edge')} of only one face"),
            (self.nonmanifold_edges, f"non-manifold: {counted(self.nonmanifold_edges, 'edge')} of three or more faces"),
            (self.duplicate_faces, counted(self.duplicate_faces, "duplicate face")),
            (self.degenerate_faces, f"{counted(self.degenerate_faces, 'face')} without area"),
        )
        return tuple(line for present, line in found if present)


def diagnose(mesh: Mesh) -> Diagnosis:
    """Count the defects of `mesh`.

    Args:
        mesh: any mesh with valid indices, even one without faces.

    Raises:
        MissingExtraError: scipy is not installed; libigl is not, and a part may be inside out.
    """
    faces = np.asarray(mesh.faces, dtype=np.int64).reshape(-1, 3)
    edges = Edges.of(faces)
    watertight = bool(len(faces)) and bool((edges.faces == 2).all())
    consistent = not bool(edges.runs[edges.faces == 2].any())
    _, wrong = wrong_parts(mesh, edges)
    return Diagnosis(
        vertices=len(mesh.vertices),
        faces=len(faces),
        watertight=watertight,
        winding_consistent=consistent,
        boundary_edges=int((edges.faces == 1).sum()),
        nonmanifold_edges=int((edges.faces > 2).sum()),
        components=face_components(mesh)[1],
        degenerate_faces=int((_doubled_areas(mesh) == 0).sum()),
        duplicate_faces=len(faces) - len(np.unique(np.sort(faces, axis=1), axis=0)),
        inside_out=watertight and consistent and bool(wrong.all()),
        inside_out_parts=int(wrong.sum()),
    )


def boundary_edge_count(mesh: Mesh) -> int:
    """Return how many edges of `mesh` have only one face, without the rest of a diagnosis."""
    return int((Edges.of(mesh.faces).faces == 1).sum())


def face_components(mesh: Mesh) -> tuple[NDArray[np.int64], int]:
    """Return the component of each face, (F,) from 0 on, and how many there are; shared vertices join faces.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    try:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components
    except ImportError as error:
        raise MissingExtraError("mesh diagnosis", "compress") from error
    faces = np.asarray(mesh.faces, dtype=np.int64).reshape(-1, 3)
    starts, ends = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    shape = (len(mesh.vertices), len(mesh.vertices))
    links = coo_array((np.ones(len(starts), dtype=np.int8), (starts, ends)), shape=shape)
    _, of_vertex = connected_components(links, directed=False)
    used, of_face = np.unique(of_vertex[faces[:, 0]], return_inverse=True)
    return of_face.astype(np.int64), len(used)


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


def _doubled_areas(mesh: Mesh) -> NDArray[np.float64]:
    triangles = mesh.triangles.reshape(-1, 3, 3)
    crosses = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return np.asarray(np.linalg.norm(crosses, axis=1), dtype=np.float64)
