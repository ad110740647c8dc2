"""Groups of meshes through the codec's protocol."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from meshset.codecs.control_mesh.codec import ControlMeshCodec, diagonal
from meshset.codecs.mesh_group.codec import OTHER, MeshGroupCodec
from meshset.codecs.protocol import CodedMesh, Refusal
from meshset.errors import ArchiveError
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh
from tests.codecs.control_mesh import shapes
from tests.codecs.mesh_group import families

ERROR = 2e-3


@pytest.fixture(scope="module")
def meshes():
    return families.poses(6)


@pytest.fixture(scope="module")
def group(meshes):
    return families.coded(meshes, ERROR)


def test_every_member_comes_back_within_its_bound(meshes, group):
    decoder = MeshGroupCodec().open(group.shared)
    for mesh, one in zip(meshes, group.meshes, strict=True):
        mean, _ = surface_distance(mesh, decoder.decode(one.payload), 20_000, seed=3)
        assert mean <= 1.05 * ERROR * diagonal(mesh)


def test_a_group_takes_less_than_its_meshes_by_themselves(meshes, group):
    alone = ControlMeshCodec(ERROR).compress(meshes, families.FAST)
    together = len(group.shared) + sum(len(one.payload) for one in group.meshes)
    assert together < 0.8 * sum(len(one.payload) for one in alone.meshes)


def test_each_payload_needs_the_shared_part_only(group):
    for one in group.meshes:
        fresh, used = MeshGroupCodec().open(group.shared), MeshGroupCodec().open(group.shared)
        for other in group.meshes:
            used.decode(other.payload)
        assert np.array_equal(fresh.decode(one.payload).vertices, used.decode(one.payload).vertices)


def test_order_and_side_of_members_do_not_matter(meshes):
    mixed = [meshes[0], families.shuffled(meshes[2], 1), families.shuffled(meshes[4], 2, flipped=True)]
    found = families.coded(mixed, ERROR)
    decoder = MeshGroupCodec().open(found.shared)
    for mesh, one in zip(mixed, found.meshes, strict=True):
        back = decoder.decode(one.payload)
        assert surface_distance(mesh, back, 5_000)[0] <= 1.1 * ERROR * diagonal(mesh)
        there, here = (trimesh.Trimesh(m.vertices, m.faces, process=False).volume for m in (mesh, back))
        assert here == pytest.approx(there, rel=0.05)


def test_copies_are_references(meshes):
    source = meshes[1]
    copies = [families.turned(source, 1), families.turned(source, 2, mirrored=True), families.shuffled(source, 3)]
    found = families.coded([source, *copies], ERROR)
    decoder = MeshGroupCodec().open(found.shared)
    for mesh, one in zip(copies, found.meshes[1:], strict=True):
        assert len(one.payload) <= 24
        back = decoder.decode(one.payload)
        assert surface_distance(mesh, back, 5_000)[0] <= 1.1 * ERROR * diagonal(mesh)
        there, here = (trimesh.Trimesh(m.vertices, m.faces, process=False).volume for m in (mesh, back))
        assert here == pytest.approx(there, rel=0.05)


def test_meshes_of_other_connectivity_are_refused(meshes):
    ball = trimesh.creation.icosphere(2)
    other = families.normalised(np.array(ball.vertices), np.array(ball.faces))
    found = families.coded([meshes[0], other, meshes[1]], ERROR)
    assert [type(one) for one in found.meshes] == [CodedMesh, Refusal, CodedMesh]
    assert found.meshes[1].reason == OTHER


def test_frames_of_a_sequence_come_back():
    frames = families.poses(9)
    found = families.coded(frames, ERROR, sequence=True)
    decoder = MeshGroupCodec().open(found.shared)
    for mesh, one in zip(frames, found.meshes, strict=True):
        assert surface_distance(mesh, decoder.decode(one.payload), 5_000)[0] <= 1.1 * ERROR * diagonal(mesh)


def test_open_and_broken_surfaces_make_groups_too(meshes):
    def cut(mesh: Mesh) -> Mesh:
        faces = np.concatenate([mesh.faces[40:], mesh.faces[60:61]])  # a hole, and a face that is there twice
        return Mesh(mesh.vertices, faces)

    some = [cut(mesh) for mesh in meshes[::2]]
    found = families.coded(some, ERROR)
    decoder = MeshGroupCodec().open(found.shared)
    for mesh, one in zip(some, found.meshes, strict=True):
        assert surface_distance(mesh, decoder.decode(one.payload), 5_000)[0] <= 1.1 * ERROR * diagonal(mesh)


def test_the_same_meshes_give_the_same_bytes(meshes):
    one, other = families.coded(meshes[:3]), families.coded(meshes[:3])
    assert one == other


def test_levels_are_chosen_by_the_reader(meshes, group):
    decoder = MeshGroupCodec().open(group.shared)
    payload = group.meshes[0].payload
    faces = [len(decoder.decode_at(payload, level).faces) for level in range(3)]
    assert faces == [faces[0], 4 * faces[0], 16 * faces[0]]
    with pytest.raises(ValueError, match="levels 0 to 3"):
        decoder.decode_at(payload, 4)


@pytest.mark.parametrize("error", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_bounds_are_refused(error):
    with pytest.raises(ValueError, match="above 0"):
        MeshGroupCodec(error)
    with pytest.raises(ArchiveError, match="invalid error"):
        MeshGroupCodec().with_parameters({"error": error})


def test_flat_sheets_make_groups():
    points, faces = shapes.grid(9, 7)
    sheets = [families.normalised(points * scale, faces) for scale in ((1, 1, 1), (1, 0.5, 1), (0.3, 1, 1))]
    found = families.coded(sheets, ERROR)
    decoder = MeshGroupCodec().open(found.shared)
    for mesh, one in zip(sheets, found.meshes, strict=True):
        away, _ = surface_distance(mesh, decoder.decode(one.payload), 2_000)
        assert away <= 1.1 * ERROR * diagonal(mesh)


def test_single_triangles_make_a_group_too():
    triangles = [families.normalised(shapes.TRIANGLE * (1, 1 + k, 1), np.array([[0, 1, 2]])) for k in range(3)]
    found = families.coded(triangles, ERROR)
    decoder = MeshGroupCodec().open(found.shared)
    for mesh, one in zip(triangles, found.meshes, strict=True):
        away, _ = surface_distance(mesh, decoder.decode(one.payload), 2_000)
        assert away <= 1.1 * ERROR * diagonal(mesh)
