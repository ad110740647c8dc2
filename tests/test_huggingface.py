"""The recipe of docs/huggingface.md runs as it stands: an archive becomes a data set of meshes, and comes back."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import trimesh

import meshset

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[1] / "docs" / "huggingface.md"
SHAPES = {
    "ball": trimesh.creation.icosphere(subdivisions=2),
    "parts/ring": trimesh.creation.torus(major_radius=3, minor_radius=1),
    "parts/box far away": trimesh.creation.box((1, 2, 3)).apply_translation((100, -20, 5)),
}


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """Run the page's code next to "models.mset" and return its variables; the user's cache stays as it is."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "recipe.py"
    script.write_text("\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)))
    return lambda: runpy.run_path(str(script))


def compress(shapes):
    meshset.compress(shapes, "models.mset", codec="draco", force=True)


def test_an_archive_becomes_a_data_set_of_meshes(recipe):
    compress(SHAPES)
    meshes = recipe()["meshes"]
    assert type(meshes.features["mesh"]).__name__ == "Mesh"
    with meshset.open("models.mset") as archive:
        assert meshes["name"][:] == list(archive)
        for row in meshes:
            loaded, mesh = row["mesh"].to_mesh(), archive[row["name"]]
            assert np.array_equal(loaded.vertices.astype(np.float32), mesh.vertices)
            assert np.array_equal(loaded.faces, mesh.faces)


def test_the_data_set_becomes_the_same_archive(recipe):
    compress(SHAPES)
    recipe()
    with meshset.open("models.mset") as archive, meshset.open("back.mset") as back:
        assert list(back) == list(archive)
        for name, mesh in archive.items():
            assert np.allclose(back[name].vertices, mesh.vertices, rtol=1e-6, atol=1e-6)
            assert np.array_equal(back[name].faces, mesh.faces)


def test_an_archive_that_changed_gives_another_data_set(recipe):
    for names in (["ball"], list(SHAPES)):
        compress({name: SHAPES[name] for name in names})
        Path("back.mset").unlink(missing_ok=True)
        assert recipe()["meshes"]["name"][:] == names
