"""Animated glTF files at a moment, against scipy's interpolation."""

from __future__ import annotations

import json

import numpy as np
import pytest
import trimesh
from scipy.interpolate import CubicHermiteSpline
from scipy.spatial.transform import Rotation, Slerp

from gltf_files import Gltf
from meshset.errors import MeshFileError
from meshset.geometry import Mesh, animation_seconds, read_frame, read_mesh, write_animation
from step import FACES, POINTS, VOLUME, volume

TIMES = np.array([0.5, 1.0, 3.0])
MOMENTS = (0.0, 0.5, 0.7, 1.0, 2.2, 3.0, 9.0)


def animated(path: str, rows, kind="LINEAR", times=TIMES, node=0, **tree) -> Gltf:
    gltf = Gltf(**tree)
    sampler = {"input": gltf.add(np.reshape(times, (-1, 1))), "output": gltf.add(rows), "interpolation": kind}
    channel = {"sampler": 0, "target": {"node": node, "path": path}}
    gltf.tree["animations"] = [{"samplers": [sampler], "channels": [channel]}]
    return gltf


@pytest.fixture
def at(tmp_path):
    """Read a file at a moment."""

    def run(gltf: Gltf, time: float):
        path = tmp_path / "a.gltf"
        path.write_text(gltf.text())
        return read_frame(path, time)

    return run


def corner(reading) -> np.ndarray:
    """The lower corner of the solid, which is where its node puts the origin while it is only moved."""
    return reading.mesh.bounds[0]


@pytest.mark.parametrize("time", MOMENTS)
def test_a_node_moves_on_straight_lines(at, time):
    rows = np.array([[0.0, 0, 0], [2, 4, 8], [1, 1, 1]])
    expected = [np.interp(time, TIMES, rows[:, k]) for k in range(3)]
    assert corner(at(animated("translation", rows), time)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("time", MOMENTS)
def test_a_node_jumps(at, time):
    rows = np.array([[0.0, 0, 0], [2, 4, 8], [1, 1, 1]])
    expected = rows[max(int(np.searchsorted(TIMES, time, side="right")) - 1, 0)]
    assert corner(at(animated("translation", rows, "STEP"), time)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("time", MOMENTS)
def test_a_node_moves_on_a_spline(at, time):
    rng = np.random.default_rng(0)
    ahead, values, behind = rng.normal(size=(3, 3, 3))
    rows = np.stack([ahead, values, behind], axis=1).reshape(-1, 3)
    inside = np.clip(time, TIMES[0], TIMES[-1])
    first = int(np.clip(np.searchsorted(TIMES, inside, side="right") - 1, 0, 1))
    part = slice(first, first + 2)
    slopes = np.stack([behind[first], ahead[first + 1]])
    expected = CubicHermiteSpline(TIMES[part], values[part], slopes)(inside)
    assert corner(at(animated("translation", rows, "CUBICSPLINE"), time)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("time", MOMENTS)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_node_turns_on_the_shorter_arc(at, time, sign):
    turns = Rotation.random(3, rng=4)
    rows = turns.as_quat()
    rows[1] *= sign
    expected = Slerp(TIMES, turns)(np.clip(time, TIMES[0], TIMES[-1])).apply(POINTS)
    found = at(animated("rotation", rows), time)
    assert found.mesh.bounds == pytest.approx(np.array([expected.min(axis=0), expected.max(axis=0)]), abs=1e-4)
    assert volume(found) == pytest.approx(VOLUME, rel=1e-4)


def test_a_matrix_gives_way_to_what_moves(at):
    gltf = animated(
        "scale", [[1.0, 1, 1], [2, 2, 2], [2, 2, 2]], nodes=[{"mesh": 0, "matrix": list(np.eye(4).ravel())}]
    )
    assert volume(at(gltf, 1.0)) == pytest.approx(8 * VOLUME, rel=1e-5)


def test_morph_targets_follow_their_weights(at):
    gltf = animated("weights", np.array([[0.0], [1.0], [0.5]]))
    gltf.primitive["targets"] = [{"POSITION": gltf.add(np.tile([0.0, 0, 6], (12, 1)))}]
    assert [corner(at(gltf, time))[2] for time in (0.5, 0.75, 1.0, 3.0)] == pytest.approx([0, 3, 6, 3])


def test_joints_that_move_take_their_vertices_along(at):
    gltf = animated("translation", [[0.0, 0, 0], [0, 0, 5], [0, 0, 5]], node=1)
    gltf.tree["nodes"] = [{"mesh": 0, "skin": 0}, {}]
    gltf.tree["scenes"] = [{"nodes": [0, 1]}]
    gltf.tree["skins"] = [{"joints": [1]}]
    gltf.primitive["attributes"] |= {
        "JOINTS_0": gltf.add([(0, 0, 0, 0)] * 12, "u1"),
        "WEIGHTS_0": gltf.add([(1, 0, 0, 0)] * 12),
    }
    assert corner(at(gltf, 1.0)) == pytest.approx([0, 0, 5], abs=1e-5)
    assert not at(gltf, 1.0).notes


def test_a_file_that_moves_says_how_long_and_is_read_at_rest_as_before(tmp_path):
    path = tmp_path / "a.gltf"
    path.write_text(animated("translation", [[1.0, 0, 0], [2, 4, 8], [1, 1, 1]]).text())
    assert animation_seconds(path) == 3.0
    assert read_mesh(path).notes == ("animations dropped",)
    assert corner(read_mesh(path)) == pytest.approx([0, 0, 0])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda tree: tree.pop("animations"), "has no animation"),
        (lambda tree: tree["animations"][0]["channels"][0].update(sampler=3), "a sampler that is not there"),
        (lambda tree: tree["animations"][0]["samplers"][0].update(output=0), "other keys than values"),
        (lambda tree: tree["animations"][0]["channels"][0]["target"].update(node=7), "7"),
        (lambda tree: tree["animations"][0]["samplers"][0].pop("input"), "damaged"),
    ],
)
def test_a_damaged_animation_is_told(tmp_path, change, reason):
    gltf = animated("translation", [[1.0, 0, 0], [2, 4, 8], [1, 1, 1]])
    change(gltf.tree)
    path = tmp_path / "a.gltf"
    path.write_text(gltf.text())
    with pytest.raises(MeshFileError, match=reason) as told:
        read_frame(path, 1.0)
    assert str(told.value).startswith(str(path))


