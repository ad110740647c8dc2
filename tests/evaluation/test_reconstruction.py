"""Metrics of the LGCL paper, where they are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from meshset.evaluation import cloud_distances, distance_statistics, vertex_distances
from meshset.geometry import Mesh


def square(height: float, side: float = 1.0) -> Mesh:
    corners = np.array([[0, 0, height], [side, 0, height], [side, side, height], [0, side, height]])
    return Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))


def test_clouds_of_far_parallel_squares_are_as_far_apart_as_the_squares() -> None:
    found = cloud_distances(square(0), square(20), 2_000)
    assert found.chamfer == pytest.approx(20, rel=1e-4)
    assert found.chamfer_squared == pytest.approx(2 * 400, rel=1e-4)
    assert 20 <= found.hausdorff < 20.1


def test_hausdorff_is_that_of_the_worse_direction() -> None:
    small, large = square(0), square(0, 4)
    corner = np.hypot(3, 3)
    assert cloud_distances(small, large, 20_000).hausdorff == pytest.approx(corner, rel=0.03)
    assert cloud_distances(large, small, 20_000).hausdorff == pytest.approx(corner, rel=0.03)


def test_vertices_are_compared_with_the_surface_not_with_its_vertices() -> None:
    inner = square(0.25)
    inner.vertices[:] = inner.vertices * [0.2, 0.2, 1] + [0.4, 0.4, 0]
    assert np.allclose(vertex_distances(inner, square(0)), 0.25)
    assert np.allclose(vertex_distances(square(0), inner), np.sqrt(0.25**2 + 2 * 0.4**2))


def test_statistics_of_a_ramp() -> None:
    found = distance_statistics(np.arange(101) / 100, (0.5, 0.75, 2.0))
    assert (found.mean, found.median) == pytest.approx((0.5, 0.5))
    assert found.std == pytest.approx(np.sqrt((101**2 - 1) / 12) / 100)
    assert found.ninety == pytest.approx(0.9)
    assert found.above == pytest.approx((50 / 101, 25 / 101, 0))


def test_statistics_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no distances"):
        distance_statistics(np.zeros(0), ())
