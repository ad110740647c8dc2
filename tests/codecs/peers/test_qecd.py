"""Simplification to a number of parameters."""

import numpy as np
import pytest
import trimesh

from meshset.codecs import codec_by_id
from meshset.codecs.peers import qecd
from meshset.codecs.peers.qecd import QecdCodec, parameters_of
from meshset.codecs.protocol import Settings
from meshset.errors import ArchiveError
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh


def solid(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices), np.array(shape.faces, np.int32))


TORUS = solid(trimesh.creation.torus(0.7, 0.295, major_sections=48, minor_sections=24))
BALLS = solid(trimesh.util.concatenate([trimesh.creation.icosphere(2, 0.3).apply_translation(c) for c in np.eye(3)]))
SOUP = Mesh(TORUS.triangles.reshape(-1, 3), np.arange(3 * len(TORUS.faces), dtype=np.int32).reshape(-1, 3))
TINY = solid(trimesh.creation.box((1, 1, 1)))


def code(codec, mesh):
    coded = codec.compress([mesh], Settings())
    assert coded.shared == b""
    return coded.meshes[0]


@pytest.mark.parametrize("budget", [900, 3000])
@pytest.mark.parametrize("mesh", [TORUS, BALLS], ids=["torus", "balls"])
def test_the_budget_is_used_and_kept(mesh, budget):
    coded = code(QecdCodec(budget), mesh)
    back = codec_by_id(11).open(b"").decode(coded.payload)
    assert coded.notes == ()
    assert 0.9 * budget <= parameters_of(back) <= budget
    assert back.to_trimesh().is_watertight
    assert surface_distance(mesh, back, 2000)[0] < 30 / budget


def test_the_papers_default_is_2400_vertices_and_faces():
    assert QecdCodec().budget == 3 * 2400


def test_a_mesh_within_the_budget_stays_as_it_is():
    coded = code(QecdCodec(), TINY)
    back = codec_by_id(11).open(b"").decode(coded.payload)
    np.testing.assert_array_equal(back.vertices, TINY.vertices.astype(np.float32))
    np.testing.assert_array_equal(back.faces, TINY.faces)
    assert parameters_of(back) == 3 * (8 + 12)


def test_a_miss_is_told():
    coded = code(QecdCodec(100), SOUP)
    back = parameters_of(codec_by_id(11).open(b"").decode(coded.payload))
    assert (qecd.MISSED in coded.notes) == (back > 100)
    assert back < parameters_of(SOUP)


def test_meshes_are_added_with_the_budget_of_the_archive():
    codec = QecdCodec(1200)
    again = QecdCodec().with_parameters(codec.parameters())
    assert again == codec
    assert again.add([TORUS], b"", Settings()) == (code(codec, TORUS),)


@pytest.mark.parametrize("budget", [None, "many", 3])
def test_invalid_budgets_of_an_archive_are_refused(budget):
    with pytest.raises(ArchiveError, match="invalid budget"):
        QecdCodec().with_parameters({"budget": budget})


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="too few"):
        QecdCodec(20)
    with pytest.raises(ArchiveError, match="shared part"):
        QecdCodec().open(b"x")
