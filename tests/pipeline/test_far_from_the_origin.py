"""Meshes as surveyors have them, metres in a country of a million: what the archive states is what users get."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import trimesh

import meshset
from meshset.geometry import Mesh
from meshset.geometry.reading import read_mesh
from meshset.torch import MeshSet

RADIUS = 1.0
EAST_NORTH = (512_346.25, 4_987_654.5, 12.0)


def ball(offset: tuple[float, float, float]) -> Mesh:
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=RADIUS)
    return Mesh(sphere.vertices + offset, sphere.faces.astype(np.int32))


@pytest.fixture
def archive(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "set.mset"
    meshset.compress({"far": ball(EAST_NORTH), "near": ball((0, 0, 3))}, path, codec=request.param, max_error=0.002)
    return path


every_codec = pytest.mark.parametrize("archive", ["draco", "ply-zstd"], indirect=True)


@every_codec
def test_the_error_is_the_one_that_the_index_states(archive: Path) -> None:
    with meshset.open(archive) as opened:
        far, near = opened["far"], opened["near"]
        entry = opened.entries["far"]
    assert (far.vertices.dtype, near.vertices.dtype) == (np.float64, np.float32)
    assert entry.within_bound
    assert entry.codec_id == (2 if opened.settings["codec"] == "draco" else 3)
    distances = np.linalg.norm(far.vertices - EAST_NORTH, axis=1) - RADIUS
    diagonal = 2 * np.sqrt(3) * RADIUS
    assert np.abs(distances).max() < 0.002 * diagonal
    assert meshset.verify(archive, {"far": ball(EAST_NORTH), "near": ball((0, 0, 3))}, deep=True).failures == ()
    measured = meshset.evaluate(archive, {"far": ball(EAST_NORTH), "near": ball((0, 0, 3))}).metrics["far"]
    assert measured.mean_distance == pytest.approx(entry.mean_distance, rel=0.1, abs=1e-6)


@every_codec
@pytest.mark.parametrize("format", ["ply", "obj", "off", "glb"])
def test_files_keep_the_shape(archive: Path, tmp_path: Path, format: str) -> None:
    path = tmp_path / f"far.{format}"
    result = meshset.extract(archive, "far", path)
    assert result.notes == ()
    original, back = ball(EAST_NORTH).to_trimesh(), read_mesh(path).mesh
    assert np.abs(np.subtract(back.bounds, original.bounds)).max() < 0.01
    assert back.to_trimesh().volume == pytest.approx(original.volume, rel=0.01)
    by_trimesh = trimesh.load(path, force="mesh", process=False)
    assert np.abs(by_trimesh.bounds - original.bounds).max() < 0.01


@every_codec
def test_stl_says_that_it_cannot(archive: Path) -> None:
    result = meshset.extract(archive, "far", io.BytesIO(), format="stl")
    assert [note.split(":")[0] for note in result.notes] == ["far"]
    assert "STL, which holds float32, distorts its shape" in result.notes[0]
    assert meshset.extract(archive, "near", io.BytesIO(), format="stl").notes == ()


@every_codec
def test_training_gets_the_shape(archive: Path) -> None:
    points = MeshSet(archive, points=100)[0]["points"].numpy()
    assert np.abs(np.linalg.norm(points - EAST_NORTH, axis=1) - RADIUS).max() < 0.02


def test_an_extent_that_float32_cannot_tell_from_a_point_comes_back(tmp_path: Path) -> None:
    offset = (3e9, -3e9, 3e9)
    meshset.compress({"ball": ball(offset)}, tmp_path / "set.mset", codec="ply-zstd")
    with meshset.open(tmp_path / "set.mset") as archive:
        distances = np.linalg.norm(archive["ball"].vertices - offset, axis=1)
    assert np.abs(distances - RADIUS).max() < 1e-5
