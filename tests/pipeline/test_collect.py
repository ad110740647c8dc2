"""Which files are found, and what their meshes are called."""

import os
from pathlib import Path

import numpy as np
import pytest

import raw_codec
from meshset.errors import MeshsetError
from meshset.geometry import Mesh
from meshset.pipeline.steps.collect import Source, collect
from meshset.pipeline.steps.failures import FailureLog
from meshset.progress import Silent, listening


class Heard(Silent):
    def __init__(self, messages):
        self.messages = messages

    def note(self, message):
        self.messages.append(message)


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def found(*paths):
    log = FailureLog()
    collection = collect(paths, log)
    return [source.name for source in collection.sources], collection.skipped, log.failures


def test_folder_is_searched_in_sorted_order_and_other_kinds_are_counted(tmp_path):
    for name in ("b.obj", "a/z.PLY", "a/b/y.stl", "notes.txt", "a/material.mtl", "a.b.glb"):
        touch(tmp_path / name)
    assert found(tmp_path) == (["a/b/y", "a/z", "a.b", "b"], 2, ())


def test_file_is_named_by_its_stem(tmp_path):
    assert found(touch(tmp_path / "deep" / "cat.obj"))[0] == ["cat"]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["one/bunny.obj", "one/bunny.stl", "one/cat.obj"], ["bunny.obj", "bunny.stl", "cat"]),
        (["one/bunny.obj", "two/bunny.obj"], ["bunny", "bunny-2"]),
        (["one/bunny.obj", "one/bunny.stl", "two/bunny.obj"], ["bunny", "bunny-2", "bunny-3"]),
        (["one/bunny.obj", "one/bunny-2.obj", "two/bunny.obj"], ["bunny", "bunny-2", "bunny-3"]),
        (["one/bunny.obj", "one/bunny.stl", "one/bunny.obj.stl"], ["bunny", "bunny-2", "bunny.obj"]),
    ],
)
def test_files_that_share_a_name_are_told_apart(tmp_path, files, names):
    paths = [touch(tmp_path / name) for name in files]
    folders = sorted({path.parent for path in paths})
    heard = []
    with listening(Heard(heard)):
        kept, _, failures = found(*folders)
    assert sorted(kept) == sorted(names)
    assert failures == ()
    assert len(heard) == 1
    assert "share a name" in heard[0]


def test_same_file_given_twice_counts_once(tmp_path):
    file = touch(tmp_path / "a.obj")
    assert found(tmp_path, file) == (["a"], 0, ())


def test_missing_path_is_a_failure_and_the_rest_goes_on(tmp_path):
    file = touch(tmp_path / "a.obj")
    names, _, failures = found(tmp_path / "none", file)
    assert names == ["a"]
    assert str(failures[0]) == f"{tmp_path / 'none'}: no such file or folder"


@pytest.mark.skipif(os.name == "nt", reason="there are no such files on Windows")
def test_names_that_are_not_possible_everywhere_are_changed_and_told_once(tmp_path):
    for name in (
        "bracket .stl",
        "scan 12:30.obj",
        "con.ply",
        "dots/end..obj",
        "two\nlines.off",
        os.fsdecode(b"b\xf6x.obj"),
    ):
        touch(tmp_path / name)
    heard = []
    with listening(Heard(heard)):
        names, _, failures = found(tmp_path)
    assert sorted(names) == ["b_x", "bracket", "con_", "dots/end", "scan 12-30", "two_lines"]
    assert failures == ()
    assert heard == ["names changed to be possible on every system: 6, such as 'bracket ' to 'bracket'"]


def test_a_name_that_stays_impossible_is_a_failure(tmp_path):
    deep = Path(*["d" * 200] * 21)
    log = FailureLog()
    assert collect([Source((deep / "mesh").as_posix(), tmp_path / "mesh.obj")], log).sources == ()
    assert "longer than" in log.failures[0].reason


def test_what_macos_notes_beside_a_file_is_no_mesh(tmp_path):
    (tmp_path / "._cat.obj").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    touch(tmp_path / "cat.obj")
    touch(tmp_path / "._odd.obj")
    assert found(tmp_path) == (["._odd", "cat"], 0, ())


def test_a_string_is_one_path(tmp_path):
    touch(tmp_path / "cat.obj")
    assert [source.name for source in collect(str(tmp_path), FailureLog()).sources] == ["cat"]


def test_meshes_in_memory_have_the_names_of_their_keys(tmp_path):
    pair = (np.eye(3), np.array([[0, 1, 2]]))
    given = {"pets/dog": pair, "cat": raw_codec.box(tmp_path / "a.ply"), "hound": Mesh(*pair)}
    sources = collect(given, FailureLog()).sources
    assert [source.name for source in sources] == ["pets/dog", "cat", "hound"]
    assert [len(source.read().mesh.faces) for source in sources] == [1, 12, 1]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"a:b": "x.obj"}, "colon"),
        ({3: "x.obj"}, "3 cannot be the name of a mesh"),
        ({"cat": None}, "cat: NoneType is not a mesh: expected meshset.Mesh, trimesh.Trimesh"),
        ({"cat": (np.eye(4), [[0, 1, 2]])}, r"vertices are float64 of shape \(4, 4\), expected numbers of shape"),
        ({"cat": (np.eye(3), np.eye(3))}, r"faces are float64 of shape \(3, 3\), expected whole numbers"),
        ([Mesh(np.eye(3), np.array([[0, 1, 2]]))], "Mesh is not a path; meshes in memory need names"),
        (5, "int is not a path"),
    ],
)
def test_what_is_neither_path_nor_mesh_is_refused_at_once(given, reason):
    with pytest.raises(MeshsetError, match=reason):
        collect(given, FailureLog())


@pytest.mark.skipif(os.name == "nt", reason="folders are protected otherwise")
def test_unreadable_folder_is_a_failure(tmp_path, monkeypatch):
    touch(tmp_path / "a.obj")
    locked = tmp_path / "locked"
    touch(locked / "b.obj")
    real_scandir = os.scandir

    def scandir(path):
        # The tests may run as root, whom no permission stops.
        if os.fspath(path) == str(locked):
            raise PermissionError(13, "Permission denied", str(locked))
        return real_scandir(path)

    monkeypatch.setattr(os, "scandir", scandir)
    names, _, failures = found(tmp_path)
    assert names == ["a"]
    assert str(failures[0]) == f"{locked}: folder cannot be read (Permission denied)"


@pytest.mark.skipif(os.name == "nt", reason="links need rights")
def test_linked_folders_are_followed_but_not_in_circles(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    touch(elsewhere / "far.obj")
    folder = tmp_path / "models"
    touch(folder / "near.obj")
    (folder / "link").symlink_to(elsewhere)
    (folder / "circle").symlink_to(folder)
    assert found(folder) == (["link/far", "near"], 0, ())


def test_strict_log_raises_the_first_failure(tmp_path):
    with pytest.raises(MeshsetError, match="no such file or folder"):
        collect([tmp_path / "none"], FailureLog(strict=True))


def test_names_of_real_files_pass_through(tmp_path):
    raw_codec.box(tmp_path / "Würfel 1.obj")
    assert found(tmp_path)[0] == ["Würfel 1"]


def test_sources_keep_their_names(tmp_path):
    raw_codec.box(tmp_path / "a" / "mesh.ply")
    raw_codec.box(tmp_path / "b" / "mesh.ply")
    named = [Source(f"{part}/mesh", tmp_path / part / "mesh.ply") for part in "ab"]
    log = FailureLog()
    assert collect(named, log).sources == tuple(named)
    assert log.failures == ()
