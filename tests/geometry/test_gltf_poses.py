"""The rest pose of glTF: skins on their joints, morph targets at their default weights."""

import numpy as np
import pytest

from gltf_files import QUARTER_Z, Gltf
from meshset.errors import MeshFileError
from meshset.geometry import _gltf_poses
from step import FACES, POINTS, UPPER, VOLUME, assert_solid, read

TOP = POINTS[:, 2] > 0
IDENTITY = np.eye(4)


def moved(x=0.0, y=0.0, z=0.0) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


def read_gltf(tmp_path, gltf: Gltf):
    return read(tmp_path, "a.gltf", gltf.text())


def failure(tmp_path, gltf: Gltf) -> str:
    with pytest.raises(MeshFileError) as caught:
        read_gltf(tmp_path, gltf)
    return str(caught.value)


def skinned(nodes, joints, inverse=None, rows=None, weights=None, kind="f4", joint_kind="u1") -> Gltf:
    """The solid on joints; by default every vertex follows the first. Matrices act on columns; glTF stores columns."""
    gltf = Gltf(nodes=nodes, scenes=[{"nodes": [0]}], skins=[{"joints": joints}])
    if inverse is not None:
        gltf.tree["skins"][0]["inverseBindMatrices"] = gltf.add([np.asarray(m).T.ravel() for m in inverse])
    rows = [(0, 0, 0, 0)] * 12 if rows is None else rows
    weights = [(1, 0, 0, 0)] * 12 if weights is None else weights
    gltf.primitive["attributes"] |= {
        "JOINTS_0": gltf.add(rows, joint_kind),
        "WEIGHTS_0": gltf.add(weights, kind, normalized=kind != "f4"),
    }
    return gltf


