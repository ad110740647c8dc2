"""Meshes of one connectivity in one archive."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from tests.codecs.mesh_group import families

import meshset
from gltf_files import Gltf
from meshset.codecs import codec_label
from meshset.errors import MeshsetError
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh, animation_seconds, read_frame
from meshset.pipeline.add import add
from meshset.pipeline.compress import compress
from meshset.pipeline.edit import merge, remove
from meshset.pipeline.extract import extract
from meshset.pipeline.steps.failures import NoMeshError
from meshset.pipeline.summary import list_meshes, summarise
from meshset.pipeline.verify import verify

FAST = {"preset": "fast", "device": "cpu", "max_error": 0.002}


@pytest.fixture(scope="module")
def meshes():
    """Four poses of a figure, one of them twice more, and two others."""
    figures = {f"figure-{letter}": mesh for letter, mesh in zip("abcd", families.poses(4), strict=True)}
    figures["left"] = families.turned(figures["figure-b"], 5)
    figures["right"] = families.turned(figures["figure-b"], 6, mirrored=True)
    for name, made in {"ring": trimesh.creation.torus(1.0, 0.3), "box": trimesh.creation.box((1, 2, 3))}.items():
        figures[name] = Mesh(np.array(made.vertices), np.array(made.faces, np.int32))
    return figures


@pytest.fixture(scope="module")
def archive(meshes, tmp_path_factory):
    return compress(meshes, tmp_path_factory.mktemp("groups") / "set.mset", **FAST).path


def within(archive, meshes, share=0.002):
    """Whether all meshes of an archive are within a share of their diagonals."""
    with meshset.open(archive) as opened:
        return all(
            surface_distance(meshes[name], mesh, 10_000, seed=4)[0]
            <= share * np.linalg.norm(np.ptp(mesh.vertices, axis=0))
            for name, mesh in opened.items()
            if name in meshes
        )


def test_meshes_of_one_connectivity_share_it(archive, meshes):
    entries = {entry.name: entry for entry in list_meshes(archive)}
    grouped = {name for name, entry in entries.items() if codec_label(entry.codec_id) == "mesh-group"}
    assert grouped == set(meshes) - {"ring", "box"}
    assert len({entries[name].shared for name in grouped}) == 1
    assert entries["ring"].shared is None
    assert within(archive, meshes)


def test_copies_take_a_few_bytes(archive):
    entries = {entry.name: entry for entry in list_meshes(archive)}
    assert max(entries["left"].length, entries["right"].length) <= 24


def test_a_group_makes_the_archive_smaller(archive):
    alone = min(summarise(archive).settings["report"]["would_take"].values())
    with meshset.open(archive) as opened:
        shared = sum(part.length for part in opened.reader.shared)
        assert shared + sum(entry.length for entry in opened.entries.values()) < 0.8 * alone


def test_groups_survive_what_is_done_to_archives(archive, meshes, tmp_path):
    copy = tmp_path / "copy.mset"
    copy.write_bytes(archive.read_bytes())
    remove(copy, ["figure-a", "ring"], compact=True)
    assert within(copy, meshes)
    other = compress({"box 2": meshes["box"]}, tmp_path / "other.mset", **FAST).path
    merged = tmp_path / "both.mset"
    merge([copy, other], merged)
    assert not verify(merged).failures
    with meshset.open(merged) as opened:
        assert set(opened) == {"figure-b", "figure-c", "figure-d", "left", "right", "box", "box 2"}
        assert len(opened["left"].faces) == len(opened["figure-b"].faces)
    entry = add(copy, {"figure-e": families.bent(0.2)}).entries[0]
    assert entry.bound == pytest.approx(0.002)
    remove(copy, ["figure-*", "left", "right", "box"], compact=True)
    with meshset.open(copy) as opened:
        assert not opened.reader.shared


def test_a_damaged_group_costs_its_members_only(archive, meshes, tmp_path):
    content = bytearray(archive.read_bytes())
    with meshset.open(archive) as opened:
        part = opened.reader.shared[0]
    content[part.offset + part.length // 2] ^= 1
    damaged = tmp_path / "damaged.mset"
    damaged.write_bytes(content)
    with meshset.open(damaged) as opened:
        assert len(opened["ring"].faces)
        with pytest.raises(meshset.ArchiveError, match="shared part"):
            opened["figure-a"]


def test_a_group_that_does_not_pay_is_not_made(tmp_path):
    boxes = {}
    for size in (1, 2, 3):
        made = trimesh.creation.box((1, size, size * size))
        boxes[f"box {size}"] = Mesh(np.array(made.vertices), np.array(made.faces, np.int32))
    made = compress(boxes, tmp_path / "boxes.mset", **FAST)
    assert all(entry.shared is None for entry in made.entries)


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """An archive of six frames and a mesh that is none of them."""
    frames = {f"walk_{number:04d}": mesh for number, mesh in enumerate(families.poses(6), 5)}
    made = trimesh.creation.box((1, 2, 3))
    frames["box"] = Mesh(np.array(made.vertices), np.array(made.faces, np.int32))
    return compress(frames, tmp_path_factory.mktemp("walk") / "walk.mset", **FAST).path


def test_a_sequence_is_one_line(walk):
    listing = list_meshes(walk)
    assert len(listing) == 7
    lines = str(listing).splitlines()
    assert len(lines) == 3
    (line,) = [line for line in lines if "walk" in line]
    assert line.startswith("walk_[0005-0010] x6")
    assert str(sum(entry.length for entry in listing if entry.name != "box")) in line.split()


def test_frames_are_extracted_by_number(walk, tmp_path):
    result = extract(walk, "walk", tmp_path / "all")
    assert len(result.written) == 6
    result = extract(walk, "walk", tmp_path / "some", frames=range(6, 9))
    assert [path.name for path in result.written] == ["walk_0006.ply", "walk_0007.ply", "walk_0008.ply"]
    with pytest.raises(meshset.ArchiveError, match="holds no such frames from 50 on and below 60"):
        extract(walk, "walk", tmp_path / "none", frames=range(50, 60))


def test_a_sequence_is_written_as_one_file_that_moves(walk, tmp_path):
    result = extract(walk, "walk", tmp_path / "out", animated=4.0)
    assert result.written == (tmp_path / "out" / "walk.glb",)
    assert animation_seconds(result.written[0]) == pytest.approx(5 / 4)
    with meshset.open(walk) as opened:
        for number in (0, 3, 5):
            moved = read_frame(result.written[0], number / 4).mesh
            still = opened[f"walk_{number + 5:04d}"]
            assert moved.bounds == pytest.approx(np.array(still.bounds), abs=1e-5)
    with pytest.raises(MeshsetError, match="frames of one sequence"):
        extract(walk, ["walk", "box"], tmp_path / "out", animated=4.0)
    with pytest.raises(MeshsetError, match="exists already"):
        extract(walk, "walk", tmp_path / "out", animated=4.0)


def test_a_sequence_with_a_gap_and_a_frame_of_other_connectivity_is_coded(tmp_path):
    frames = {f"walk_{number:04d}": mesh for number, mesh in enumerate(families.poses(7)) if number != 3}
    made = trimesh.creation.icosphere(2)
    frames["walk_0003"] = Mesh(np.array(made.vertices), np.array(made.faces, np.int32))
    entries = compress(frames, tmp_path / "walk.mset", **FAST).entries
    assert len(entries) == 7
    alone = [entry.name for entry in entries if codec_label(entry.codec_id) != "mesh-group"]
    assert alone == ["walk_0003"]


@pytest.fixture
def moving(tmp_path):
    """A glTF file whose figure is scaled from 1 to 2 within a second."""
    points, faces = families.bent(0.2).vertices, families.bent(0.2).faces
    gltf = Gltf()
    gltf.primitive["attributes"]["POSITION"] = gltf.add(points)
    gltf.primitive["indices"] = gltf.add(faces.reshape(-1, 1), "u4")
    sampler = {"input": gltf.add([[0.0], [1.0]]), "output": gltf.add([[1.0, 1, 1], [1, 1, 2]])}
    channel = {"sampler": 0, "target": {"node": 0, "path": "scale"}}
    gltf.tree["animations"] = [{"samplers": [sampler], "channels": [channel]}]
    (tmp_path / "figure.gltf").write_text(gltf.text())
    return tmp_path / "figure.gltf"


def test_an_animated_file_becomes_frames(moving, tmp_path):
    made = compress(moving, tmp_path / "figure.mset", frames=5, **FAST)
    assert [entry.name for entry in made.entries] == [f"figure_{k:04d}" for k in range(6)]
    assert all(codec_label(entry.codec_id) == "mesh-group" for entry in made.entries)
    with meshset.open(made.path) as opened:
        sizes = [np.ptp(mesh.vertices, axis=0) for mesh in opened.values()]
    assert sizes[5][2] / sizes[0][2] == pytest.approx(2.0, rel=0.04)
    assert sizes[2][2] / sizes[0][2] == pytest.approx(1.4, rel=0.04)


def test_files_without_animation_are_told(moving, models, tmp_path):
    with pytest.raises(MeshsetError, match="none of the files is animated"):
        compress(models, tmp_path / "none.mset", frames=6, **FAST)
    with pytest.raises(MeshsetError, match="above 0"):
        compress(moving, tmp_path / "none.mset", frames=0.0, **FAST)
    with pytest.raises(NoMeshError) as told:
        compress(moving, tmp_path / "none.mset", frames=1e6, **FAST)
    assert "1,000,001 frames at this rate" in told.value.failures[0].reason
