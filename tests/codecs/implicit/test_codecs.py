"""Codecs of one network a mesh as their users see them: meshes in, bytes out, meshes back."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import meshset
from meshset.archive import ArchiveReader
from meshset.codecs import codec_by_id, codec_by_name
from meshset.codecs.common.tensors import QuantisedTensor
from meshset.codecs.implicit.bitstream import Header, pack_header, pack_mesh, read_header, read_mesh
from meshset.codecs.implicit.codec import ImplicitCodec, NiCodec
from meshset.codecs.implicit.perceptrons import DeepSdf, NeuralImplicit
from meshset.codecs.implicit.recipe import Recipe
from meshset.codecs.protocol import CodedMesh, CodedSet, Refusal, Settings
from meshset.errors import ArchiveError, MeshsetError
from meshset.evaluation import surface_distance
from meshset.field.grid import spacing
from meshset.geometry import Mesh
from tests.field import shapes

DATA = Path(__file__).parents[2] / "data" / "implicit"
EXPECTED = json.loads((DATA / "expected.json").read_text())
NAMES = ("ni", "siren", "ffn", "deepsdf-mesh", "key-spheres", "nglod")
SETTINGS = Settings(resolution=32)
MESHES = [shapes.sphere(0.8, rings=24), shapes.torus(rows=32, columns=16)]
CODEC = NiCodec(NeuralImplicit(3, 24), recipe=Recipe(steps=1000, samples=20_000))
NOTHING = Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], dtype=np.int32))


@pytest.fixture(scope="module")
def coded() -> CodedSet:
    return CODEC.compress([MESHES[0], NOTHING, MESHES[1]], SETTINGS)


def payload(one: CodedMesh | Refusal) -> bytes:
    assert isinstance(one, CodedMesh)
    return one.payload


def test_meshes_come_back_from_the_bytes_alone(coded: CodedSet) -> None:
    decoder = codec_by_id(5).open(coded.shared)
    for mesh, one in zip(MESHES, (coded.meshes[0], coded.meshes[2]), strict=True):
        decoded = decoder.decode(payload(one))
        assert decoded.vertices.dtype == np.float32
        assert surface_distance(mesh, decoded, 5_000)[0] < 0.5 * spacing(32)
        assert len(payload(one)) < 4 * CODEC.network.parameters({}) / 3
    assert coded.report["float32_bytes"] == 4 * CODEC.network.parameters({})


def test_mesh_that_cannot_be_sampled_is_refused_alone(coded: CodedSet) -> None:
    assert isinstance(coded.meshes[1], Refusal)
    assert "zero area" in coded.meshes[1].reason


def test_nothing_is_shared_if_every_mesh_is_refused() -> None:
    assert CODEC.compress([NOTHING], SETTINGS).shared == b""


def test_a_mesh_that_joins_has_the_bytes_of_one_that_was_there(coded: CodedSet) -> None:
    other = NiCodec(bits=4, recipe=CODEC.recipe)
    (alone,) = other.add([MESHES[1]], coded.shared, SETTINGS)
    decoder = CODEC.open(coded.shared)
    first, second = decoder.decode(payload(alone)), decoder.decode(payload(coded.meshes[2]))
    assert surface_distance(first, second, 5_000)[0] < 0.1 * spacing(32)


def test_numpy_and_torch_decode_the_same_mesh(coded: CodedSet) -> None:
    ours, theirs = (CODEC.open(coded.shared, device).decode(payload(coded.meshes[0])) for device in (None, "cpu"))
    assert abs(len(ours.faces) - len(theirs.faces)) <= 0.01 * len(ours.faces)
    assert surface_distance(ours, theirs, 5_000)[0] < 1e-4


def test_decoder_gives_the_distance_itself(coded: CodedSet) -> None:
    distance = CODEC.open(coded.shared).distance(payload(coded.meshes[0]))
    found = distance(np.array([[0.0, 0.9], [0.0, 0.0], [0.0, 0.0]], dtype=np.float32))
    assert found[0] < -0.3
    assert found[1] == pytest.approx(0.1, abs=0.05)


def test_decoding_imports_no_torch(coded: CodedSet) -> None:
    script = "import sys\nfrom meshset.codecs import codec_by_id\n"
    script += f"codec_by_id(5).open({coded.shared!r}).decode({payload(coded.meshes[0])!r})\n"
    script += "assert 'torch' not in sys.modules and 'scipy' not in sys.modules and 'igl' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_network_makes_a_set(name: str) -> None:
    codec = type(codec_by_name(name))(recipe=Recipe(steps=3, samples=1_000))
    assert isinstance(codec, ImplicitCodec)
    coded = codec.compress(MESHES[:1], SETTINGS)
    decoder = codec_by_id(codec.id).open(coded.shared)
    assert np.isfinite(decoder.decode(payload(coded.meshes[0])).vertices).all()


def test_settings_that_do_not_exist_are_refused() -> None:
    with pytest.raises(MeshsetError, match="resolution 48"):
        CODEC.compress(MESHES, Settings(resolution=48))
    with pytest.raises(ValueError, match="not 40"):
        NiCodec(bits=40)


@pytest.mark.parametrize("step", [1e-38, 1.0, 9.9e5])
def test_weights_beyond_float32_are_no_crash(step: float) -> None:
    network = DeepSdf()
    rng = np.random.default_rng(0)
    weights = {
        name: QuantisedTensor(rng.integers(-127, 128, shape).astype(np.int32), np.float32(step))
        for name, shape in network.tensors({}).items()
    }
    decoder = codec_by_id(8).open(pack_header(Header(32, 8, network)))
    try:
        mesh = decoder.decode(pack_mesh(network, {}, weights))
    except ArchiveError:
        return
    assert np.isfinite(mesh.vertices).all()


@pytest.mark.parametrize("file", sorted(EXPECTED))
def test_old_archive_decodes_to_the_same_mesh(file: str) -> None:
    """Made with version 0.1.0 from one of the samples at K = 32: about 1,000 weights, 600 or 1,500 steps."""
    expected, codec = EXPECTED[file], codec_by_name(file.removesuffix(".mset"))
    assert isinstance(codec, ImplicitCodec)
    with meshset.open(DATA / file) as archive, ArchiveReader(DATA / file) as reader:
        ((name, mesh),) = archive.items()
        network = read_header(reader.read_shared(0), type(codec.network)).network
        weights = read_mesh(reader.read_payload(name), network)[1]
    values = b"".join(tensor.astype("<f4").tobytes() for tensor in weights.values())
    assert hashlib.sha256(values).hexdigest() == expected["weights"]
    assert abs(len(mesh.faces) - expected["faces"]) <= 0.002 * expected["faces"]
    solid = mesh.to_trimesh()
    assert solid.area == pytest.approx(expected["area"], rel=1e-3)
    assert solid.volume == pytest.approx(expected["volume"], rel=1e-3)
