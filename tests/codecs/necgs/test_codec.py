"""The NeCGS codec as its users see it: meshes in, bytes out, meshes back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from meshset.codecs.common import stored_fields
from meshset.codecs.common.tensors import QuantisedTensor
from meshset.codecs.necgs import adding, recipe
from meshset.codecs.necgs import codec as necgs
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.bitstream import (
    SharedPart,
    pack_latent,
    pack_shared,
    unpack_latent,
    unpack_shared,
)
from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.protocol import CodedMesh, CodedSet, Goal, Refusal, Settings
from meshset.coding import Histogram
from meshset.errors import ArchiveError, MeshsetError
from meshset.evaluation.metrics import surface_distance
from meshset.field.grid import spacing
from meshset.geometry import Mesh
from meshset.geometry.diagnosis import turned
from tests.codecs.decoding import assert_refuses_in_little_memory, assert_takes_noise
from tests.field import shapes

SETTINGS = Settings(resolution=32, preset="fast")
MESHES = [
    shapes.sphere(0.8, rings=32),
    shapes.torus(rows=48, columns=24),
    shapes.box((-0.9, -0.5, -0.6), (0.9, 0.5, 0.6)),
]


def coded_with(visits: int, meshes: list[Mesh], settings: Settings = SETTINGS, rate: float = 1.0) -> CodedSet:
    with pytest.MonkeyPatch.context() as patch:
        short = dataclasses.replace(recipe.PRESETS["fast"], visits=visits, epochs=1)
        patch.setitem(recipe.PRESETS, "fast", short)
        return NecgsCodec(goal=Goal(rate=rate)).compress(meshes, settings)


@pytest.fixture(scope="module")
def coded() -> CodedSet:
    return coded_with(1000, MESHES)


def payloads(coded: CodedSet) -> list[bytes]:
    return [mesh.payload for mesh in coded.meshes if isinstance(mesh, CodedMesh)]


def test_meshes_come_back_from_the_bytes_alone(coded: CodedSet) -> None:
    decoder = NecgsCodec().open(coded.shared)
    for original, payload in zip(MESHES, payloads(coded), strict=True):
        mesh = decoder.decode(payload)
        assert mesh.vertices.dtype == np.float32
        assert mesh.faces.dtype == np.int32
        assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).is_watertight
        assert surface_distance(original, mesh, 5_000, 0)[0] < 0.02


def test_numpy_and_torch_decode_the_same_mesh(coded: CodedSet) -> None:
    by_numpy, by_torch = NecgsCodec().open(coded.shared), NecgsCodec().open(coded.shared, device="cpu")
    for payload in payloads(coded):
        ours, theirs = by_numpy.decode(payload), by_torch.decode(payload)
        assert np.array_equal(ours.faces, theirs.faces)
        assert np.abs(ours.vertices - theirs.vertices).max() < 1e-4


def test_more_training_brings_less_error(coded: CodedSet) -> None:
    brief = coded_with(60, MESHES)
    assert coded.report["field_error"] < 0.6 * brief.report["field_error"]


@pytest.mark.parametrize("rate", [1.0, 0.05])
def test_real_bytes_are_within_two_percent_of_the_estimated_ones(coded: CodedSet, rate: float) -> None:
    if rate != 1.0:
        coded = coded_with(600, MESHES, rate=rate)
    real = len(coded.shared) + sum(map(len, payloads(coded)))
    assert coded.report["coded_bytes"] == real
    assert coded.report["estimated_bytes"] == pytest.approx(real, rel=0.02)


def test_same_seed_same_bytes_other_seed_other_bytes() -> None:
    first, again = coded_with(20, MESHES), coded_with(20, MESHES)
    other = coded_with(20, MESHES, dataclasses.replace(SETTINGS, seed=1))
    assert first == again
    assert first.shared != other.shared


def test_a_set_of_one_mesh() -> None:
    coded = coded_with(4, MESHES[:1])
    assert len(payloads(coded)) == 1


def test_a_mesh_that_slips_through_the_grid_is_refused_and_the_rest_go_on() -> None:
    speck = shapes.box((-0.1 * spacing(32),) * 3, (0.1 * spacing(32),) * 3)
    coded = coded_with(4, [MESHES[0], speck, MESHES[1]])
    assert [type(mesh) for mesh in coded.meshes] == [CodedMesh, Refusal, CodedMesh]
    assert NecgsCodec().open(coded.shared).decode(payloads(coded)[1]) is not None
    assert coded_with(4, [speck]) == CodedSet(b"", (coded.meshes[1],), {})


def test_a_second_run_finds_the_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHSET_CACHE", str(tmp_path))
    meshes = [turned(MESHES[0]), MESHES[1]]
    first = coded_with(4, meshes)

    def refuse(*_: object) -> None:
        raise AssertionError("a field is computed again")

    monkeypatch.setattr(stored_fields, "compute_field", refuse)
    assert coded_with(4, meshes) == first
    with pytest.raises(AssertionError, match="computed again"):
        coded_with(4, meshes, dataclasses.replace(SETTINGS, field="tsdf"))
    monkeypatch.undo()
    monkeypatch.setenv("MESHSET_CACHE", str(tmp_path))
    for entry in tmp_path.iterdir():
        entry.write_bytes(entry.read_bytes()[:-9])
    assert coded_with(4, meshes) == first


@pytest.mark.parametrize("field", ["tsdf", "tsdf-def"])
def test_meshes_join_a_set_with_its_decoder_frozen(field: str, coded: CodedSet) -> None:
    """A member that is added again comes back about as exact as it was trained, in about as many bytes."""
    if field != SETTINGS.field:
        coded = coded_with(1000, MESHES, dataclasses.replace(SETTINGS, field=field))
    speck = shapes.box((-0.1 * spacing(32),) * 3, (0.1 * spacing(32),) * 3)
    added = NecgsCodec().add([MESHES[1], speck, turned(MESHES[2])], coded.shared, Settings())
    assert [type(mesh) for mesh in added] == [CodedMesh, Refusal, CodedMesh]
    decoder = NecgsCodec().open(coded.shared)
    trained = payloads(coded)
    for mesh, original, before in ((added[0], MESHES[1], trained[1]), (added[2], MESHES[2], trained[2])):
        assert isinstance(mesh, CodedMesh)
        expected = surface_distance(original, decoder.decode(before), 5_000, 0)[0]
        assert surface_distance(original, decoder.decode(mesh.payload), 5_000, 0)[0] < 1.5 * expected
        assert len(mesh.payload) < 1.5 * len(before)
    assert isinstance(added[2], CodedMesh)
    assert added[2].notes == ("1 part inside out; turned",)
    assert NecgsCodec().add([MESHES[1], speck, turned(MESHES[2])], coded.shared, Settings()) == added


def test_more_steps_bring_a_mesh_nearer(coded: CodedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    member = MESHES[1]
    monkeypatch.setattr(adding, "ADDING", dataclasses.replace(recipe.ADDING, visits=20))
    monkeypatch.setattr(adding, "REFINING", dataclasses.replace(recipe.REFINING, visits=150))
    codec = NecgsCodec()
    (first,) = codec.add([member], coded.shared, Settings())
    assert isinstance(first, CodedMesh)
    (refined,) = codec.refine([member], [first.payload], coded.shared, Settings())
    assert isinstance(refined, CodedMesh)
    decoder = codec.open(coded.shared)
    before, after = (surface_distance(member, decoder.decode(one.payload), 5_000, 0)[0] for one in (first, refined))
    assert after < 0.8 * before


def test_a_decoder_learns_a_mesh_more(coded: CodedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    new = shapes.box((-0.9, -0.3, -0.4), (0.9, 0.3, 0.4))
    monkeypatch.setattr(adding, "ADDING", dataclasses.replace(recipe.ADDING, visits=60))
    monkeypatch.setattr(necgs, "RETRAINING", dataclasses.replace(recipe.RETRAINING, visits=400, epochs=1))
    codec, stored = NecgsCodec(), payloads(coded)
    (first,) = codec.add([new], coded.shared, Settings())
    assert isinstance(first, CodedMesh)
    updated = codec.retrain(stored, [new], [first.payload], coded.shared, Settings())
    before, after = codec.open(coded.shared), codec.open(updated.shared)
    *old, last = payloads(updated)
    for original, payload, again in zip(MESHES, stored, old, strict=True):
        mesh = before.decode(payload)
        own = surface_distance(original, mesh, 5_000, 0)[0]
        assert surface_distance(mesh, after.decode(again), 5_000, 0)[0] < 2 * own
    errors = [surface_distance(new, d.decode(p), 5_000, 0)[0] for d, p in ((before, first.payload), (after, last))]
    assert errors[1] < 0.5 * errors[0]


def test_nothing_joins_what_is_no_decoder() -> None:
    with pytest.raises(ArchiveError):
        NecgsCodec().add(MESHES, b"", SETTINGS)


def test_repairs_are_told() -> None:
    coded = coded_with(4, [turned(MESHES[0])])
    assert [mesh.notes for mesh in coded.meshes if isinstance(mesh, CodedMesh)] == [("1 part inside out; turned",)]


@pytest.mark.parametrize("wrong", [{"preset": "slow"}, {"resolution": 100}])
def test_unknown_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(MeshsetError, match=r"slow|100"):
        NecgsCodec().compress(MESHES, dataclasses.replace(SETTINGS, **wrong))  # type: ignore[arg-type]


def test_more_bytes_than_a_decoder_can_use_go_to_a_larger_one() -> None:
    usual = recipe.architecture_for(SETTINGS, 24)
    assert recipe.architecture_for(SETTINGS, 24, usual.parameters) == usual
    assert recipe.architecture_for(SETTINGS, 24, usual.parameters + 1).parameters > usual.parameters


def test_shared_part_survives_its_bytes(coded: CodedSet) -> None:
    part = unpack_shared(coded.shared)
    assert part.architecture == Architecture(32, (64, 32), hidden=64, latent_channels=8, crosses=True)
    assert pack_shared(part) == coded.shared
    for payload in payloads(coded):
        assert pack_latent(unpack_latent(payload, part.latent_models), part.latent_models) == payload


def test_shared_part_that_ends_in_its_tables_is_refused(coded: CodedSet) -> None:
    """Where the coded numbers themselves are cut, only the archive's checksum can tell."""
    for cut in range(150):
        with pytest.raises(ArchiveError):
            NecgsCodec().open(coded.shared[:cut])


