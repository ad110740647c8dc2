"""Every family of the procedural sample set: sound, different, repeatable."""

import subprocess
import sys
from itertools import islice

import numpy as np
import pytest

from meshset.geometry.diagnosis import diagnose, signed_volume
from meshset.geometry.mesh import Mesh
from meshset.geometry.samples import FAMILIES, sample_meshes

NAMES = sorted(FAMILIES)


def fingerprint(mesh: Mesh) -> bytes:
    return mesh.vertices.tobytes() + mesh.faces.tobytes()


def test_there_are_many_families() -> None:
    assert len(NAMES) >= 8


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_meshes_are_closed_manifold_and_outward(name: str, seed: int) -> None:
    mesh = FAMILIES[name](np.random.default_rng(seed))
    found, peer = diagnose(mesh), mesh.to_trimesh()
    assert found.watertight
    assert found.defects() == ()
    assert signed_volume(mesh) > 0
    assert peer.is_volume
    assert all(part.volume > 0 for part in peer.split(only_watertight=False))
    assert found.vertices == len(np.unique(mesh.faces))
    assert 2_000 <= found.faces <= 30_000
    assert (mesh.vertices.dtype, mesh.faces.dtype) == (np.float64, np.int32)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_change_the_shape(name: str) -> None:
    first, again, other = (FAMILIES[name](np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert fingerprint(first) == fingerprint(again)
    volumes = [signed_volume(mesh) / np.prod(np.subtract(*mesh.bounds[::-1])) for mesh in (first, other)]
    assert abs(volumes[0] - volumes[1]) > 1e-6


def test_names_count_up_within_each_family() -> None:
    count = len(FAMILIES) + 2
    names = [name for name, _ in sample_meshes(count)]
    assert names[: len(FAMILIES)] == [f"{name}-000" for name in FAMILIES]
    assert names[len(FAMILIES) :] == [f"{name}-001" for name in list(FAMILIES)[:2]]
    assert list(sample_meshes(0)) == []


def test_a_set_repeats_and_grows_at_its_end() -> None:
    short = [(name, fingerprint(mesh)) for name, mesh in sample_meshes(3, seed=5)]
    long = [(name, fingerprint(mesh)) for name, mesh in islice(sample_meshes(100, seed=5), 3)]
    other = [(name, fingerprint(mesh)) for name, mesh in sample_meshes(3, seed=6)]
    assert short == long
    assert [name for name, _ in short] == [name for name, _ in other]
    assert all(one != two for (_, one), (_, two) in zip(short, other, strict=True))


def test_samples_need_numpy_alone() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['igl', 'scipy', 'torch', 'trimesh']));"
        "from meshset.geometry.samples import sample_meshes; print(len(list(sample_meshes(12))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "12"