def test_keys_out_of_order_are_refused(tmp_path):
    path = tmp_path / "a.gltf"
    path.write_text(animated("translation", np.zeros((3, 3)), times=[1.0, 1.0, 2.0]).text())
    with pytest.raises(MeshFileError, match="not in order of time"):
        animation_seconds(path)


def test_other_files_have_no_frames(tmp_path):
    for act in (animation_seconds, lambda path: read_frame(path, 0.0)):
        with pytest.raises(MeshFileError, match="only glTF files are animated"):
            act(tmp_path / "a.ply")


class TestWriting:
    """Meshes that move, read back by our reader and by trimesh."""

    @pytest.fixture
    def frames(self):
        turned = [Rotation.from_rotvec([0, 0, angle]).as_matrix() for angle in (0.0, 0.4, 0.9, 1.7)]
        return [Mesh(POINTS @ turn.T + (100, 0, k), FACES.astype(np.int32)) for k, turn in enumerate(turned)]

    def test_frames_come_back_at_their_times(self, frames, tmp_path):
        path = tmp_path / "turning.glb"
        write_animation(frames, path, 8.0)
        assert animation_seconds(path) == pytest.approx(3 / 8)
        for number, frame in enumerate(frames):
            found = read_frame(path, number / 8)
            assert found.mesh.bounds == pytest.approx(np.array(frame.bounds), abs=1e-5)
            assert volume(found) == pytest.approx(VOLUME, rel=1e-4)
        between = Mesh((frames[0].vertices + frames[1].vertices) / 2, frames[0].faces)
        assert read_frame(path, 0.5 / 8).mesh.bounds == pytest.approx(np.array(between.bounds), abs=1e-5)

    def test_the_file_is_as_the_specification_wants_it(self, frames, tmp_path):
        path = tmp_path / "turning.glb"
        write_animation(frames, path, 24.0)
        content = path.read_bytes()
        size, length = (int.from_bytes(content[at : at + 4], "little") for at in (8, 12))
        assert size == len(content)
        assert length % 4 == 0
        tree = json.loads(content[20 : 20 + length])
        assert tree["buffers"][0]["byteLength"] <= size - 28 - length
        for accessor in tree["accessors"]:
            assert tree["bufferViews"][accessor["bufferView"]]["byteOffset"] % 4 == 0
        (primitive,) = tree["meshes"][0]["primitives"]
        for one in (primitive["attributes"], *primitive["targets"]):
            assert {"min", "max"} <= tree["accessors"][one["POSITION"]].keys()
        (sampler,) = tree["animations"][0]["samplers"]
        keys, weights = (tree["accessors"][sampler[name]] for name in ("input", "output"))
        assert (keys["count"], weights["count"]) == (4, 4 * 3)
        assert keys["max"] == [pytest.approx(3 / 24)]
        scene = trimesh.load(path)
        assert scene.bounds == pytest.approx(np.array(frames[0].bounds), abs=1e-5)

    def test_one_frame_stands_still(self, frames, tmp_path):
        path = tmp_path / "still.glb"
        write_animation(frames[:1], path, 24.0)
        assert read_mesh(path).mesh.bounds == pytest.approx(np.array(frames[0].bounds), abs=1e-5)

    def test_frames_of_other_faces_are_refused(self, frames, tmp_path):
        other = Mesh(frames[0].vertices, frames[0].faces[::-1])
        with pytest.raises(MeshFileError, match="frame 2 has other faces"):
            write_animation([*frames[:2], other], tmp_path / "a.glb", 24.0)
        assert not list(tmp_path.iterdir())
