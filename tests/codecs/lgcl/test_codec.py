"""Codec lgcl: graph layers against dense references, the scaffold, the loss, and the codec as its users see it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from meshset.codecs import codec_by_name
from meshset.codecs.latent_sdf.bitstream import pack_payload, pack_shared, read_payload, read_shared
from meshset.codecs.latent_sdf.recipe import Recipe
from meshset.codecs.lgcl.building import build_scaffold
from meshset.codecs.lgcl.codec import LgclCodec
from meshset.codecs.lgcl.graph import chebyshev, elu, varying
from meshset.codecs.lgcl.network import HEAD, Lgcl, nearest
from meshset.codecs.lgcl.objective import as_tensor, dissimilarity, ring_means
from meshset.codecs.lgcl.scaffold import Connectivity, Scaffold, read_scaffold
from meshset.codecs.protocol import CodedMesh, CodedSet, Refusal, Settings
from meshset.coding import ByteReader
from meshset.errors import MeshFileError
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh
from tests.field import shapes

SETTINGS = Settings(resolution=32)
TORUS = shapes.torus(rows=16, columns=8)
POSES = [Mesh(TORUS.vertices * np.array(scale), TORUS.faces) for scale in ([1, 1, 1], [0.8, 1, 1], [1, 0.7, 0.9])]
SHORT = Recipe(epochs=2, points=50, samples=400)


def graph(*edges: tuple[int, int], count: int) -> Scaffold:
    pairs = np.array(sorted(edges), dtype=np.int32).reshape(-1, 2)
    return Scaffold(Connectivity(count, 0, 0), np.arange(count, dtype=np.int32), pairs, np.float32(0.1))


def random_graph(count: int = 12) -> Scaffold:
    """A random graph whose last key point is alone."""
    rng = np.random.default_rng(1)
    pairs = np.argwhere(np.triu(rng.random((count, count)) < 0.3, 1)[: count - 1, : count - 1])
    return graph(*map(tuple, pairs.tolist()), count=count)


def adjacency(scaffold: Scaffold) -> np.ndarray:
    matrix = np.zeros((len(scaffold.chosen),) * 2)
    matrix[tuple(scaffold.edges.T)] = 1
    return matrix + matrix.T


def random_weights(**shapes_: tuple[int, ...]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    return {name.replace("_", "."): rng.standard_normal(shape).astype(np.float32) for name, shape in shapes_.items()}


FEATURES = np.random.default_rng(0).standard_normal((2, 12, 5)).astype(np.float32)


def test_chebyshev_filters_are_polynomials_of_the_laplacian_spectrum() -> None:
    scaffold = random_graph()
    weights = random_weights(g_kernel=(6 * 5, 7), g_bias=(7,))
    degree = np.maximum(adjacency(scaffold).sum(axis=1), 1)
    values, vectors = np.linalg.eigh(-adjacency(scaffold) / np.sqrt(np.outer(degree, degree)))
    terms = [vectors @ np.diag(np.cos(k * np.arccos(np.clip(values, -1, 1)))) @ vectors.T @ FEATURES for k in range(6)]
    wanted = np.concatenate(terms, axis=-1) @ weights["g.kernel"] + weights["g.bias"]
    assert np.abs(chebyshev(scaffold, weights, "g", FEATURES) - wanted).max() < 1e-4


def test_varying_kernels_are_mixed_for_each_edge() -> None:
    scaffold = random_graph()
    rows = 12 + 2 * len(scaffold.edges)
    weights = random_weights(g_kernel=(4 * 5, 7), g_mixture=(rows, 4))
    kernels = weights["g.kernel"].reshape(4, 5, 7)
    mixture = iter(weights["g.mixture"])
    wanted = np.zeros((2, 12, 7))
    for i in range(12):
        for j in [i, *np.flatnonzero(adjacency(scaffold)[i])]:
            wanted[:, i] += FEATURES[:, j] @ np.tensordot(next(mixture), kernels, axes=1)
    assert next(mixture, None) is None
    assert np.abs(varying(scaffold, weights, "g", FEATURES) - wanted).max() < 1e-4


def test_elu_is_that_of_torch() -> None:
    values = np.linspace(-3, 3, 31, dtype=np.float32)
    assert np.allclose(elu(values), torch.nn.functional.elu(torch.from_numpy(values)).numpy(), atol=1e-6)


def test_points_belong_to_the_nearest_key_point() -> None:
    rng = np.random.default_rng(3)
    keys, points = (rng.random((count, 3)).astype(np.float32) for count in (20, 300))
    wanted = np.linalg.norm(points[:, None] - keys, axis=2).argmin(axis=1)
    assert np.array_equal(nearest(keys, points), wanted)


def test_rings_of_a_path() -> None:
    means = ring_means(graph((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), count=6)).toarray()
    assert np.allclose(means[0], [0, 1 / 3, 1 / 3, 1 / 3, 0, 0])
    assert np.allclose(means[2], [1 / 6, 1 / 6, 0, 1 / 6, 1 / 6, 1 / 3])


def test_only_codes_that_differ_from_those_around_are_dissimilar() -> None:
    means = as_tensor(ring_means(graph((0, 1), (1, 2), count=3)))
    equal = torch.ones(1, 3, 2)
    assert dissimilarity(equal, means).item() == pytest.approx(0.0, abs=1e-6)
    one = torch.tensor([[[3.0, 4.0], [0, 0], [0, 0]]])
    # Its own is 5 from the mean of the others; theirs have it in one of one, or one of two rings.
    assert dissimilarity(one, means).item() == pytest.approx((5 + 2.5 + 2.5) / 3)


def test_networks_have_the_parameters_of_the_paper() -> None:
    scaffold = build_scaffold(POSES, None)
    assert HEAD.parameters == 41_857
    assert Lgcl(scaffold, "cheb").parameters == 58_425  # 58.42 K
    mixtures = (128 + 2 * len(scaffold.edges)) * (8 + 16 + 32 + 64)
    assert Lgcl(scaffold, "vc").parameters - mixtures == 191_929  # 0.19 M
    assert Lgcl(scaffold, "cheb").latent_size == 8 * 128


def test_all_vertices_are_neighbours_along_the_edges_of_the_mesh() -> None:
    scaffold = build_scaffold(POSES, None)
    corners = TORUS.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    assert {frozenset(e) for e in scaffold.chosen[scaffold.edges].tolist()} == {frozenset(e) for e in corners.tolist()}


def test_fewer_key_points_lie_apart_and_hang_together() -> None:
    scaffold = build_scaffold(POSES, 20)
    places = TORUS.vertices[scaffold.chosen]
    apart = np.linalg.norm(places[:, None] - places, axis=2) + 10 * np.eye(20)
    assert len(set(scaffold.chosen.tolist())) == 20
    assert apart.min() > 0.15
    assert sum(parent < 0 for parent in scaffold.parents) == 1


def test_key_points_come_back_from_their_numbers() -> None:
    scaffold = build_scaffold(POSES, 20)
    for mesh in POSES:
        found = scaffold.key_values(scaffold.key_numbers(mesh))
        assert np.abs(found - mesh.vertices[scaffold.chosen]).max() <= 0.5 / 512 + 1e-6


def test_a_scaffold_comes_back_from_its_bytes() -> None:
    for scaffold in (build_scaffold(POSES, 20), random_graph(), graph(count=1)):
        again = read_scaffold(ByteReader(scaffold.pack()))
        assert again.pack() == scaffold.pack()
        assert np.array_equal(again.neighbours, scaffold.neighbours)


def test_sets_without_registered_meshes_are_refused() -> None:
    with pytest.raises(MeshFileError, match="needs registered meshes, but no two meshes of this set share"):
        build_scaffold([TORUS, shapes.sphere(0.5, rings=8)], 20)
    made = LgclCodec(recipe=SHORT).compress([TORUS, shapes.sphere(0.5, rings=8)], SETTINGS)
    assert [type(mesh) for mesh in made.meshes] == [Refusal, Refusal]
    assert made.shared == b""


def test_meshes_of_another_connectivity_are_refused_one_by_one() -> None:
    turned = Mesh(TORUS.vertices, TORUS.faces[:, [1, 2, 0]].copy())
    codec = LgclCodec(key_points=12, recipe=SHORT)
    made = codec.compress([*POSES, turned], SETTINGS)
    assert [type(mesh) for mesh in made.meshes] == [CodedMesh] * 3 + [Refusal]
    assert "connected otherwise" in made.meshes[3].reason  # type: ignore[union-attr]
    refused, joined = codec.add([shapes.sphere(0.5, rings=8), POSES[1]], made.shared, SETTINGS)
    assert isinstance(refused, Refusal)
    assert "not registered with the set" in refused.reason
    assert isinstance(joined, CodedMesh)


@pytest.fixture(scope="module", params=["cheb", "vc"])
def coded(request: pytest.FixtureRequest) -> CodedSet:
    return LgclCodec(key_points=20, convolution=request.param, recipe=SHORT).compress(POSES, SETTINGS)


def payloads(coded: CodedSet) -> list[bytes]:
    return [mesh.payload for mesh in coded.meshes if isinstance(mesh, CodedMesh)]


def test_numpy_and_torch_agree(coded: CodedSet) -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (3, 200)).astype(np.float32)
    for payload in payloads(coded):
        ours = LgclCodec().open(coded.shared).values(payload)(points)
        theirs = LgclCodec().open(coded.shared, "cpu").values(payload)(torch.from_numpy(points))
        assert np.abs(ours - theirs.numpy()).max() < 1e-5


def test_the_bytes_are_a_code_of_their_contents(coded: CodedSet) -> None:
    part = read_shared(coded.shared, Lgcl)
    assert pack_shared(part) == coded.shared
    assert [pack_payload(read_payload(payload, part), part) for payload in payloads(coded)] == payloads(coded)


def test_one_code_makes_local_codes_that_only_the_graph_tells_apart() -> None:
    network = Lgcl(build_scaffold(POSES, None), "cheb", one_code=True)
    weights = network.initial(np.random.default_rng(0))
    codes = network.codes(weights, np.ones((1, 8), np.float32))
    assert network.latent_size == 8
    assert np.abs(codes - codes[:, :1]).max() < 1e-4  # on a torus every vertex has six neighbours


def test_impossible_parameters_are_refused() -> None:
    for wrong in ({"convolution": "spiral"}, {"key_points": 0}, {"similarity": -1.0}, {"bits": 1}):
        with pytest.raises(ValueError, match=r"no convolution|at least one key|not negative|bits"):
            LgclCodec(**wrong)  # type: ignore[arg-type]


@pytest.mark.slow
def test_meshes_come_back_from_the_bytes_alone() -> None:
    codec = LgclCodec(key_points=24, recipe=Recipe(150, points=300, rate=2e-3, latent_rate=1e-2, samples=20_000))
    made = codec.compress(POSES, SETTINGS)
    decoder = codec_by_name("lgcl").open(made.shared)
    for original, payload in zip(POSES, payloads(made), strict=True):
        assert surface_distance(original, decoder.decode(payload), 3_000)[0] < 0.05
    (added,) = codec.add(POSES[:1], made.shared, replace(SETTINGS, seed=1))
    assert isinstance(added, CodedMesh)
    assert surface_distance(POSES[0], decoder.decode(added.payload), 3_000)[0] < 0.1
