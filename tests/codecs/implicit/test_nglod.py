"""NGLOD: octree, interpolation, size, bytes, and what comes back."""

from __future__ import annotations

import random

import numpy as np
import pytest

from meshset.codecs.implicit.network import stacked
from meshset.codecs.implicit.nglod import Nglod, NglodCodec
from meshset.coding import ByteReader
from meshset.errors import ArchiveError
from meshset.geometry import Mesh
from meshset.geometry.sampling import sample_surface
from tests.codecs.implicit.solids import BOX, QUICK, TORUS, assert_comes_back


def frame(network: Nglod, mesh: Mesh = TORUS):
    return network.frame_of(mesh, None, np.random.default_rng(0))


def looking_at_feature_0(network: Nglod, octree):
    """Weights under which the distance is the first feature, as long as that is above -10."""
    weights = network.initial(octree, np.random.default_rng(1))
    weights["0.weight"] = np.zeros_like(weights["0.weight"])
    weights["0.weight"][0, 3] = 1
    weights["0.bias"] = np.full_like(weights["0.bias"], 10)
    weights["last.weight"] = np.eye(1, network.width, dtype=np.float32)
    weights["last.bias"] = np.full(1, -10, np.float32)
    return weights


def test_level_1_has_125_corners_and_4737_weights():
    network = Nglod()
    assert network.parameters(frame(network)) == 125 * 32 + 4737


@pytest.mark.parametrize("levels", [2, 3])
def test_cells_are_those_that_hold_surface(levels):
    network = Nglod(levels)
    octree = frame(network)
    side = 4 << (levels - 1)
    cells = {tuple(cell) for cell in octree[f"cells.{levels}"]}
    points = sample_surface(TORUS, 5000, seed=5).points
    assert {tuple(cell) for cell in ((points + 1) / 2 * side).astype(int)} <= cells
    centres = (np.array(sorted(cells)) + 0.5) / side * 2 - 1
    depth = np.hypot(np.hypot(centres[:, 0], centres[:, 1]) - 0.7, centres[:, 2]) - 0.29
    assert np.abs(depth).max() < 3**0.5 / side + 0.01
    assert octree[f"rows.{levels}"].shape == ((side + 1) ** 3,)
    assert octree[f"rows.{levels}"].max() + 1 < (side + 1) ** 3


def test_interpolation_is_exact_for_functions_that_are_linear_along_each_axis():
    network = Nglod(features=1)
    octree = frame(network)
    weights = looking_at_feature_0(network, octree)
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, 5)] * 3, indexing="ij")
    weights["features.1"] = (x + 2 * y * z).reshape(-1, 1).astype(np.float32)
    points = np.random.default_rng(0).uniform(-1, 1, (3, 200)).astype(np.float32)
    points[:, 0] = 1
    found = network.distance(stacked([weights]), stacked([octree]), points[None])[0]
    np.testing.assert_allclose(found, points[0] + 2 * points[1] * points[2], atol=1e-5)


def test_the_field_is_continuous_also_where_the_octree_ends():
    network = Nglod(levels=3)
    octree = frame(network)
    weights = network.initial(octree, np.random.default_rng(0))
    for level in (1, 2, 3):
        weights[f"features.{level}"] *= 100
    way = np.linspace([-0.98, -0.9, -0.4], [0.97, 0.9, 0.5], 20_001).T.astype(np.float32)
    found = network.distance(stacked([weights]), stacked([octree]), way[None])[0]
    assert np.ptp(found) > 1
    assert np.abs(np.diff(found)).max() < 0.01


def test_torch_and_numpy_agree_and_meshes_of_a_batch_do_not_meet():
    torch = pytest.importorskip("torch")
    network = Nglod(levels=3, features=8, width=16)
    octrees = [frame(network), frame(network, BOX)]
    weights = [network.initial(octree, np.random.default_rng(seed)) for seed, octree in enumerate(octrees)]
    points = np.random.default_rng(2).uniform(-1, 1, (2, 3, 100)).astype(np.float32)
    together = network.distance(
        {k: torch.from_numpy(v) for k, v in stacked(weights).items()},
        {k: torch.from_numpy(v) for k, v in stacked(octrees).items()},
        torch.from_numpy(points),
    )
    for i in (0, 1):
        alone = network.distance(stacked([weights[i]]), stacked([octrees[i]]), points[i : i + 1])
        np.testing.assert_allclose(alone[0], together[i].numpy(), atol=1e-6)


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_an_octree_comes_back_from_a_byte_a_cell(levels):
    network = Nglod(levels)
    octree = frame(network)
    packed = network.pack_frame(octree)
    back = network.read_frame(ByteReader(packed))
    assert list(back) == list(octree)
    for name, values in octree.items():
        np.testing.assert_array_equal(back[name], values)
    parents = sum(len(octree[f"cells.{level}"]) for level in range(1, levels))
    assert len(packed) == parents


def test_damaged_octrees_are_refused_or_valid():
    network = Nglod(3)
    packed = network.pack_frame(frame(network))
    dice = random.Random(0)
    for _ in range(200):
        damaged = bytearray(packed)
        for _ in range(dice.randint(1, 3)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            octree = network.read_frame(ByteReader(bytes(damaged)))
        except ArchiveError:
            continue
        assert 0 < len(octree["cells.3"]) <= 16**3


def test_a_set_comes_back():
    codec = NglodCodec(network=Nglod(levels=2, features=8, width=32), recipe=QUICK)
    assert_comes_back(codec, 0.02)


@pytest.mark.parametrize("numbers", [(0, 32, 128), (6, 32, 128), (1, 0, 128), (1, 32, 0)])
def test_invalid_networks_are_refused(numbers):
    with pytest.raises(ValueError, match="levels"):
        Nglod(*numbers)
    with pytest.raises(ArchiveError, match="invalid"):
        Nglod.read(numbers)
