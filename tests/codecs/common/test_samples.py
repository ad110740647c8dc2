"""Samples of signed distances: where they lie, and what they say of sheets and of meshes inside out."""

from __future__ import annotations

import numpy as np
import pytest

from meshset.codecs.common.samples import FALL_OFF, UNIFORM_SHARE, samples_of
from meshset.errors import MeshFileError
from meshset.field.grid import spacing
from meshset.geometry import Mesh
from tests.field import shapes

BALL = shapes.sphere(0.8, rings=24)


def test_samples_where_parts_overlap_have_the_distance_of_the_union() -> None:
    low, high = np.array((-0.8, -0.5, -0.5)), np.array((0.8, 0.5, 0.5))
    whole = shapes.box(tuple(low), tuple(high))
    mesh = shapes.joined(whole, shapes.box((-0.3, -0.3, -0.3), (0.3, 0.3, 0.3)))
    samples = samples_of(mesh, 4_000, 32, seed=0)
    exact = shapes.box_distance(samples.points.T.astype(np.float64), low, high)
    assert np.abs(samples.distance - exact).max() < 1e-3
    assert "inside the solid" in samples.notes[0]


def test_samples_of_a_torus_have_its_distance() -> None:
    samples = samples_of(shapes.torus(), 4_000, 32, seed=0)
    expected = shapes.torus_distance(samples.points.T.astype(np.float64))
    np.testing.assert_allclose(samples.distance, expected, atol=2e-3)
    assert samples.notes == ()
    again = samples_of(shapes.torus(), 4_000, 32, seed=0)
    np.testing.assert_array_equal(samples.whole_points, again.whole_points)


def test_density_of_samples_falls_with_the_distance() -> None:
    """Near a large flat face the distance is exponentially distributed on either side."""
    flat = shapes.box((-0.9, -0.9, -0.5), (0.9, 0.9, 0.5))
    distance = np.abs(samples_of(flat, 20_000, 32, seed=0).distance)
    near = distance[distance < 5 / FALL_OFF]
    assert np.median(near) == pytest.approx(np.log(2) / FALL_OFF, rel=0.1)
    assert (distance > 10 / FALL_OFF).mean() == pytest.approx(UNIFORM_SHARE, rel=0.5)


def test_open_sheet_gets_a_thickness_and_a_note() -> None:
    corners = np.array([[-0.9, -0.9, 0.0], [0.9, -0.9, 0.0], [0.9, 0.9, 0.0], [-0.9, 0.9, 0.0]])
    sheet = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))
    samples = samples_of(sheet, 4_000, 32, seed=0)
    (note,) = samples.notes
    assert note == "100% of its faces have no inside; kept as sheets as thick as a voxel"
    over = (np.abs(samples.points[:2]) < 0.8).all(axis=0)
    expected = np.abs(samples.points[2]) - spacing(32) / 2
    np.testing.assert_allclose(samples.distance[over], expected[over], atol=1e-3)


def test_mesh_inside_out_is_turned_with_a_note() -> None:
    turned = Mesh(BALL.vertices, np.ascontiguousarray(BALL.faces[:, ::-1]))
    samples = samples_of(turned, 1_000, 32, seed=0)
    assert samples.notes == ("1 part inside out; turned",)
    assert samples.distance.min() < 0


def test_mesh_without_an_inside_anywhere_is_refused() -> None:
    nothing = Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], dtype=np.int32))
    with pytest.raises(MeshFileError, match="zero area"):
        samples_of(nothing, 100, 32, seed=0)
