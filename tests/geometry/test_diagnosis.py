"""Defects of small meshes that are known by construction, and agreement with trimesh."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from meshset.errors import MissingExtraError
from meshset.geometry.diagnosis import Diagnosis, diagnose, signed_volume, turned
from meshset.geometry.mesh import Mesh


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))


BOX = as_mesh(trimesh.creation.box(extents=(1, 2, 3)))
CLEAN = Diagnosis(
    vertices=8,
    faces=12,
    watertight=True,
    winding_consistent=True,
    boundary_edges=0,
    nonmanifold_edges=0,
    components=1,
    degenerate_faces=0,
    duplicate_faces=0,
    inside_out=False,
    inside_out_parts=0,
)


def with_faces(faces: np.ndarray) -> Mesh:
    return Mesh(BOX.vertices, np.asarray(faces, dtype=np.int32).reshape(-1, 3))


def test_a_box_is_clean() -> None:
    assert diagnose(BOX) == CLEAN
    assert CLEAN.defects() == ()


def test_a_missing_face_leaves_three_boundary_edges() -> None:
    found = diagnose(with_faces(BOX.faces[1:]))
    assert found == replace(CLEAN, faces=11, watertight=False, boundary_edges=3)
    assert found.defects() == ("holes: 3 edges of only one face",)


def test_a_turned_face_breaks_the_winding_alone() -> None:
    found = diagnose(with_faces(np.concatenate([BOX.faces[:1, ::-1], BOX.faces[1:]])))
    assert found == replace(CLEAN, winding_consistent=False)
    assert found.defects() == ("neighbouring faces disagree which side is outside",)


def test_an_inside_out_box_is_recognised_and_turned_back() -> None:
    found = diagnose(turned(BOX))
    assert found == replace(CLEAN, inside_out=True, inside_out_parts=1)
    assert found.defects() == ("inside out: the faces look inward",)
    assert diagnose(turned(turned(BOX))) == CLEAN


def test_a_repeated_face_is_counted_in_any_order_of_its_corners() -> None:
    copy = np.roll(BOX.faces[:1, ::-1], 1, axis=1)
    found = diagnose(with_faces(np.concatenate([BOX.faces, copy])))
    assert found == replace(CLEAN, faces=13, watertight=False, nonmanifold_edges=3, duplicate_faces=1)
    assert len(found.defects()) == 2


def test_boxes_that_share_an_edge_are_not_a_manifold() -> None:
    cube = trimesh.creation.box(extents=(2, 2, 2))
    vertices = np.concatenate([cube.vertices, cube.vertices + np.array([2, 2, 0])])
    unique, index = np.unique(vertices, axis=0, return_inverse=True)
    faces = index.reshape(-1)[np.concatenate([cube.faces, cube.faces + 8])]
    found = diagnose(Mesh(unique, faces.astype(np.int32)))
    assert (found.nonmanifold_edges, found.boundary_edges, found.components) == (1, 0, 1)
    assert not found.watertight


def test_boxes_that_share_a_vertex_are_one_component_and_apart_two() -> None:
    apart = Mesh(np.concatenate([BOX.vertices, BOX.vertices + 5]), np.concatenate([BOX.faces, BOX.faces + 8]))
    shared = Mesh(apart.vertices, np.where(apart.faces == 8, 0, apart.faces))
    assert diagnose(apart) == replace(CLEAN, vertices=16, faces=24, components=2)
    assert diagnose(shared).components == 1


def test_faces_without_area_are_counted() -> None:
    collinear = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.array([[0, 1, 2]], dtype=np.int32))
    assert diagnose(collinear).degenerate_faces == 1
    assert diagnose(with_faces(np.concatenate([BOX.faces, [[0, 0, 1]]]))).degenerate_faces == 1


def test_unused_vertices_are_no_component() -> None:
    loose = Mesh(np.concatenate([BOX.vertices, np.full((3, 3), 9.0)]), BOX.faces)
    assert diagnose(loose) == replace(CLEAN, vertices=11)


def test_no_faces_are_a_defect_of_their_own() -> None:
    found = diagnose(Mesh(np.zeros((4, 3)), np.zeros((0, 3), dtype=np.int32)))
    assert not found.watertight
    assert (found.components, found.faces, found.inside_out) == (0, 0, False)
    assert found.defects() == ("no faces",)


@pytest.mark.parametrize("seed", range(5))
def test_random_damage_is_described_as_trimesh_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sphere = trimesh.creation.icosphere(subdivisions=2)
    faces = sphere.faces[rng.random(len(sphere.faces)) > 0.1 * seed].copy()
    flipped = rng.random(len(faces)) < 0.02 * seed
    faces[flipped] = faces[flipped][:, ::-1]
    mesh = Mesh(np.array(sphere.vertices), faces.astype(np.int32))
    peer, found = mesh.to_trimesh(), diagnose(mesh)
    assert found.watertight == peer.is_watertight
    assert found.winding_consistent == peer.is_winding_consistent
    assert found.boundary_edges == len(trimesh.grouping.group_rows(peer.edges_sorted, require_count=1))


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_signed_volume_is_exact_near_and_far(shift: float) -> None:
    moved = Mesh(BOX.vertices + shift, BOX.faces)
    assert signed_volume(moved) == pytest.approx(6, rel=1e-9)
    assert signed_volume(turned(moved)) == pytest.approx(-6, rel=1e-9)
    assert signed_volume(Mesh(BOX.vertices, BOX.faces[:0])) == 0


def test_a_missing_scipy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(MissingExtraError, match=r"meshset\[compress\]"):
        diagnose(BOX)
