"""From which vertices others are told, against shortest paths of scipy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.transform import Rotation

from meshset.codecs.control_mesh.residuals import GRID, Point
from meshset.codecs.control_mesh.subdivision import Edges
from meshset.codecs.mesh_group.hoods import NEAREST, hoods
from meshset.codecs.mesh_group.members import offsets_of
from meshset.codecs.mesh_group.offsets import Told
from meshset.errors import ArchiveError
from tests.codecs.control_mesh import shapes


def on_grid(points: np.ndarray) -> list[Point]:
    return [(x, y, z) for x, y, z in np.round(points * GRID).tolist()]


def ball(subdivisions: int = 2) -> tuple[np.ndarray, np.ndarray]:
    mesh = trimesh.creation.icosphere(subdivisions)
    return 0.9 * np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int64)


@pytest.mark.parametrize("shape", [ball(), shapes.torus(), shapes.grid(9, 7)], ids=["ball", "torus", "sheet"])
def test_each_vertex_is_told_once_from_the_nearest_before_it(shape):
    points, faces = shape
    whole = np.array(on_grid(points))
    ends = Edges.of(faces).ends
    lengths = np.floor(np.linalg.norm(whole[ends[:, 0]] - whole[ends[:, 1]], axis=1))
    paths = dijkstra(csr_array((lengths, (ends[:, 0], ends[:, 1])), shape=(len(points),) * 2), directed=False)
    found = hoods(on_grid(points), faces)
    assert sorted(hood.vertex for hood in found) == list(range(len(points)))
    assert found[0].near == ()
    before = [found[0].vertex]
    for hood in found[1:]:
        away = paths[hood.vertex, before]
        assert paths[hood.vertex, list(hood.near)].tolist() == np.sort(away)[:NEAREST].tolist()
        rest = np.setdiff1d(np.arange(len(points)), before)
        assert away.min() == paths[np.ix_(rest, before)].min(axis=1).max()  # the one farthest from all before it
        before.append(hood.vertex)


def test_weights_make_a_mean_and_spanning_sums_do_not_see_where_the_mesh_is():
    for hood in hoods(on_grid(ball()[0]), ball()[1])[1:]:
        assert sum(hood.weights) == pytest.approx(1.0)
        assert list(hood.weights) == sorted(hood.weights, reverse=True)
        assert sum(hood.along) == pytest.approx(0.0, abs=1e-15)
        assert sum(hood.across) == pytest.approx(0.0, abs=1e-15)


def test_frames_on_a_sphere_have_its_normals_and_turn_with_it():
    points, faces = ball(3)
    rotation = Rotation.random(rng=4).as_matrix()
    here, there = on_grid(points), on_grid(points @ rotation.T)
    late = [hood for hood in hoods(here, faces) if hood.along][100:]
    for hood in late:
        frame = np.array(hood.frame(here))
        assert frame @ frame.T == pytest.approx(np.eye(3), abs=1e-12)
        assert np.linalg.det(frame) == pytest.approx(1.0)
        assert frame[0] @ points[hood.vertex] / 0.9 > 0.9
        assert np.array(hood.frame(there)) == pytest.approx(frame @ rotation.T, abs=1e-4)


def test_arrays_say_what_hoods_say():
    points, faces = shapes.torus()
    found = hoods(on_grid(points), faces)
    told = Told.of(found)
    bent = points + 0.03 * np.random.default_rng(0).normal(size=points.shape)
    exact = np.array(on_grid(bent)) / GRID
    assert told.frames(exact) == pytest.approx(np.array([hood.frame(on_grid(bent)) for hood in found]), abs=1e-12)
    assert told.offsets(exact) == pytest.approx(np.array(offsets_of(found, on_grid(bent))) / GRID, abs=1e-12)


def test_pieces_are_told_from_each_other():
    points, faces = ball(1)
    apart = np.concatenate([0.4 * points - 0.5, 0.4 * points + 0.5, 0.1 * points])
    found = hoods(on_grid(apart), np.concatenate([faces + k * len(points) for k in range(3)]))
    assert len(found) == len(apart)
    assert all(len(hood.near) == min(place, NEAREST) for place, hood in enumerate(found))


def test_points_that_coincide_have_hoods_without_a_frame():
    points, faces = ball(1)
    found = hoods([(5.0, -3.0, 0.0)] * len(points), faces)
    assert len(found) == len(points)
    assert not any(hood.along for hood in found)
    assert found[-1].middle(on_grid(points)) != (0.0, 0.0, 0.0)


def test_a_dust_of_triangles_is_refused():
    triangles = 6_000
    points = np.random.default_rng(0).uniform(-1, 1, (3 * triangles, 3))
    with pytest.raises(ArchiveError, match="too many pieces"):
        hoods(on_grid(points), np.arange(3 * triangles, dtype=np.int64).reshape(-1, 3))
