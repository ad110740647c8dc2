"""Codecs deepsdf, sdf-8, sdf-4 and quant-deepsdf: their networks, losses and bytes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

import meshset
from meshset.archive import ArchiveReader
from meshset.codecs import codec_by_name
from meshset.codecs.latent_sdf.bitstream import (
    pack_payload,
    pack_shared,
    read_payload,
    read_shared,
)
from meshset.codecs.latent_sdf.codec import (
    DeepSdfCodec,
    LatentCodec,
    PerceptronCodec,
    QuantDeepSdfCodec,
    Sdf4Codec,
    Sdf8Codec,
)
from meshset.codecs.latent_sdf.network import LatentNetwork
from meshset.codecs.latent_sdf.objectives import Distances, FieldValues, Geometry, Objective
from meshset.codecs.latent_sdf.perceptrons import RADIUS, DeepSdf, QuantDeepSdf, SoftplusSdf
from meshset.codecs.latent_sdf.recipe import HALVED_AFTER, PUBLISHED, Recipe
from meshset.codecs.protocol import CodedMesh, CodedSet, Refusal, Settings
from meshset.errors import MeshsetError
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh
from tests.field import shapes

DATA = Path(__file__).parents[2] / "data" / "latent_sdf"
EXPECTED = json.loads((DATA / "expected.json").read_text())
SETTINGS = Settings(resolution=32)
MESHES = [shapes.sphere(0.8, rings=24), shapes.torus(rows=32, columns=16)]
SHORT = Recipe(epochs=3, points=64, samples=500)
SMALL = {
    "deepsdf": DeepSdfCodec(network=DeepSdf(4, 6, 12), recipe=SHORT),
    "sdf-8": Sdf8Codec(network=SoftplusSdf(4, 7, 12), recipe=SHORT),
    "sdf-4": Sdf4Codec(network=SoftplusSdf(4, 3, 12), recipe=SHORT),
    "quant-deepsdf": QuantDeepSdfCodec(network=QuantDeepSdf(16, 6, 8), recipe=SHORT),
}


@dataclass(frozen=True)
class Ball(LatentNetwork):
    """A network that knows the distance to a sphere of radius 0.8."""

    @property
    def latent_size(self) -> int:
        return 1

    def tensors(self) -> dict[str, tuple[int, ...]]:
        return {}

    def initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {}

    def values(self, weights: object, codes: torch.Tensor, keys: object, points: torch.Tensor) -> torch.Tensor:
        return points.norm(dim=-1, keepdim=True) - 0.8


def loss_of_the_ball(objective: Objective, error: float = 0.0) -> float:
    example, _ = objective.example(shapes.sphere(0.8, rings=64), 2_000, SETTINGS)
    batch = {name: torch.from_numpy(values)[None] for name, values in example.items()}
    batch["distance"] = batch["distance"] + error
    nothing = torch.zeros(1, 1, 1)
    return objective.losses(Ball(), {}, nothing, nothing, batch).item()


@pytest.fixture(scope="module", params=SMALL)
def coded(request: pytest.FixtureRequest) -> tuple[PerceptronCodec, CodedSet]:
    return SMALL[request.param], SMALL[request.param].compress(MESHES, SETTINGS)


def payloads(coded: CodedSet) -> list[bytes]:
    return [mesh.payload for mesh in coded.meshes if isinstance(mesh, CodedMesh)]


def test_published_networks_have_the_published_parameters() -> None:
    assert DeepSdf(256, 8, 512).parameters == 1_839_358  # 1.84 M
    assert SoftplusSdf(256, 7, 512).parameters == 1_576_702  # 1.58 M
    assert SoftplusSdf(64, 3, 128).parameters == 41_857  # 41.86 K


def test_published_rates_are_halved_after_200_of_300_epochs() -> None:
    assert (PUBLISHED.epochs, PUBLISHED.rate, PUBLISHED.latent_rate) == (300, 5e-4, 1e-3)
    assert [PUBLISHED.learning_share(epoch / 300) for epoch in (0, 199, 200, 299)] == [1.0, 1.0, 0.5, 0.5]
    assert pytest.approx(200 / 300) == HALVED_AFTER


def test_softplus_networks_start_as_the_distance_to_a_sphere() -> None:
    rng = np.random.default_rng(0)
    network = SoftplusSdf(16, 7, 512)
    points = rng.uniform(-1, 1, (1, 500, 3)).astype(np.float32)
    found = network.values(network.initial(rng), np.zeros((1, 1, 16), np.float32), np.zeros((1, 0, 3)), points)[0, :, 0]
    assert np.corrcoef(found, np.linalg.norm(points[0], axis=1))[0, 1] > 0.9
    assert abs((found - np.linalg.norm(points[0], axis=1)).mean() + RADIUS) < 0.15


def test_exact_distances_have_no_loss() -> None:
    assert loss_of_the_ball(Distances()) < 2e-3
    assert loss_of_the_ball(Geometry()) < 0.05  # normals of flat triangles
    assert loss_of_the_ball(Distances(), 0.1) == pytest.approx(0.1, abs=5e-3)
    assert loss_of_the_ball(Geometry(), 0.1) == pytest.approx(loss_of_the_ball(Geometry()) + 0.05, abs=5e-3)


def test_distances_beyond_the_clamp_have_no_loss() -> None:
    network = DeepSdf(4, 6, 12)
    weights = {name: torch.from_numpy(a) for name, a in network.initial(np.random.default_rng(0)).items()}
    weights["last.bias"] += 5  # a distance of 1 everywhere
    points, codes, keys = torch.rand(1, 100, 3), torch.zeros(1, 1, 4), torch.zeros(1, 0, 3)
    losses = [
        Distances().losses(network, weights, codes, keys, {"points": points, "distance": torch.full((1, 100), far)})
        for far in (0.1, 0.7)
    ]
    assert losses[0].item() == losses[1].item() < 1e-6


def test_fields_are_drawn_as_they_are() -> None:
    example, _ = FieldValues().example(MESHES[0], 3_000, SETTINGS)
    tsdf = example["values"][:, 0]
    exact = (np.linalg.norm(example["points"], axis=1) - 0.8) / (2 * 2 / 31)
    # Fitting a field moves values of grid points next to the surface, but none to the other side.
    clear = np.abs(exact) > 0.25
    assert (np.sign(tsdf) == np.sign(exact))[clear].all()
    assert (np.abs(tsdf) == 1)[np.abs(exact) > 1.1].all()
    assert 0.65 < (np.abs(tsdf) < 1).mean() < 0.8
    assert (tsdf == -1).any()
    assert (tsdf == 1).any()


def test_numpy_and_torch_agree(coded: tuple[PerceptronCodec, CodedSet]) -> None:
    codec, made = coded
    points = np.random.default_rng(0).uniform(-1, 1, (3, 200)).astype(np.float32)
    for payload in payloads(made):
        ours = codec.open(made.shared).values(payload)(points)
        theirs = codec.open(made.shared, "cpu").values(payload)(torch.from_numpy(points))
        assert ours.shape == (codec.network.channels, 200)
        assert np.abs(ours - theirs.numpy()).max() < 1e-5


def test_every_mesh_decodes(coded: tuple[PerceptronCodec, CodedSet]) -> None:
    codec, made = coded
    assert len(payloads(made)) == 2
    for payload in payloads(made):
        assert codec.open(made.shared).decode(payload).vertices.dtype == np.float32


def test_the_bytes_are_a_code_of_their_contents(coded: tuple[PerceptronCodec, CodedSet]) -> None:
    codec, made = coded
    part = read_shared(made.shared, codec.kind)
    assert part.network == codec.network
    assert pack_shared(part) == made.shared
    assert [pack_payload(read_payload(payload, part), part) for payload in payloads(made)] == payloads(made)


def test_the_same_seed_gives_the_same_bytes() -> None:
    codec = SMALL["sdf-4"]
    first, second, other = (codec.compress(MESHES, replace(SETTINGS, seed=s)) for s in (0, 0, 1))
    assert (first.shared, first.meshes) == (second.shared, second.meshes)
    assert first.shared != other.shared


def test_meshes_join_with_latents_that_the_set_can_store(coded: tuple[PerceptronCodec, CodedSet]) -> None:
    codec, made = coded
    joined = codec.add([MESHES[1]], made.shared, replace(SETTINGS, resolution=64))
    (payload,) = (mesh.payload for mesh in joined if isinstance(mesh, CodedMesh))
    codec.open(made.shared).decode(payload)


def test_a_mesh_without_area_is_refused_and_the_others_kept() -> None:
    needle = Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], dtype=np.int32))
    made = SMALL["sdf-4"].compress([needle, MESHES[0]], SETTINGS)
    assert isinstance(made.meshes[0], Refusal)
    assert isinstance(made.meshes[1], CodedMesh)


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(MeshsetError, match="resolution 48"):
        SMALL["sdf-4"].compress(MESHES, replace(SETTINGS, resolution=48))
    with pytest.raises(MeshsetError, match="tsdf-def only"):
        SMALL["quant-deepsdf"].compress(MESHES, replace(SETTINGS, field="tsdf"))
    large = replace(SMALL["quant-deepsdf"], network=QuantDeepSdf(width=1024))
    with pytest.raises(MeshsetError, match="too large for a grid"):
        large.compress(MESHES, replace(SETTINGS, resolution=256))
    with pytest.raises(ValueError, match="no room"):
        DeepSdf(256, 8, 128)
    with pytest.raises(ValueError, match="not 17"):
        Sdf4Codec(bits=17)


def test_reading_needs_no_torch(coded: tuple[PerceptronCodec, CodedSet]) -> None:
    codec, made = coded
    program = (
        "import sys; from meshset.codecs import codec_by_name\n"
        f"codec_by_name({codec.name!r}).open({made.shared!r}).decode({payloads(made)[0]!r})\n"
        "assert not {'torch', 'scipy', 'igl'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("file", sorted(EXPECTED))
def test_old_archive_decodes_to_the_same_mesh(file: str) -> None:
    """Made with version 0.1.0 from a torus at K = 32, by small networks and short training."""
    expected, codec = EXPECTED[file], codec_by_name(file.removesuffix(".mset"))
    assert isinstance(codec, LatentCodec)
    with meshset.open(DATA / file) as archive, ArchiveReader(DATA / file) as reader:
        ((_, mesh),) = archive.items()
        weights = read_shared(reader.read_shared(0), codec.kind).weights
    values = b"".join(tensor.values.astype("<f4").tobytes() for tensor in weights.values())
    assert hashlib.sha256(values).hexdigest() == expected["weights"]
    assert abs(len(mesh.faces) - expected["faces"]) <= 0.01 * expected["faces"]
    assert mesh.to_trimesh().area == pytest.approx(expected["area"], rel=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("codec", "bound"),
    [
        (DeepSdfCodec(network=DeepSdf(8, 5, 48), recipe=Recipe(600, points=256, rate=2e-3, samples=20_000)), 0.05),
        (Sdf4Codec(network=SoftplusSdf(8, 3, 48), recipe=Recipe(150, points=256, rate=2e-3, samples=20_000)), 0.02),
        (
            QuantDeepSdfCodec(
                network=QuantDeepSdf(8, 4, 48), recipe=Recipe(600, 256, rate=3e-3, cosine=True, samples=20_000)
            ),
            0.05,
        ),
    ],
)
def test_meshes_come_back_from_the_bytes_alone(codec: PerceptronCodec, bound: float) -> None:
    made = codec.compress(MESHES, SETTINGS)
    decoder = codec_by_name(codec.name).open(made.shared)
    for original, payload in zip(MESHES, payloads(made), strict=True):
        assert surface_distance(original, decoder.decode(payload), 3_000)[0] < bound
    (added,) = codec.add(MESHES[:1], made.shared, SETTINGS)
    assert isinstance(added, CodedMesh)
    assert surface_distance(MESHES[0], decoder.decode(added.payload), 3_000)[0] < 2 * bound
