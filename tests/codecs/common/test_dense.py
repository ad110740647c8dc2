"""Fields on the whole grid."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from meshset.codecs.common.dense import dense_values, near_surface
from meshset.field import compute_field, extract_surface
from meshset.field.grid import spacing
from meshset.geometry.queries import SurfaceQueries
from tests.field import shapes


def test_the_dense_field_has_the_right_side_everywhere() -> None:
    field = compute_field(shapes.torus(rows=48, columns=24), 32)[0]
    dense = dense_values(field, 4)
    points = (np.stack(np.meshgrid(*[np.arange(32)] * 3, indexing="ij"), axis=-1) * spacing(32) - 1).reshape(-1, 3)
    winding = SurfaceQueries(shapes.torus(rows=48, columns=24)).winding_number(points)
    inside = winding.reshape(32, 32, 32) > 0.5
    far = np.abs(dense[0]) == 1
    assert np.array_equal(dense[0][far] < 0, inside[far])
    assert np.array_equal(dense[0][tuple(field.coords.T)], field.tsdf)
    assert not dense[1:].any()


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_the_points_near_the_surface_are_enough_for_it(library: str) -> None:
    generator = np.random.default_rng(0)
    values = np.concatenate([generator.uniform(-1, 0.3, (12, 12, 12, 1)), generator.uniform(-1, 1, (12, 12, 12, 3))], 3)
    values[3:9, 3:9, 3:9, 0] = -1
    values = values.astype(np.float32)
    every = np.stack(np.meshgrid(*[np.arange(12, dtype=np.int32)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    coords, kept = near_surface(values if library == "numpy" else torch.from_numpy(values))
    whole = extract_surface(every, values.reshape(-1, 4)[:, 0], 12, values.reshape(-1, 4)[:, 1:])
    near = extract_surface(coords, kept[:, 0], 12, kept[:, 1:])
    assert len(coords) < len(every)
    corners = [np.sort(np.asarray(v)[np.asarray(f)].reshape(-1, 9), axis=0) for v, f in (whole, near)]
    assert np.allclose(*corners)
