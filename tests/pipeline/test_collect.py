"""Which files are found, and what their meshes are called."""

import os

import pytest

import raw_codec
from meshset.errors import MeshsetError
from meshset.pipeline.steps.collect import Source, collect
from meshset.pipeline.steps.failures import FailureLog


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


@pytest.mark.parametrize("names", [("one/bunny.obj", "one/bunny.stl"), ("one/bunny.obj", "two/bunny.obj")])
def test_second_file_of_a_name_is_a_failure_that_names_both(tmp_path, names):
    first, second = (touch(tmp_path / name) for name in names)
    folders = sorted({first.parent, second.parent})
    kept, _, failures = found(*folders)
    assert kept == ["bunny"]
    assert [failure.subject for failure in failures] == [str(second)]
    assert failures[0].reason == f"the name 'bunny' is taken by {first}"


def test_same_file_given_twice_counts_once(tmp_path):
    file = touch(tmp_path / "a.obj")
    assert found(tmp_path, file) == (["a"], 0, ())


def test_missing_path_is_a_failure_and_the_rest_goes_on(tmp_path):
    file = touch(tmp_path / "a.obj")
    names, _, failures = found(tmp_path / "none", file)
    assert names == ["a"]
    assert str(failures[0]) == f"{tmp_path / 'none'}: no such file or folder"


def test_invalid_name_is_a_failure(tmp_path):
    file = touch(tmp_path / "a:b.obj")
    names, _, failures = found(tmp_path)
    assert names == []
    assert failures[0].subject == str(file)
    assert "colon" in failures[0].reason


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