class TestSkins:
    @pytest.mark.parametrize(
        "node",
        [
            {"translation": [100, 0, 0]},
            {"scale": [0.01, 0.01, 0.01]},
            {"scale": [-1, 1, 1]},
            {"rotation": QUARTER_Z},
            {"matrix": [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 5, 5, 5, 1]},
        ],
    )
    def test_the_transform_of_the_node_does_not_count(self, tmp_path, node):
        nodes = [{"children": [1, 2]}, {}, {"mesh": 0, "skin": 0, **node}]
        reading = read_gltf(tmp_path, skinned(nodes, [1], [IDENTITY]))
        assert_solid(reading)
        assert reading.notes == ("skinning (mesh read in its rest pose) dropped",)

    def test_nor_that_of_the_nodes_above(self, tmp_path):
        nodes = [{"children": [1, 2]}, {}, {"scale": [3, 3, 3], "children": [3]}, {"mesh": 0, "skin": 0}]
        assert_solid(read_gltf(tmp_path, skinned(nodes, [1])))

    def test_joints_count_with_all_nodes_above_them(self, tmp_path):
        nodes = [
            {"children": [1, 3]},
            {"translation": [10, 0, 0], "scale": [2, 2, 2], "children": [2]},
            {"translation": [0, 5, 0], "rotation": QUARTER_Z},
            {"mesh": 0, "skin": 0, "translation": [77, 7, 7]},
        ]
        reading = read_gltf(tmp_path, skinned(nodes, [2], [moved(z=1)]))
        # (x, y, z) -> (-y, x, z + 1), then + (0, 5, 0), times 2, + (10, 0, 0)
        assert_solid(reading, volume_=8 * VOLUME, lower=(4, 10, 2), upper=(10, 18, 6))

    def test_bound_where_they_are_joints_change_nothing(self, tmp_path):
        nodes = [
            {"children": [1, 3]},
            {"translation": [1, 2, 3], "children": [2]},
            {"rotation": QUARTER_Z},
            {"mesh": 0, "skin": 0},
        ]
        turn = np.array([[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
        inverse = [moved(-1, -2, -3), np.linalg.inv(moved(1, 2, 3) @ turn)]
        rows = [(0, 1, 0, 0)] * 12
        weights = [(0.25, 0.75, 0, 0)] * 12
        assert_solid(read_gltf(tmp_path, skinned(nodes, [1, 2], inverse, rows, weights)))

    def test_without_inverse_bind_matrices(self, tmp_path):
        nodes = [{"children": [1, 2]}, {"translation": [0, 0, 9]}, {"mesh": 0, "skin": 0}]
        assert_solid(read_gltf(tmp_path, skinned(nodes, [1])), lower=(0, 0, 9), upper=(4, 3, 11))

    @pytest.mark.parametrize("kind", ["f4", "u1", "u2"])
    @pytest.mark.parametrize("joint_kind", ["u1", "u2"])
    def test_weights_of_every_kind(self, tmp_path, kind, joint_kind):
        # The top follows a joint that is 4 higher by three quarters.
        nodes = [{"children": [1, 2, 3]}, {}, {"translation": [0, 0, 4]}, {"mesh": 0, "skin": 0}]
        rows = [(0, 1, 0, 0)] * 12
        weights = np.where(TOP[:, None], [0.25, 0.75, 0, 0], [1, 0, 0, 0])
        gltf = skinned(nodes, [1, 2], [IDENTITY] * 2, rows, weights, kind, joint_kind)
        reading = read_gltf(tmp_path, gltf)
        assert np.allclose(reading.mesh.bounds, ((0, 0, 0), (4, 3, 5)), atol=4 / (255 if kind == "u1" else 65535))

    def test_further_sets_of_joints(self, tmp_path):
        nodes = [{"children": [1, 2, 3]}, {}, {"translation": [0, 0, 4]}, {"mesh": 0, "skin": 0}]
        gltf = skinned(nodes, [1, 2], [IDENTITY] * 2, weights=[(0.5, 0, 0, 0)] * 12)
        for number in (1, 2):
            gltf.primitive["attributes"] |= {
                f"JOINTS_{number}": gltf.add([(0, 0, 0, 1)] * 12, "u1"),
                f"WEIGHTS_{number}": gltf.add([(0, 0, 0, 0.25)] * 12),
            }
        assert_solid(read_gltf(tmp_path, gltf), lower=(0, 0, 2), upper=(4, 3, 4))

    @pytest.mark.parametrize("total", [0.5, 3.0, 0.0])
    def test_weights_that_do_not_add_up(self, tmp_path, total):
        nodes = [{"children": [1, 2]}, {"translation": [0, 0, 1]}, {"mesh": 0, "skin": 0}]
        gltf = skinned(nodes, [1], weights=[(total, 0, 0, 0)] * 12)
        assert_solid(read_gltf(tmp_path, gltf), lower=(0, 0, 1), upper=(4, 3, 3))

    def test_mirroring_joints_keep_the_outside(self, tmp_path):
        nodes = [{"children": [1, 2]}, {"scale": [1, 1, -1]}, {"mesh": 0, "skin": 0}]
        assert_solid(read_gltf(tmp_path, skinned(nodes, [1])), lower=(0, 0, -2), upper=(4, 3, 0))

    def test_a_joint_outside_of_the_scene(self, tmp_path):
        nodes = [{"mesh": 0, "skin": 0}, {"translation": [0, 0, 3]}]
        assert_solid(read_gltf(tmp_path, skinned(nodes, [1])), lower=(0, 0, 3), upper=(4, 3, 5))

    def test_instances_multiply_the_skinned_mesh(self, tmp_path):
        nodes = [{"children": [1, 2]}, {"translation": [0, 0, 1]}, {"mesh": 0, "skin": 0, "translation": [99, 0, 0]}]
        gltf = skinned(nodes, [1])
        where = gltf.add([(0, 0, 0), (10, 0, 0)])
        nodes[2]["extensions"] = {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": where}}}
        assert_solid(read_gltf(tmp_path, gltf), faces=40, volume_=2 * VOLUME, lower=(0, 0, 1), upper=(14, 3, 3))

    def test_the_same_mesh_without_a_skin_stays_where_its_node_is(self, tmp_path):
        nodes = [{"children": [1, 2, 3]}, {}, {"mesh": 0, "skin": 0}, {"mesh": 0, "translation": [10, 0, 0]}]
        assert_solid(read_gltf(tmp_path, skinned(nodes, [1])), faces=40, volume_=2 * VOLUME, upper=(14, 3, 2))

    def test_a_skin_that_the_mesh_does_not_know(self, tmp_path):
        gltf = Gltf(nodes=[{"mesh": 0, "skin": 0, "translation": [10, 0, 0]}], skins=[{"joints": [0]}])
        reading = read_gltf(tmp_path, gltf)
        assert_solid(reading, lower=(10, 0, 0), upper=(14, 3, 2))
        assert "a skin without joints or weights ignored" in reading.notes

    def test_an_unused_joint_may_be_any(self, tmp_path):
        nodes = [{"children": [1, 2]}, {}, {"mesh": 0, "skin": 0}]
        assert_solid(read_gltf(tmp_path, skinned(nodes, [1], rows=[(0, 255, 7, 9)] * 12)))

    def test_more_vertices_than_are_moved_at_once(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_gltf_poses, "_CHUNK", 5)
        nodes = [{"children": [1, 2]}, {"translation": [0, 0, 9], "scale": [-1, 1, 1]}, {"mesh": 0, "skin": 0}]
        assert_solid(read_gltf(tmp_path, skinned(nodes, [1])), lower=(-4, 0, 9), upper=(0, 3, 11))

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"rows": [(1, 0, 0, 0)] * 12}, "a vertex follows joint 1, of 1 counted from 0"),
            ({"rows": [(0, 0, 0, 0)] * 11}, "joints or weights of 11 vertices for 12"),
            ({"weights": [(1, 0, 0, 0)] * 13}, "joints or weights of 13 vertices for 12"),
            ({"inverse": [IDENTITY], "joints": [0, 1]}, "1 inverse bind matrices for 2 joints"),
            ({"joints": [5]}, "refers to nodes 5, which is missing"),
            ({"joints": []}, "a vertex follows joint 0, of 0"),
        ],
    )
    def test_refused(self, tmp_path, changes, reason):
        nodes = [{"children": [1, 2]}, {}, {"mesh": 0, "skin": 0}]
        assert reason in failure(tmp_path, skinned(**{"nodes": nodes, "joints": [1], **changes}))

    def test_joints_in_a_circle(self, tmp_path):
        nodes = [{"mesh": 0, "skin": 0}, {"children": [2]}, {"children": [1]}]
        assert "its nodes form no tree" in failure(tmp_path, skinned(nodes, [2]))

    def test_too_many_movements(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_gltf_poses, "MAX_BLENDED", 100)
        nodes = [{"children": [1, 2, 3, 4]}, {}, *[{"mesh": 0, "skin": 0}] * 3]
        assert "move vertices more than 100 times" in failure(tmp_path, skinned(nodes, [1]))