@given(st.binary(max_size=200))
def test_arbitrary_shared_parts_are_refused(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        unpack_shared(data)


@pytest.mark.parametrize(
    "header",
    [
        (48, 16, 1, 64, 2, 64, 48),
        (64, 0, 1, 64, 3, 64, 48, 32),
        (64, 16, 2, 64, 3, 64, 48, 32),
        (64, 16, 1, 9999, 3, 64, 48, 32),
        (64, 16, 1, 64, 1, 64),
        (64, 16, 1, 64, 3, 64, 0, 32),
        (64, 1000, 1, 1000, 3, 1000, 1000, 1000),
        (64, 16, 1, 64, 200),
    ],
)
def test_impossible_decoders_are_refused(header: tuple[int, ...]) -> None:
    from meshset.coding import varint

    with pytest.raises(ArchiveError):
        unpack_shared(b"".join(map(varint, header)) + bytes(1000))


def test_a_decoder_that_would_take_all_memory_is_refused() -> None:
    """Wide tensors of zeros cost no bits; with every logit at 0 each voxel is expanded."""
    architecture = Architecture(256, (8, 8, 8, 8, 200), hidden=4, latent_channels=1)
    model = Histogram(0, 1, b"\x01")
    weights = {
        name: QuantisedTensor(np.zeros(shape, np.int32), np.float32(1))
        for name, shape in architecture.tensors().items()
    }
    shared = pack_shared(SharedPart(architecture, weights, np.ones(1, np.float32), (model,)))
    assert len(shared) < 1000
    assert_refuses_in_little_memory(NecgsCodec().open(shared), bytes(4))


def test_a_payload_of_noise_is_a_mesh_or_refused(coded: CodedSet) -> None:
    assert_takes_noise(NecgsCodec().open(coded.shared))
