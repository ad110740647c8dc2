"""The codec as others use it: bounds, refusals and parameters."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from meshset.codecs import codec_by_id
from meshset.codecs.control_mesh import search
from meshset.codecs.control_mesh.codec import TOO_LARGE, ControlMeshCodec, diagonal
from meshset.codecs.protocol import CodedMesh, Refusal, Settings
from meshset.errors import ArchiveError
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh, Placement
from meshset.geometry.samples import sample_meshes
from tests.codecs.control_mesh import shapes

FAST = Settings(preset="fast")


def mesh_of(shape: shapes.Shape) -> Mesh:
    return Mesh(shape[0], shape[1].astype(np.int32))


def coded(mesh: Mesh, error: float) -> CodedMesh:
    made = ControlMeshCodec(error).compress([mesh], FAST)
    assert made.shared == b""
    (found,) = made.meshes
    assert isinstance(found, CodedMesh)
    return found


def sample(family: str) -> Mesh:
    mesh = next(mesh for name, mesh in sample_meshes(8) if name.startswith(family))
    return Placement.of(mesh).normalise(mesh)


@pytest.mark.parametrize(
    ("make", "bytes_at_most"),
    [
        (lambda: sample("coral"), 4000),
        (lambda: sample("bracket"), 4000),
        (lambda: mesh_of(shapes.grid(20, 20)), 60),
        (lambda: mesh_of((shapes.TRIANGLE, np.array([[0, 1, 2]]))), 24),
        (lambda: mesh_of(shapes.several()), 1500),
        (lambda: mesh_of(shapes.of(trimesh.creation.icosphere(4))), 300),
        (lambda: mesh_of(shapes.moebius()), 300),
    ],
    ids=["smooth", "mechanical", "flat sheet", "triangle", "parts", "ball", "moebius"],
)
def test_the_bound_is_kept_and_bytes_are_few(make, bytes_at_most: int) -> None:
    mesh, error = make(), 0.004
    found = coded(mesh, error)
    back = codec_by_id(17).open(b"").decode(found.payload)
    assert surface_distance(mesh, back, 20_000)[0] <= 1.05 * error * diagonal(mesh)
    assert len(found.payload) <= bytes_at_most
    assert found == coded(mesh, error)


def test_a_smaller_bound_takes_more_bytes() -> None:
    mesh = mesh_of(shapes.of(trimesh.creation.icosphere(4)))
    assert len(coded(mesh, 0.0005).payload) > len(coded(mesh, 0.005).payload)


def test_what_cannot_be_coded_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from meshset.codecs.control_mesh import connectivity

    mesh = mesh_of(shapes.sphere())
    monkeypatch.setattr(search, "search", lambda *arguments: None)
    assert ControlMeshCodec().compress([mesh], FAST).meshes == (Refusal(TOO_LARGE),)
    monkeypatch.undo()
    monkeypatch.setattr(connectivity, "_WALK", 0)
    monkeypatch.setattr(connectivity, "_WALK_AT_LEAST", 0)
    (refused,) = ControlMeshCodec().compress([mesh], FAST).meshes
    assert isinstance(refused, Refusal)
    assert refused.reason.startswith("is too involved for a control mesh: ")


def test_parameters_come_back() -> None:
    codec = ControlMeshCodec(0.003)
    assert ControlMeshCodec().with_parameters(codec.parameters()) == codec
    assert ControlMeshCodec(0.003).with_parameters({}) == codec


def test_meshes_are_added_as_they_are_compressed() -> None:
    mesh = mesh_of(shapes.annulus())
    assert ControlMeshCodec(0.01).add([mesh], b"", FAST) == ControlMeshCodec(0.01).compress([mesh], FAST).meshes
    with pytest.raises(ArchiveError, match="shared part"):
        ControlMeshCodec().add([mesh], b"x", FAST)


@pytest.mark.parametrize("error", [0, -1, float("inf"), "small", None])
def test_impossible_bounds_are_refused(error: object) -> None:
    with pytest.raises(ArchiveError, match="invalid error"):
        ControlMeshCodec().with_parameters({"error": error})
    if isinstance(error, int):
        with pytest.raises(ValueError, match="share of the diagonal"):
            ControlMeshCodec(error)


def test_faces_that_are_there_twice_are_told_and_cost_nothing() -> None:
    mesh = mesh_of(shapes.of(trimesh.creation.icosphere(3)))
    twice = Mesh(mesh.vertices, np.concatenate([mesh.faces, mesh.faces[:, ::-1]]))
    once, found = coded(mesh, 0.002), coded(twice, 0.002)
    assert abs(len(found.payload) - len(once.payload)) < 0.1 * len(once.payload)
    assert "faces that were there already dropped: 1,280" in found.notes