def morphing(*targets, **mesh) -> Gltf:
    """The solid with morph targets, offsets (12, 3) each or accessors."""
    gltf = Gltf()
    gltf.primitive["targets"] = [{"POSITION": t if isinstance(t, int) else gltf.add(t)} for t in targets]
    gltf.tree["meshes"][0] |= mesh
    return gltf


RAISED = TOP[:, None] * np.array([0.0, 0, 2])
WIDER = (POINTS[:, :1] > 0) * np.array([1.0, 0, 0]) * POINTS[:, :1]


class TestMorphTargets:
    @pytest.mark.parametrize(
        ("mesh", "node", "height"),
        [
            ({}, {}, 2),
            ({"weights": [0]}, {}, 2),
            ({"weights": [1]}, {}, 4),
            ({"weights": [0.5]}, {}, 3),
            ({"weights": [-0.5]}, {}, 1),
            ({"weights": [2]}, {}, 6),
            ({"weights": [1]}, {"weights": [0]}, 2),
            ({"weights": [0]}, {"weights": [1]}, 4),
            ({}, {"weights": [1]}, 4),
            ({"weights": []}, {}, 2),
        ],
    )
    def test_default_weights(self, tmp_path, mesh, node, height):
        gltf = morphing(RAISED, **mesh)
        gltf.tree["nodes"] = [{"mesh": 0, **node}]
        reading = read_gltf(tmp_path, gltf)
        assert_solid(reading, volume_=VOLUME * height / 2, upper=(4, 3, height))
        note = "morph targets dropped" if height == 2 else "morph targets applied at their default weights"
        assert note in reading.notes

    def test_several_targets_add_up(self, tmp_path):
        gltf = morphing(RAISED, RAISED, WIDER, weights=[0.5, 0.25, 1])
        assert_solid(read_gltf(tmp_path, gltf), volume_=VOLUME * 1.75 * 2, upper=(8, 3, 3.5))

    def test_nodes_with_different_weights(self, tmp_path):
        gltf = morphing(RAISED, weights=[1])
        gltf.tree["nodes"] = [
            {"children": [1, 2, 3]},
            {"mesh": 0},
            {"mesh": 0, "weights": [0], "translation": [10, 0, 0]},
            {"mesh": 0, "weights": [3], "translation": [20, 0, 0]},
        ]
        assert_solid(read_gltf(tmp_path, gltf), faces=60, volume_=VOLUME * (2 + 1 + 4), upper=(24, 3, 8))

    def test_sparse_targets(self, tmp_path):
        gltf = morphing(weights=[1, 1])
        rows = np.flatnonzero(TOP)
        whole = gltf.add(np.zeros((12, 3)))
        sparse = gltf.add_sparse(12, rows, RAISED[rows])
        gltf.primitive["targets"] = [{"POSITION": whole}, {"POSITION": sparse}]
        assert_solid(read_gltf(tmp_path, gltf), volume_=2 * VOLUME, upper=(4, 3, 4))

    def test_targets_without_bytes_or_positions(self, tmp_path):
        gltf = morphing(RAISED, weights=[1, 1, 1])
        zeros = gltf.add_accessor({"count": 12, "componentType": 5126, "type": "VEC3"})
        gltf.primitive["targets"] += [{"POSITION": zeros}, {"NORMAL": gltf.add(RAISED)}]
        assert_solid(read_gltf(tmp_path, gltf), volume_=2 * VOLUME, upper=(4, 3, 4))

    @pytest.mark.parametrize("kind", ["i1", "i2"])
    def test_quantised_targets(self, tmp_path, kind):
        gltf = morphing(weights=[2])
        gltf.primitive["targets"] = [{"POSITION": gltf.add(RAISED / 2, kind, normalized=True)}]
        assert_solid(read_gltf(tmp_path, gltf), volume_=2 * VOLUME, upper=(4, 3, 4))

    def test_before_the_skin_and_the_instances(self, tmp_path):
        nodes = [{"children": [1, 2]}, {"scale": [1, 1, 10]}, {"mesh": 0, "skin": 0, "weights": [1]}]
        gltf = skinned(nodes, [1])
        gltf.primitive["targets"] = [{"POSITION": gltf.add(RAISED)}]
        where = gltf.add([(0, 0, 0), (10, 0, 0)])
        nodes[2]["extensions"] = {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": where}}}
        assert_solid(read_gltf(tmp_path, gltf), faces=40, volume_=40 * VOLUME, upper=(14, 3, 40))

    def test_a_file_without_nodes(self, tmp_path):
        gltf = morphing(RAISED, weights=[1])
        del gltf.tree["nodes"], gltf.tree["scenes"]
        assert_solid(read_gltf(tmp_path, gltf), volume_=2 * VOLUME, upper=(4, 3, 4))

    def test_refused(self, tmp_path, monkeypatch):
        assert "2 weights for 1 morph targets" in failure(tmp_path, morphing(RAISED, weights=[1, 1]))
        assert "a morph target of 11 vertices for 12" in failure(tmp_path, morphing(RAISED[1:], weights=[1]))
        assert "NaN" in failure(tmp_path, morphing(RAISED, weights=[float("nan")]))
        monkeypatch.setattr(_gltf_poses, "MAX_BLENDED", 100)
        assert "move vertices more than 100 times" in failure(tmp_path, morphing(*[RAISED] * 9, weights=[1] * 9))


def test_a_strip_with_triangles_without_area(tmp_path):
    gltf = Gltf()
    walls = [6, 0, 7, 1, 8, 2, 9, 3, 10, 4, 11, 5, 6, 0][::-1]
    gltf.primitive |= {"mode": 5, "indices": gltf.add(np.array([*walls, walls[-1], walls[-1]])[:, None], "u2")}
    caps = {**gltf.primitive, "mode": 4, "indices": gltf.add(FACES[:8].reshape(-1, 1), "u2")}
    gltf.tree["meshes"][0]["primitives"].append(caps)
    assert_solid(read_gltf(tmp_path, gltf), upper=UPPER)
