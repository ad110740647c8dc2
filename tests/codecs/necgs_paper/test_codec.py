"""Codec necgs-paper as its users see it: meshes in, bytes out, meshes back, by both engines."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import meshset
from meshset.archive import ArchiveReader
from meshset.codecs import codec_by_id, codec_by_name
from meshset.codecs.common.presets import epochs_for
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs_paper.bitstream import SharedPart, pack_latent, pack_shared, unpack_latent, unpack_shared
from meshset.codecs.necgs_paper.codec import NecgsPaperCodec
from meshset.codecs.necgs_paper.recipe import ENGINES, SHORT_RATE, Recipe, training_recipe
from meshset.codecs.protocol import CodedMesh, CodedSet, Refusal, Settings
from meshset.coding import varint
from meshset.coding.huffman import HuffmanCode
from meshset.errors import ArchiveError, MeshsetError
from meshset.evaluation.metrics import surface_distance
from meshset.field.grid import spacing
from tests.codecs.decoding import assert_refuses_in_little_memory, assert_takes_noise
from tests.field import shapes

DATA = Path(__file__).parents[2] / "data" / "necgs_paper"
EXPECTED = json.loads((DATA / "expected.json").read_text())
SETTINGS = Settings(resolution=32, field="tsdf", preset="fast")
MESHES = [shapes.sphere(0.8, rings=24), shapes.torus(rows=32, columns=16)]
WIDTHS = (12, 8, 6)


def coded_with(epochs: int, engine: str, settings: Settings = SETTINGS, **other: tuple[int, ...]) -> CodedSet:
    codec = NecgsPaperCodec(**{"widths": WIDTHS, **other}, engine=engine, epochs=epochs)  # type: ignore[arg-type]
    return codec.compress(MESHES, settings)


@pytest.fixture(scope="module", params=ENGINES)
def coded(request: pytest.FixtureRequest) -> CodedSet:
    return coded_with(5, request.param)


def payloads(coded: CodedSet) -> list[bytes]:
    return [mesh.payload for mesh in coded.meshes if isinstance(mesh, CodedMesh)]


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "epochs"), [("dense", 60), ("narrow-band", 200), ("dense-mixed", 60)])
def test_meshes_come_back_from_the_bytes_alone(engine: str, epochs: int) -> None:
    coded = coded_with(epochs, engine, dataclasses.replace(SETTINGS, field="tsdf-def"))
    assert unpack_shared(coded.shared).architecture.field_channels == 4
    decoder = codec_by_id(4).open(coded.shared)
    for original, payload in zip(MESHES, payloads(coded), strict=True):
        mesh = decoder.decode(payload)
        assert mesh.vertices.dtype == np.float32
        assert surface_distance(original, mesh, 5_000, 0)[0] < 0.02


def test_numpy_and_torch_decode_the_same_field(coded: CodedSet) -> None:
    by_numpy, by_torch = NecgsPaperCodec().open(coded.shared), NecgsPaperCodec().open(coded.shared, device="cpu")
    for payload in payloads(coded):
        (ours, values), (theirs, others) = by_numpy.decode_field(payload), by_torch.decode_field(payload)  # type: ignore[attr-defined]
        assert np.array_equal(ours, theirs.numpy())
        assert np.abs(values - others.numpy()).max() < 1e-4


def test_the_bytes_are_a_code_of_their_contents(coded: CodedSet) -> None:
    part = unpack_shared(coded.shared)
    assert part.architecture == Architecture(
        32, WIDTHS, 0, field_channels=1, expands=coded.report["engine"] == "narrow-band"
    )
    assert pack_shared(part) == coded.shared
    for payload in payloads(coded):
        latent = unpack_latent(payload, part.latent_code, 16)
        assert latent.shape == (64, 16)
        assert pack_latent(latent, part.latent_code) == payload


@pytest.mark.parametrize("engine", ENGINES)
def test_same_seed_same_bytes_other_seed_other_bytes(engine: str) -> None:
    first, again = coded_with(1, engine), coded_with(1, engine)
    assert first == again
    assert coded_with(1, engine, dataclasses.replace(SETTINGS, seed=1)).shared != first.shared


def test_a_field_has_as_many_channels_as_asked_for(coded: CodedSet) -> None:
    assert unpack_shared(coded.shared).architecture.field_channels == 1


def test_a_mesh_that_slips_through_the_grid_is_refused_and_the_rest_go_on() -> None:
    speck = shapes.box((-0.1 * spacing(32),) * 3, (0.1 * spacing(32),) * 3)
    codec = NecgsPaperCodec(widths=WIDTHS, epochs=1)
    coded = codec.compress([speck, MESHES[0]], SETTINGS)
    assert [type(mesh) for mesh in coded.meshes] == [Refusal, CodedMesh]
    assert codec.compress([speck], SETTINGS) == CodedSet(b"", (coded.meshes[0],), {})


def test_the_registry_has_the_papers_configuration() -> None:
    codec = codec_by_name("necgs-paper")
    assert codec == NecgsPaperCodec()
    assert (codec.id, codec.name, codec.widths[:5]) == (4, "necgs-paper", (64, 48, 32, 24, 16))  # type: ignore[attr-defined]
    assert epochs_for(Settings(preset="best"), 500) == 400
    assert epochs_for(Settings(preset="best"), 24) == 3750


def test_sets_of_the_papers_size_are_trained_as_released_and_few_visits_go_one_by_one() -> None:
    assert training_recipe(400, 500) == Recipe(epochs=400)
    assert (Recipe(400).batch, Recipe(400).rate) == (4, 1e-3)
    assert (training_recipe(400, 8).batch, training_recipe(400, 8).rate) == (1, SHORT_RATE)


@pytest.mark.parametrize("wrong", [{"engine": "sparse"}, {"widths": (8, 0, 8)}, {"widths": (2000,)}, {"epochs": 0}])
def test_impossible_parameters(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"engine|width|epoch"):
        NecgsPaperCodec(**wrong)  # type: ignore[arg-type]


def test_too_few_widths_are_refused() -> None:
    with pytest.raises(MeshsetError, match="needs 3 widths"):
        coded_with(1, "dense", widths=(8, 8))


@pytest.mark.parametrize("wrong", [{"preset": "slow"}, {"resolution": 100}, {"field": "sdf"}])
def test_unknown_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(MeshsetError, match=r"slow|100|sdf"):
        NecgsPaperCodec().compress(MESHES, dataclasses.replace(SETTINGS, **wrong))  # type: ignore[arg-type]


def test_shared_parts_that_end_early_are_refused(coded: CodedSet) -> None:
    for cut in (*range(0, len(coded.shared), 997), len(coded.shared) - 1):
        with pytest.raises(ArchiveError):
            unpack_shared(coded.shared[:cut])
    with pytest.raises(ArchiveError, match="longer"):
        unpack_shared(coded.shared + b"\0")


@given(st.binary(max_size=200))
def test_arbitrary_shared_parts_are_refused(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        unpack_shared(data)


@pytest.mark.parametrize(
    "header",
    [
        (2, 64, 16, 4, 4, 64, 48, 32, 24),
        (1, 48, 16, 4, 4, 64, 48, 32, 24),
        (1, 64, 0, 4, 4, 64, 48, 32, 24),
        (1, 64, 16, 2, 4, 64, 48, 32, 24),
        (0, 64, 16, 4, 3, 64, 48, 32),
        (1, 64, 16, 4, 4, 64, 0, 32, 24),
        (0, 64, 1000, 4, 4, 1000, 1000, 1000, 1000),
        (0, 64, 16, 4, 200),
    ],
)
def test_impossible_decoders_are_refused(header: tuple[int, ...]) -> None:
    with pytest.raises(ArchiveError):
        unpack_shared(b"".join(map(varint, header)) + bytes(1000))


@pytest.mark.parametrize("code", [HuffmanCode(-129, (0,)), HuffmanCode(128, (1, 1))])
def test_numbers_that_are_no_levels_are_refused(code: HuffmanCode) -> None:
    architecture = Architecture(32, (1, 1, 1), 0, 1)
    weights = {name: np.zeros(shape, np.int32) for name, shape in architecture.tensors().items()}
    with pytest.raises(ArchiveError, match="levels"):
        unpack_shared(pack_shared(SharedPart(architecture, weights, code)))


@pytest.mark.slow
@pytest.mark.parametrize(("expands", "widths"), [(False, (1, 1, 1, 1, 1, 40)), (True, (1, 1, 1, 1, 1, 4))])
def test_a_decoder_that_would_take_all_memory_is_refused(expands: bool, widths: tuple[int, ...]) -> None:
    """Tensors of zeros cost no bits; a whole grid of K = 256, or every voxel of one, would need gigabytes."""
    architecture = Architecture(256, widths, 0, latent_channels=1, expands=expands)
    weights = {name: np.zeros(shape, np.int32) for name, shape in architecture.tensors().items()}
    shared = pack_shared(SharedPart(architecture, weights, HuffmanCode(0, (0,))))
    assert len(shared) < 100
    assert_refuses_in_little_memory(NecgsPaperCodec().open(shared), bytes(1))


def test_a_payload_of_noise_is_a_mesh_or_refused(coded: CodedSet) -> None:
    decoder = NecgsPaperCodec().open(coded.shared)
    assert_takes_noise(decoder)
    for payload in (payloads(coded)[0][:-1], payloads(coded)[0] + b"\0", b""):
        with pytest.raises(ArchiveError):
            decoder.decode(payload)


def test_decoding_imports_no_torch() -> None:
    script = f"import meshset, sys; [meshset.open(p) for p in {[str(p) for p in sorted(DATA.glob('*.mset'))]}]\n"
    script += f"for p in {[str(p) for p in sorted(DATA.glob('*.mset'))]}:\n    list(meshset.open(p).items())\n"
    script += "assert 'torch' not in sys.modules and 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_archive_is_expected() -> None:
    assert sorted(EXPECTED) == sorted(path.name for path in DATA.glob("*.mset"))


@pytest.mark.parametrize("file", sorted(EXPECTED))
def test_old_archive_decodes_to_the_same_meshes(file: str) -> None:
    """Made with version 0.1.0 from two of the samples at K = 32, widths 12-8-6, 300 epochs."""
    with ArchiveReader(DATA / file) as reader:
        part = unpack_shared(reader.read_shared(0))
        for name, expected in EXPECTED[file].items():
            numbers = [*part.weights.values(), unpack_latent(reader.read_payload(name), part.latent_code, 16)]
            digest = hashlib.sha256(b"".join(n.astype("<i4").tobytes() for n in numbers)).hexdigest()
            assert digest == expected["numbers"]
    with meshset.open(DATA / file) as archive:
        assert sorted(archive) == sorted(EXPECTED[file])
        for name, mesh in archive.items():
            expected, solid = EXPECTED[file][name], mesh.to_trimesh()
            assert abs(len(mesh.faces) - expected["faces"]) <= 0.001 * expected["faces"]
            assert solid.area == pytest.approx(expected["area"], rel=1e-4)
            assert solid.volume == pytest.approx(expected["volume"], rel=1e-4)
