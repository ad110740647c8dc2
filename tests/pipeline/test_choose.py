"""The default: each mesh in the fewest bytes that keep its bound, or all of them in a size."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import DracoPy
import numpy as np
import pytest
import trimesh

import meshset
from meshset.archive import MeshEntry
from meshset.codecs import codec_label
from meshset.codecs.peers.simplification import simplify
from meshset.codecs.protocol import Settings
from meshset.errors import MeshsetError
from meshset.evaluation import Parts, surface_distance
from meshset.geometry import Mesh, Placement
from meshset.pipeline.add import add
from meshset.pipeline.add import replace as replace_in
from meshset.pipeline.compress import compress
from meshset.pipeline.edit import remove
from meshset.pipeline.steps import choose
from meshset.pipeline.steps.draft import Draft
from meshset.pipeline.steps.ladder import Alone
from meshset.pipeline.summary import list_meshes, summarise

FAST = {"preset": "fast", "device": "cpu"}


@pytest.fixture(scope="module")
def meshes():
    """Normalised meshes of different kinds."""
    made = {
        "ball": trimesh.creation.icosphere(3).apply_scale([1.0, 0.7, 0.5]),
        "box": trimesh.creation.box((1.0, 0.6, 0.3)).subdivide().subdivide(),
        "pill": trimesh.creation.capsule(2.0, 0.5, count=[24, 24]),
        "ring": trimesh.creation.torus(1.0, 0.3, 32, 24),
        "washer": trimesh.creation.annulus(0.4, 1.0, 0.3, sections=40),
    }
    plain = {name: Mesh(np.array(one.vertices), np.array(one.faces, np.int32)) for name, one in made.items()}
    return {name: Placement.of(mesh).normalise(mesh) for name, mesh in plain.items()}


@pytest.fixture(scope="module")
def usual(meshes, tmp_path_factory):
    """The archive that the default makes of them."""
    return compress(meshes, tmp_path_factory.mktemp("usual") / "set.mset", **FAST).path


def distances(archive, meshes, seed=5):
    """Mean and largest distance of each mesh as shares of its diagonal, from other samples than were measured."""
    found = {}
    with meshset.open(archive) as opened:
        for name, mesh in opened.items():
            placement = Placement.of(meshes[name])
            away = surface_distance(meshes[name], mesh, 20_000, seed=seed)
            found[name] = np.array(away) / placement.diagonal
    return found


def smallest_draco(mesh, bound):
    """Bytes of the smallest Draco file of a simplified mesh whose mean distance is within a bound (in the cube)."""
    sizes = []
    for share in (1.0, 0.5, 0.25, 0.12, 0.06, 0.03):
        simple = simplify(mesh, share)[0]
        for bits in (7, 8, 9, 10, 11):
            data = DracoPy.encode(
                simple.vertices.astype(np.float32), simple.faces, quantization_bits=bits, compression_level=10
            )
            back = DracoPy.decode(data)
            decoded = Mesh(np.asarray(back.points).reshape(-1, 3), np.asarray(back.faces).reshape(-1, 3))
            if surface_distance(mesh, decoded, 5_000)[0] <= bound:
                sizes.append(len(data))
    return min(sizes)


def test_no_payload_is_larger_than_the_ordinary_codecs(usual, meshes):
    for entry in list_meshes(usual):
        mesh = meshes[entry.name]
        assert entry.length <= smallest_draco(mesh, 0.001 * Placement.of(mesh).diagonal)
        assert entry.mean_error_of_diagonal <= 0.001
    assert all(mean <= 0.001 for mean, _ in distances(usual, meshes).values())


def test_what_each_candidate_would_take_is_stored_and_told(usual):
    summary = summarise(usual)
    takes = summary.settings["report"]["would_take"]
    assert set(takes) == {"control-mesh", "draco"}
    assert summary.payload_bytes <= min(takes.values())
    assert f"draco {takes['draco']}" in " ".join(str(summary).split())


def test_meshes_that_join_take_the_fewest_bytes_within_the_same_bound(meshes, tmp_path):
    some = {name: meshes[name] for name in ("ball", "box")}
    grown = compress(some, tmp_path / "set.mset", **FAST).path
    joining = {"washer": meshes["washer"]}
    result = add(grown, joining)
    (entry,) = result.entries
    assert (entry.rung, entry.bound) == ("alone", pytest.approx(0.001))
    assert entry.mean_error_of_diagonal <= 0.001
    assert entry.length <= smallest_draco(meshes["washer"], 0.001 * Placement.of(meshes["washer"]).diagonal)
    coarser = add(grown, {"again": meshes["washer"]}, max_error=0.01).entries[0]
    assert coarser.length < entry.length
    assert 0.001 < coarser.mean_error_of_diagonal <= 0.01


def test_an_emptied_archive_takes_what_is_smallest_again(meshes, tmp_path):
    made = compress({"ball": meshes["ball"]}, tmp_path / "set.mset", max_error=0.02, **FAST)
    remove(made.path, ["ball"])
    entry = add(made.path, {"ring": meshes["ring"]}).entries[0]
    assert (entry.rung, entry.bound) == ("alone", pytest.approx(0.02))
    assert 0.001 < entry.mean_error_of_diagonal <= 0.02
    replaced = replace_in(made.path, {"ring": meshes["ball"]}).entries[0]
    assert (replaced.rung, replaced.bound) == ("alone", pytest.approx(0.02))


def test_the_largest_distance_is_bounded_too(usual, meshes, tmp_path):
    loose = max(largest for _, largest in distances(usual, meshes).values())
    archive = compress(meshes, tmp_path / "set.mset", max_distance=loose / 2, **FAST).path
    for entry in list_meshes(archive):
        assert entry.max_error_of_diagonal <= loose / 2
    assert max(largest for _, largest in distances(archive, meshes).values()) <= 1.15 * loose / 2
    assert summarise(archive).settings["max_distance"] == loose / 2
    assert archive.stat().st_size > usual.stat().st_size


def test_the_largest_distance_alone_bounds_a_codec_that_was_named(meshes, tmp_path):
    archive = compress(meshes, tmp_path / "set.mset", max_distance=0.01, codec="draco", **FAST).path
    assert {codec_label(entry.codec_id) for entry in list_meshes(archive)} <= {"draco", "control-mesh"}
    assert all(entry.max_error_of_diagonal <= 0.01 for entry in list_meshes(archive))


def test_a_rate_moves_the_bound(usual, meshes, tmp_path):
    archive = compress(meshes, tmp_path / "set.mset", rate=0.25, **FAST).path
    assert summarise(archive).settings["max_error"] == 0.004
    assert summarise(archive).payload_bytes < 0.6 * summarise(usual).payload_bytes


def test_a_size_is_filled_within_a_bound_for_all(usual, meshes, tmp_path):
    two = {name: meshes[name] for name in ("pill", "ring")}
    wanted = round(0.8 * usual.stat().st_size)
    archive = compress(two, tmp_path / "set.mset", target_size=wanted, **FAST).path
    assert archive.stat().st_size == pytest.approx(wanted, rel=0.05)
    settings = summarise(archive).settings
    assert settings["target_size"] == wanted
    assert all(entry.mean_error_of_diagonal <= settings["parameters"]["error"] for entry in list_meshes(archive))


ENTRY = MeshEntry(
    name="stand",
    codec_id=17,
    shared=None,
    offset=0,
    length=1,
    crc32c=0,
    lower=(0.0, 0.0, 0.0),
    upper=(1.0, 0.0, 0.0),
    vertices=3,
    faces=1,
    source_vertices=3,
    source_faces=1,
    source_bytes=60,
    mean_distance=None,
    max_distance=None,
    peak_memory=0,
    notes=(),
)
"""Its diagonal is 1, so that errors are shares of it."""


class Stand(NamedTuple):
    """In place of a mesh that is coded: how many bytes it takes at a bound of 0.001."""

    worth: float


@pytest.fixture
def modelled(monkeypatch):
    """Code `Stand`s: bytes fall with the bound, unevenly."""

    def alone(mesh, bound, settings):
        uneven = 1.0 + 0.1 * math.sin(8.0 * math.log(bound.mean) + mesh.worth)
        payload = bytes(1 + round(uneven * mesh.worth * (0.001 / bound.mean) ** 1.1))
        return Alone(Draft(replace(ENTRY, mean_distance=bound.mean), payload, Parts(0, 1)), {})

    monkeypatch.setattr(choose, "alone", alone)


@pytest.mark.parametrize("size", [2_000, 20_000, 60_000])
@pytest.mark.parametrize("count", [1, 4, 300])
def test_sizes_are_filled(modelled, size, count):
    sizes = []
    meshes = [Stand(100.0 + 40.0 * (place % 7)) for place in range(count)]
    coded, bound = choose.filling(meshes, lambda kept, least: sizes.append(len(kept)) or size, Settings())
    assert set(sizes) == {count}
    taken = sum(len(one.outcome.payload) for one in coded)
    assert taken <= size
    assert taken >= (0.9 if count == 1 else 0.95) * size
    assert all(one.outcome.entry.mean_distance <= bound for one in coded)


def test_a_size_that_is_out_of_reach_says_so(modelled):
    def budget(kept, least):
        if least > 100:
            raise MeshsetError(f"ask for more than {least}")
        return 100

    with pytest.raises(MeshsetError, match="ask for more than"):
        choose.filling([Stand(1e6)] * 4, budget, Settings())


def test_a_size_that_names_and_index_take_is_refused_before_any_work(meshes, tmp_path):
    with pytest.raises(MeshsetError, match="cannot be reached"):
        compress(meshes, tmp_path / "set.mset", target_size=100, **FAST)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options",
    [
        {"max_distance": 0.0},
        {"max_distance": float("nan")},
        {"max_distance": 0.01, "target_size": 5000},
        {"rate": 0.0},
        {"rate": 0.5, "target_ratio": 50.0},
    ],
)
def test_wishes_that_cannot_be_are_refused_before_any_work(meshes, tmp_path, options):
    with pytest.raises(MeshsetError):
        compress(meshes, tmp_path / "set.mset", **options)
