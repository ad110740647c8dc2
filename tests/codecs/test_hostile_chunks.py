"""Shared parts and payloads with bytes changed: a sound mesh or an ArchiveError, whatever they say."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshset.archive import ArchiveReader
from meshset.codecs import codec_by_id
from meshset.codecs.common.tensors import QuantisedTensor
from meshset.codecs.implicit import bitstream as implicit
from meshset.codecs.implicit.key_spheres import KeySpheres
from meshset.codecs.implicit.network import FieldNetwork
from meshset.codecs.implicit.nglod import Nglod
from meshset.codecs.implicit.perceptrons import DeepSdf, FourierFeatures, NeuralImplicit, Siren
from meshset.codecs.latent_sdf import bitstream as latent_sdf
from meshset.codecs.latent_sdf import perceptrons as latent_networks
from meshset.codecs.latent_sdf.network import LatentNetwork
from meshset.codecs.lgcl.network import Lgcl
from meshset.codecs.lgcl.scaffold import Connectivity, Scaffold
from meshset.codecs.necgs import bitstream as necgs
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs_paper import bitstream as paper
from meshset.coding import fit, varint
from meshset.errors import ArchiveError
from meshset.field import marching_cubes
from tests.field import shapes

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Chunks:
    """What one mesh is decoded from."""

    codec_id: int
    shared: bytes
    payload: bytes


def numbers(shape: tuple[int, ...]) -> np.ndarray:
    return np.clip(np.rint(np.random.default_rng(0).normal(0, 6, shape)), -128, 128).astype(np.int32)


def necgs_chunks(step: float = 0.05, **changes: int) -> Chunks:
    architecture = Architecture(32, (3, 2), **{"hidden": 3, "latent_channels": 2, **changes})
    shapes = architecture.tensors().items()
    weights = {name: QuantisedTensor(numbers(shape), np.asarray(step, np.float32)) for name, shape in shapes}
    latent = numbers((64, 2))
    models = necgs.fit_latent_models([latent])
    part = necgs.SharedPart(architecture, weights, np.full(2, step, np.float32), models)
    return Chunks(1, necgs.pack_shared(part), necgs.pack_latent(latent, models))


def paper_chunks(expands: bool) -> Chunks:
    architecture = Architecture(32, (3, 2, 2), hidden=0, latent_channels=2, expands=expands)
    weights = {name: numbers(shape) for name, shape in architecture.tensors().items()}
    latent = numbers((64, 2))
    code = paper.fit_latent_code([latent])
    return Chunks(4, paper.pack_shared(paper.SharedPart(architecture, weights, code)), paper.pack_latent(latent, code))


def latent_chunks(codec_id: int, network: LatentNetwork, step: float = 0.01) -> Chunks:
    weights = {name: QuantisedTensor(numbers(shape), np.float32(step)) for name, shape in network.tensors().items()}
    latent = numbers((network.latent_size,))
    part = latent_sdf.SharedPart(32, network, weights, np.float32(step), fit(latent))
    keys = np.random.default_rng(1).integers(-90, 90, (network.key_points, 3)).astype(np.int32)
    return Chunks(
        codec_id, latent_sdf.pack_shared(part), latent_sdf.pack_payload(latent_sdf.Payload(latent, keys), part)
    )


def lgcl_network(convolution: str) -> Lgcl:
    edges = np.array([[0, 1], [0, 2], [1, 2], [2, 3]], dtype=np.int32)
    chosen = np.array([5, 2, 9, 1], dtype=np.int32)
    return Lgcl(Scaffold(Connectivity(10, 16, 1), chosen, edges, np.float32(0.3)), convolution)


def peer_chunks(name: str) -> Chunks:
    with ArchiveReader(DATA / "peers" / f"{name}.mset") as reader:
        (entry,) = reader.entries.values()
        return Chunks(entry.codec_id, b"", reader.read_payload(entry.name))


def implicit_chunks(codec_id: int, network: FieldNetwork) -> Chunks:
    frame = network.frame_of(shapes.sphere(0.8, rings=12), None, np.random.default_rng(0))
    weights = {
        name: implicit.QuantisedTensor(numbers(shape), np.float32(0.02))
        for name, shape in network.tensors(frame).items()
    }
    return Chunks(
        codec_id, implicit.pack_header(implicit.Header(32, 8, network)), implicit.pack_mesh(network, frame, weights)
    )


SETS: dict[str, Callable[[], Chunks]] = {
    "necgs": necgs_chunks,
    "necgs without hidden layers": lambda: necgs_chunks(hidden=0, field_channels=1),
    "necgs with crosses": lambda: necgs_chunks(crosses=True),
    "necgs-paper, narrow band": lambda: paper_chunks(expands=True),
    "necgs-paper, whole grid": lambda: paper_chunks(expands=False),
    "ni": lambda: implicit_chunks(5, NeuralImplicit(2, 4)),
    "siren": lambda: implicit_chunks(6, Siren(2, 4)),
    "ffn": lambda: implicit_chunks(7, FourierFeatures(2, 2, 4)),
    "deepsdf-mesh": lambda: implicit_chunks(8, DeepSdf(5, 5)),
    "key-spheres": lambda: implicit_chunks(9, KeySpheres(3, 2, 4)),
    "key-spheres, latent": lambda: implicit_chunks(9, KeySpheres(3, 2, 4, latent=1)),
    "nglod": lambda: implicit_chunks(10, Nglod(2, 2, 4)),
    "deepsdf": lambda: latent_chunks(12, latent_networks.DeepSdf(2, 5, 8)),
    "sdf-8": lambda: latent_chunks(13, latent_networks.SoftplusSdf(2, 5, 8)),
    "sdf-4": lambda: latent_chunks(14, latent_networks.SoftplusSdf(2, 3, 8)),
    "quant-deepsdf": lambda: latent_chunks(15, latent_networks.QuantDeepSdf(2, 5, 4)),
    "lgcl, cheb": lambda: latent_chunks(16, lgcl_network("cheb")),
    "lgcl, vc": lambda: latent_chunks(16, lgcl_network("vc")),
    "control-mesh": lambda: Chunks(17, b"", (DATA / "control_mesh" / "golden.bin").read_bytes()),
    "draco": lambda: peer_chunks("draco"),
    "ply-zstd": lambda: peer_chunks("ply-zstd"),
}


@pytest.fixture(params=SETS)
def chunks(request: pytest.FixtureRequest) -> Chunks:
    return SETS[request.param]()


def decodes(chunks: Chunks) -> bool:
    """Return whether the chunks give a mesh; anything but a sound mesh or an ArchiveError fails the test."""
    try:
        with np.errstate(all="ignore"):
            mesh = codec_by_id(chunks.codec_id).open(chunks.shared).decode(chunks.payload)
    except ArchiveError:
        return False
    assert mesh.vertices.dtype == np.float32
    assert mesh.vertices.shape[1:] == mesh.faces.shape[1:] == (3,)
    assert not len(mesh.faces) or 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.vertices)
    return True


@st.composite
def changed(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes near `data`: overwritten, cut, doubled, or with another number in place of one."""
    content = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, min(len(content), draw(st.sampled_from([24, 1 << 20])))))
        kind = draw(st.sampled_from(["bytes", "number", "cut", "double", "end"]))
        if kind == "bytes":
            new = draw(st.binary(min_size=1, max_size=4))
            content[at : at + len(new)] = new
        elif kind == "number":
            content[at : at + 1] = varint(
                draw(st.sampled_from([0, 1, 127, 128, 1023, 1024, 65535, 65536, 2**31, 2**35]))
            )
        elif kind == "cut":
            del content[at : at + draw(st.integers(1, 8))]
        elif kind == "double":
            content[at:at] = content[at : at + draw(st.integers(1, 40))]
        else:
            del content[at:]
    return bytes(content)


