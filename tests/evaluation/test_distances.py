"""Errors of signed distance functions whose errors are known."""

import numpy as np
import pytest
import trimesh

from meshset.errors import MeshFileError
from meshset.evaluation import importance_error, signed_distance, surface_error
from meshset.geometry.mesh import Mesh

BOX = trimesh.creation.box(extents=(1.8, 1.2, 0.8))
BOX = Mesh(np.array(BOX.vertices), np.array(BOX.faces, dtype=np.int32))
HALVES = np.array([0.9, 0.6, 0.4])


def box_distance(points):
    beyond = np.abs(points) - HALVES
    return np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0)


def test_the_exact_function_has_no_error() -> None:
    assert surface_error(BOX, box_distance, 2000) == pytest.approx(0, abs=1e-12)
    assert importance_error(BOX, box_distance, 2000) == pytest.approx(0, abs=1e-12)


def test_a_constant_offset_is_the_error() -> None:
    for offset in (-0.02, 0.03):
        assert surface_error(BOX, lambda p, e=offset: box_distance(p) + e, 2000) == pytest.approx(abs(offset))
        assert importance_error(BOX, lambda p, e=offset: box_distance(p) + e, 2000) == pytest.approx(abs(offset))


def test_points_of_the_importance_error_are_near_the_surface_but_for_a_tenth() -> None:
    asked = []
    importance_error(BOX, lambda points: asked.append(points) or box_distance(points), 20_000)
    distance = np.abs(box_distance(asked[0]))
    assert len(distance) == 20_000
    assert (distance < 0.04).mean() == pytest.approx(0.9 + 0.1 * 0.04, abs=0.01)
    # On a flat side the distance is that of the noise along the normal.
    assert np.median(distance[:18_000]) == pytest.approx(0.6745 * 0.01, rel=0.05)


def test_a_function_without_sides_errs_by_twice_the_depth_inside() -> None:
    asked = []
    found = importance_error(BOX, lambda points: asked.append(points) or np.abs(box_distance(points)), 5000)
    exact = box_distance(asked[0])
    assert found == pytest.approx(2 * np.maximum(-exact, 0).mean())
    assert surface_error(BOX, lambda points: np.abs(box_distance(points)), 500) == pytest.approx(0, abs=1e-12)


def test_the_distance_of_a_mesh_is_negative_inside() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (500, 3))
    np.testing.assert_allclose(signed_distance(BOX)(points), box_distance(points), atol=1e-9)


def test_the_seed_decides_which_points() -> None:
    def error(seed: int) -> float:
        return importance_error(BOX, lambda points: 1.01 * box_distance(points), 500, seed)

    assert error(1) == error(1) != error(2)


def test_a_mesh_without_area_has_no_error() -> None:
    with pytest.raises(MeshFileError, match="no surface"):
        surface_error(Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], dtype=np.int32)), box_distance)
