"""Surfaces of signed distances, found by an octree."""

from __future__ import annotations

import numpy as np
import pytest

from meshset.codecs.common import surfaces
from meshset.errors import ArchiveError
from meshset.evaluation import surface_distance
from meshset.field.grid import children, root_coords, spacing
from tests.field import shapes


def all_points(resolution: int) -> np.ndarray:
    coords, side = root_coords(np.zeros(1)), 4
    while side < resolution:
        coords, side = children(coords), 2 * side
    return (-1.0 + spacing(resolution) * coords.astype(np.float32)).T


@pytest.mark.parametrize("steepness", [0.6, 1.0, 1.9])
@pytest.mark.parametrize("clamp", [None, 0.25])
def test_narrow_band_gives_the_surface_of_the_whole_grid(steepness: float, clamp: float | None) -> None:
    asked = []

    def distance(points: np.ndarray) -> np.ndarray:
        asked.append(points.shape[1])
        values = steepness * shapes.torus_distance(points.T).astype(np.float32)
        return values if clamp is None else np.clip(values, -clamp, clamp)

    found = surfaces.extract(distance, 64, 1, clamp, np.zeros(1))
    assert sum(asked) < 0.7 * 64**3
    inside = distance(all_points(64)) < 0
    whole = surfaces.surface_of(
        np.rint((all_points(64).T + 1) / spacing(64)).astype(np.int32),
        np.clip(distance(all_points(64)) / (2 * spacing(64)), -1, 1)[:, None],
        64,
    )
    assert inside.any()
    assert len(found.faces) == len(whole.faces)
    assert found.to_trimesh().is_watertight
    np.testing.assert_allclose(found.vertices.min(axis=0), whole.vertices.min(axis=0))
    assert surface_distance(whole, found, 2_000)[1] < 1e-6


def test_field_without_a_surface_is_an_empty_mesh() -> None:
    found = surfaces.extract(lambda points: np.ones(points.shape[1], np.float32), 32, 1, None, np.zeros(1))
    assert len(found.faces) == 0


def test_too_much_work_is_refused() -> None:
    with pytest.raises(ArchiveError, match="more work"):
        surfaces.extract(lambda points: 0 * points[0], 256, 10**6, None, np.zeros(1))
