"""Fields that are found again, unless they are damaged or too many."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from meshset.field import Field, compute_field
from meshset.field.cache import CacheSize, FieldCache, cache_folder, field_key
from tests.field import shapes

MESH = shapes.sphere(0.8, rings=8)
KEY = field_key(MESH, 32, "tsdf")


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A field file."""
    path = tmp_path / "field.npz"
    compute_field(MESH, 32)[0].save(path)
    return path


@pytest.fixture
def cache(tmp_path: Path, stored: Path) -> FieldCache:
    """A cache in "cache" with one entry."""
    cache = FieldCache(tmp_path / "cache")
    cache.store(KEY, stored, ("one", "two ü"))
    return cache


def test_a_field_is_found_with_its_notes(cache: FieldCache, stored: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.npz"
    assert cache.load(KEY, copy) == ("one", "two ü")
    assert copy.read_bytes() == stored.read_bytes()
    assert np.array_equal(Field.load(copy).tsdf, Field.load(stored).tsdf)
    cache.store("0" * 64, stored, ())
    assert cache.load("0" * 64, copy) == ()
    assert cache.load("1" * 64, copy) is None


def test_every_damage_makes_an_entry_absent(cache: FieldCache, tmp_path: Path) -> None:
    (entry,) = (tmp_path / "cache").iterdir()
    whole = entry.read_bytes()
    copy = tmp_path / "copy.npz"
    for damaged in (b"", whole[:3], whole[:-1], whole + b"x", b"x" + whole[1:], whole[:500] + whole[501:]):
        entry.write_bytes(damaged)
        assert cache.load(KEY, copy) is None
        assert not entry.exists()
        assert not copy.exists()


def test_the_key_depends_on_mesh_and_settings() -> None:
    moved = replace(MESH, vertices=MESH.vertices * np.float32(0.99))
    turned = replace(MESH, faces=MESH.faces[:, ::-1].copy())
    keys = {KEY, field_key(moved, 32, "tsdf"), field_key(turned, 32, "tsdf"), field_key(MESH, 64, "tsdf")}
    assert len(keys | {field_key(MESH, 32, "tsdf-def")}) == 5
    assert field_key(MESH, 32, "tsdf") == KEY


def test_what_was_not_used_for_longest_goes(tmp_path: Path, stored: Path) -> None:
    folder = tmp_path / "cache"
    size = stored.stat().st_size
    cache = FieldCache(folder, max_bytes=3 * size + 200)
    for number in range(3):
        cache.store(f"{number}", stored, ())
        os.utime(folder / f"{number}.field", (number, number))
    assert cache.load("0", tmp_path / "copy.npz") == ()
    cache.store("3", stored, ())
    assert sorted(path.stem for path in folder.iterdir()) == ["0", "2", "3"]


def test_clearing_leaves_other_files(cache: FieldCache, tmp_path: Path) -> None:
    (tmp_path / "cache" / "mine.txt").write_text("kept")
    before = cache.size()
    assert before.entries == 1
    assert cache.clear() == before
    assert cache.size() == CacheSize(0, 0)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["mine.txt"]
    assert FieldCache(tmp_path / "none").clear() == CacheSize(0, 0)


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path, stored: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = FieldCache(tmp_path / "file" / "cache")
    cache.store(KEY, stored, ())
    assert cache.load(KEY, tmp_path / "copy.npz") is None
    assert cache.size() == CacheSize(0, 0)


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHSET_CACHE", "/somewhere/else")
    assert cache_folder() == Path("/somewhere/else")
    monkeypatch.delenv("MESHSET_CACHE")
    assert "meshset" in cache_folder().parts
