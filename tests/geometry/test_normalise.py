"""Into the cube and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from meshset.geometry import Mesh, Placement
from meshset.vocabulary import LONGEST_SIDE

coordinates = st.floats(-1e6, 1e6, width=32).map(lambda x: round(x, 2))
FACES = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]], dtype=np.int32)


@given(arrays(np.float64, (4, 3), elements=coordinates))
def test_float32_coordinates_come_back_to_the_last_bit(points: np.ndarray) -> None:
    vertices = points.astype(np.float32)
    if np.ptp(vertices, axis=0).max() < 1e-3 * np.abs(vertices).max() + 1e-3:
        return
    mesh = Mesh(vertices, FACES)
    placement = Placement.of(mesh)
    back = placement.restore(placement.normalise(mesh)).vertices
    span = float(np.ptp(vertices, axis=0).max())
    assert np.abs(back.astype(np.float64) - vertices).max() <= 1e-12 * span + np.spacing(np.abs(vertices).max())


@pytest.mark.parametrize("offset", [0.0, 5e5])
def test_longest_side_and_centre(offset: float) -> None:
    mesh = Mesh(np.array([[0, 0, 0], [4, 0, 0], [0, 2, 0], [0, 0, 1]], dtype=np.float64) + offset, FACES)
    normalised = Placement.of(mesh).normalise(mesh)
    lower, upper = normalised.bounds
    assert np.ptp(normalised.vertices, axis=0) == pytest.approx(LONGEST_SIDE * np.array([1, 0.5, 0.25]))
    assert lower + upper == pytest.approx(np.zeros(3), abs=1e-9)


def test_vertices_that_no_face_uses_do_not_count() -> None:
    mesh = Mesh(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [99, 0, 0]], dtype=np.float64), FACES)
    assert Placement.of(mesh).upper.tolist() == [1, 1, 1]