def test_the_chunks_themselves_decode(chunks: Chunks) -> None:
    assert decodes(chunks)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_payload(chunks: Chunks, data: st.DataObject) -> None:
    decodes(Chunks(chunks.codec_id, chunks.shared, data.draw(changed(chunks.payload))))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_shared_part(chunks: Chunks, data: st.DataObject) -> None:
    decodes(Chunks(chunks.codec_id, data.draw(changed(chunks.shared)), chunks.payload))


@pytest.mark.parametrize("codec_id", [1, 2, 3, 4])
@pytest.mark.parametrize("other", SETS)
def test_chunks_of_another_codec(codec_id: int, other: str) -> None:
    chunks = SETS[other]()
    assert decodes(Chunks(codec_id, chunks.shared, chunks.payload)) == (codec_id == chunks.codec_id)


@pytest.mark.parametrize("step", [1e-38, 1e-3, 10.0, 1e4, 9.9e5])
def test_numbers_beyond_float32_are_no_crash(step: float) -> None:
    decodes(necgs_chunks(step))


def test_models_that_would_take_minutes_are_refused() -> None:
    laplace = bytes([1]) + varint(0) + varint(1 << 16) + bytes([0, 128])
    channels = (struct.pack("<f", 1.0) + laplace) * 1024
    weights = (struct.pack("<f", 1.0) + bytes([1]) + varint(0) + varint(1) + bytes(2)) * 20
    shared = b"".join(map(varint, (32, 1024, 4, 0, 3, 1, 1, 1))) + channels + weights
    with pytest.raises(ArchiveError, match="models cover too many numbers"):
        necgs.unpack_shared(shared[:-4])


def test_a_surface_through_everything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    coords = np.stack(np.meshgrid(*[np.arange(32)] * 3, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int32)
    checkerboard = np.where(coords.sum(axis=1) % 2, 1.0, -1.0).astype(np.float32)
    assert len(marching_cubes.extract_surface(coords, checkerboard, 32)[1]) > 31**3
    monkeypatch.setattr(marching_cubes, "MAX_CELLS", 20_000)
    with pytest.raises(ArchiveError, match="more than any mesh should need"):
        marching_cubes.extract_surface(coords, checkerboard, 32)


@pytest.mark.parametrize("payload", [b"", b"\0", bytes(4), bytes(4096), b"\xff" * 4096])
def test_payloads_of_one_byte_repeated(chunks: Chunks, payload: bytes) -> None:
    decodes(Chunks(chunks.codec_id, chunks.shared, payload))
