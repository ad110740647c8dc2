"""The network of the key spheres paper: its size, its features, its bytes, and what comes back."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from meshset.codecs.implicit.key_spheres import KeySpheres, KeySpheresCodec
from meshset.codecs.implicit.network import stacked
from meshset.coding import ByteReader
from meshset.errors import ArchiveError
from meshset.evaluation import signed_distance
from meshset.geometry import Mesh
from tests.codecs.implicit.solids import BOX, QUICK, TORUS, assert_comes_back


def frame(network: KeySpheres, mesh: Mesh = TORUS):
    return network.frame_of(mesh, None, np.random.default_rng(0))


def equation_4(spheres: int, layers: int, width: int) -> int:
    """Eq. 4 as it is printed."""
    return spheres * 4 + 29 * 4 + width * layers + 30 + width * width * (layers - 1) + (width + 1) * 32


def test_the_papers_network_stores_7026_numbers():
    assert KeySpheres().stored_floats({}) == equation_4(128, 6, 32) == 7026


@pytest.mark.parametrize("spheres", [32, 128, 512])
@pytest.mark.parametrize("layers", [3, 4, 5, 6])
@pytest.mark.parametrize("width", [16, 32, 48, 64])
def test_the_size_is_equation_4(spheres, layers, width):
    # The last layer has `width` weights; the printed formula has 32 there, its default.
    counted = KeySpheres(spheres, layers, width).stored_floats({})
    assert counted == equation_4(spheres, layers, width) - 32 + width
    latent = KeySpheres(spheres, layers, width, latent=1).stored_floats({})
    assert latent == counted - 29 * 4 - 29 + spheres * 29


@pytest.mark.parametrize("latent", [0, 1])
def test_features_are_the_mean_of_those_of_the_spheres_by_equation_3(latent):
    network = KeySpheres(spheres=5, layers=1, width=29, latent=latent)
    spheres = frame(network)
    weights = network.initial(spheres, np.random.default_rng(1))
    # One hidden layer that shifts a feature up to where ReLU lets it pass, and a last one that looks at one of them.
    weights["0.weight"] = np.concatenate([np.zeros((29, 3)), np.eye(29)], axis=1).astype(np.float32)
    weights["0.bias"] = np.full(29, 10, np.float32)
    weights["last.bias"] = np.full(1, -1, np.float32)
    points = np.random.default_rng(2).uniform(-1, 1, (3, 40)).astype(np.float32)
    if latent:
        of_spheres = weights["latent"]
    else:
        of_spheres = spheres["spheres"] @ weights["sphere.weight"].T + weights["sphere.bias"]
        assert (of_spheres < 0).any()
    for feature in (0, 28):
        weights["last.weight"] = 0.1 * np.eye(29, dtype=np.float32)[[feature]]
        found = network.distance(stacked([weights]), stacked([spheres]), points[None])[0]
        for point, value in zip(points.T, found, strict=True):
            d = [2 * r + np.linalg.norm(point - centre) for *centre, r in spheres["spheres"]]
            mean = sum(one / sum(d) * z[feature] for one, z in zip(d, of_spheres, strict=True))
            assert value == pytest.approx(np.tanh(0.1 * mean), abs=1e-5)


def test_torch_and_numpy_agree():
    torch = pytest.importorskip("torch")
    network = KeySpheres(spheres=16, layers=2, width=16)
    spheres = stacked([frame(network), frame(network, BOX)])
    weights = stacked([network.initial({}, np.random.default_rng(seed)) for seed in (0, 1)])
    points = np.random.default_rng(2).uniform(-1, 1, (2, 3, 50)).astype(np.float32)
    ours = network.distance(weights, spheres, points)
    theirs = network.distance(
        {k: torch.from_numpy(v) for k, v in weights.items()},
        {k: torch.from_numpy(v) for k, v in spheres.items()},
        torch.from_numpy(points),
    )
    assert ours.shape == (2, 50)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


def test_spheres_are_stored_in_a_few_bits_each_and_come_back():
    network = KeySpheres()
    spheres = frame(network)
    packed = network.pack_frame(spheres)
    back = network.read_frame(ByteReader(packed))
    np.testing.assert_array_equal(back["spheres"], spheres["spheres"])
    assert back["spheres"].dtype == np.float32
    assert len(packed) < 128 * 4 * 9 / 8
    # They are inside to within rounding: half of 1 / 512 along each axis, and as much for the radius.
    depth = -signed_distance(TORUS)(spheres["spheres"][:, :3].astype(np.float64))
    np.testing.assert_allclose(depth, spheres["spheres"][:, 3], atol=(3**0.5 + 1) / 1024)


def test_damaged_spheres_are_refused_or_valid():
    network = KeySpheres(spheres=32)
    packed = network.pack_frame(frame(network))
    dice = random.Random(0)
    for _ in range(300):
        damaged = bytearray(packed)
        for _ in range(dice.randint(1, 3)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            spheres = network.read_frame(ByteReader(bytes(damaged)))["spheres"]
        except ArchiveError:
            continue
        assert spheres.shape == (32, 4)
        assert np.abs(spheres).max() <= 1
        assert spheres[:, 3].min() >= 0


@pytest.mark.parametrize("latent", [0, 1])
def test_a_set_comes_back(latent):
    codec = KeySpheresCodec(network=KeySpheres(spheres=32, layers=3, latent=latent), recipe=QUICK)
    coded = assert_comes_back(codec, 0.03)
    assert coded.report["float32_bytes"] == 4 * codec.network.stored_floats({})


def test_a_sheet_is_kept_with_spheres_that_are_points():
    corners = np.array([[-0.9, -0.9, 0], [0.9, -0.9, 0], [0.9, 0.9, 0], [-0.9, 0.9, 0]])
    sheet = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))
    np.testing.assert_array_equal(frame(KeySpheres(spheres=8), sheet)["spheres"][:, 3], 0)


@pytest.mark.parametrize("name", ["key-spheres", "nglod"])
def test_reading_needs_neither_torch_nor_libigl(name):
    archive = Path(__file__).parents[2] / "data" / "implicit" / f"{name}.mset"
    script = (
        f"import sys, meshset\nwith meshset.open({str(archive)!r}) as archive: [archive[name] for name in archive]\n"
    )
    script += "assert not {'torch', 'igl', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("numbers", [(0, 6, 32, 0), (5000, 6, 32, 0), (128, 0, 32, 0), (128, 6, 0, 0), (128, 6, 32, 2)])
def test_invalid_networks_are_refused(numbers):
    with pytest.raises(ValueError, match=r"spheres|layers"):
        KeySpheres(*numbers)
    with pytest.raises(ArchiveError, match="invalid"):
        KeySpheres.read(numbers)
