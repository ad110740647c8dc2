"""Archives in training loops: the same meshes in every worker, points as they should be."""

import multiprocessing
import pickle

import numpy as np
import pytest
import torch
import trimesh
from torch.utils.data import DataLoader

import meshset
from meshset.torch import MeshSet, collate

METHODS = [method for method in ("fork", "spawn") if method in multiprocessing.get_all_start_methods()]


@pytest.fixture
def path(tmp_path):
    """Five boxes and two balls."""
    boxes = {f"boxes/{side}": trimesh.creation.box((side, 1, 2)) for side in range(1, 6)}
    balls = {f"balls/{count}": trimesh.creation.icosphere(subdivisions=count) for count in (1, 2)}
    return meshset.compress({**boxes, **balls}, tmp_path / "set.mset", codec="draco", device="cpu").path


def loaded(meshes, **options):
    return list(DataLoader(meshes, batch_size=2, collate_fn=collate, **options))


def equal(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(value, other[key]) if isinstance(value, torch.Tensor) else value == other[key]
        for key, value in one.items()
    )


def test_an_item_is_a_mesh(path):
    meshes = MeshSet(path)
    assert len(meshes) == 7
    item = meshes[-1]
    with meshset.open(path) as archive:
        mesh = archive["balls/2"]
    assert item["name"] == "balls/2"
    assert (item["vertices"].dtype, item["faces"].dtype) == (torch.float32, torch.int64)
    assert np.array_equal(item["vertices"].numpy(), mesh.vertices)
    assert np.array_equal(item["faces"].numpy(), mesh.faces)
    with pytest.raises(IndexError):
        meshes[7]


def test_names_select_and_a_transform_has_the_last_word(path):
    meshes = MeshSet(path, transform=lambda item: item["name"].upper(), names=["balls/", "boxes/3"])
    assert list(map(meshes.__getitem__, range(len(meshes)))) == ["BOXES/3", "BALLS/1", "BALLS/2"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"points": 0}, "points must be a whole number from 1, not 0"),
        ({"points": 2.5}, "points must be a whole number from 1, not 2.5"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"names": "bal"}, "holds no mesh named 'bal'"),
    ],
)
def test_wrong_arguments_are_refused_at_once(path, wrong, reason):
    with pytest.raises(meshset.MeshsetError, match=reason):
        MeshSet(path, **wrong)


@pytest.mark.parametrize("points", [None, 64])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("workers", [1, 2])
def test_workers_read_what_the_main_process_reads(path, points, method, workers):
    meshes = MeshSet(path, points=points)
    alone = loaded(meshes)
    shared = loaded(meshes, num_workers=workers, multiprocessing_context=method)
    assert len(alone) == len(shared) == 4
    assert all(map(equal, alone, shared))


@pytest.mark.parametrize("method", METHODS)
def test_workers_that_live_on_hear_of_a_new_epoch(path, method):
    meshes = MeshSet(path, points=16)
    loader = DataLoader(
        meshes, batch_size=7, num_workers=1, persistent_workers=True, multiprocessing_context=method, collate_fn=collate
    )
    drawn = []
    for epoch in (0, 1, 0):
        meshes.set_epoch(epoch)
        drawn.append(next(iter(loader))["points"])
    assert torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], drawn[1])


def test_points_depend_on_seed_epoch_and_index_alone(path):
    meshes = MeshSet(path, points=50)
    first = meshes[3]["points"]
    meshes[0]
    assert torch.equal(meshes[3]["points"], first)
    assert torch.equal(pickle.loads(pickle.dumps(meshes))[3]["points"], first)  # noqa: S301
    assert not torch.equal(MeshSet(path, points=50, seed=1)[3]["points"], first)
    meshes.set_epoch(1)
    assert not torch.equal(meshes[3]["points"], first)


def test_points_are_uniform_over_the_area(path):
    item = MeshSet(path, points=20_000, names="boxes/5")[0]
    points, normals = item["points"].numpy(), item["normals"].numpy()
    sides = np.array([5, 1, 2])
    to_wall = np.abs(np.abs(points - points.mean(0).round(0)) - sides / 2).min(1)
    assert to_wall.max() < 0.01
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    shares = np.bincount(np.abs(normals).argmax(1)) / len(normals)
    areas = np.array([1 * 2, 5 * 2, 5 * 1])
    np.testing.assert_allclose(shares, areas / areas.sum(), atol=0.02)


def test_a_batch_of_meshes_is_packed(path):
    meshes = MeshSet(path)
    items = [meshes[0], meshes[5], meshes[6]]
    batch = collate(items)
    assert batch["name"] == [item["name"] for item in items]
    for place, item in enumerate(items):
        own = batch["face_mesh"] == place
        start = int((batch["vertex_mesh"] < place).sum())
        assert torch.equal(batch["faces"][own] - start, item["faces"])
        assert torch.equal(batch["vertices"][batch["vertex_mesh"] == place], item["vertices"])


def test_a_decoder_is_parsed_once_in_each_process(path, monkeypatch):
    opened = []
    meshes = MeshSet(path)
    honest = type(meshes._archive)._open_decoder
    monkeypatch.setattr(type(meshes._archive), "_open_decoder", lambda *args: opened.append(args[1:]) or honest(*args))
    again = pickle.loads(pickle.dumps(meshes))  # noqa: S301
    loaded(again)
    loaded(again)
    assert len(opened) == 1
