"""Fitting and rounding."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from meshset.codecs.control_mesh import fitting
from meshset.codecs.control_mesh.bitstream import Surface, decode, encode
from meshset.codecs.control_mesh.fitting import Design, Form, Original, fitted, form, limits_at
from meshset.codecs.control_mesh.residuals import GRID, Point, Steps
from meshset.codecs.control_mesh.rounding import Nearest, Rounding
from meshset.codecs.control_mesh.subdivision import Edges
from meshset.geometry import Mesh
from meshset.geometry.queries import SurfaceQueries
from meshset.geometry.sampling import face_normals, sample_surface

BALL = trimesh.creation.icosphere(4, 0.9)
COARSE = trimesh.creation.icosphere(1, 0.8)
FACES = np.array(COARSE.faces, dtype=np.int64)
POINTS = np.array(COARSE.vertices) + np.random.default_rng(0).normal(0, 0.01, COARSE.vertices.shape)
COUNT, SEED = 400, 6


def original() -> Original:
    return Original(Mesh(np.array(BALL.vertices), np.array(BALL.faces, np.int32)))


def design(levels: int = 1) -> Design:
    return Design.of(FACES, len(POINTS), np.zeros(len(Edges.of(FACES).ends), dtype=bool), levels)


def value(found: Form, points: np.ndarray) -> float:
    x = points.ravel()
    return float(0.5 * x @ (found.matrix @ x) - found.vector @ x)


def weighted_squares(points: np.ndarray, about: np.ndarray) -> float:
    """Return what the form stands for, all pairs and weights fixed as they are about some points."""
    meant, made = original(), design()
    surface = made.surface(about)
    there = sample_surface(meant.mesh, COUNT, SEED)
    _, face, nearest = SurfaceQueries(surface).closest(there.points)
    here = sample_surface(surface, COUNT, SEED + 1)
    _, met, goal = meant.queries.closest(here.points)
    moved = made.matrix @ points
    total, normals, aways = 0.0, [], []
    for faces, places, goals, normal in (
        (face, nearest, there.points, face_normals(surface)[face]),
        (here.faces, here.points, goal, meant.normals[met]),
    ):
        shares = trimesh.triangles.points_to_barycentric(surface.vertices[surface.faces[faces]], places)
        shares = np.clip(shares, 0.0, 1.0)
        aways.append((shares[:, :, None] * moved[surface.faces[faces]]).sum(axis=1) - goals)
        normals.append(normal)
        total += len(goals)
    normal, away = np.concatenate(normals), np.concatenate(aways)
    first = np.concatenate([nearest - there.points, here.points - goal])
    distance = np.abs((first * normal).sum(axis=1)) + fitting._SIDEWAYS * np.linalg.norm(first, axis=1)
    weight = 1.0 / (total * np.maximum(distance, fitting._FLOOR * distance.mean()))
    return float(0.5 * (weight * ((away * normal).sum(axis=1) ** 2 + fitting._SIDEWAYS * (away**2).sum(axis=1))).sum())


def test_the_form_is_the_weighted_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "_HOLD", 0.0)
    found = form(original(), design(), POINTS, COUNT, SEED)
    rng = np.random.default_rng(1)
    other = POINTS + rng.normal(0, 0.05, POINTS.shape)
    expected = weighted_squares(other, POINTS) - weighted_squares(POINTS, POINTS)
    assert value(found, other) - value(found, POINTS) == pytest.approx(expected, rel=1e-6)
    gradient = (found.matrix @ POINTS.ravel() - found.vector).reshape(-1, 3)
    for vertex, axis in ((0, 0), (7, 1), (30, 2)):
        moved = np.zeros_like(POINTS)
        moved[vertex, axis] = 1e-4
        slope = (weighted_squares(POINTS + moved, POINTS) - weighted_squares(POINTS - moved, POINTS)) / 2e-4
        assert gradient[vertex, axis] == pytest.approx(slope, rel=1e-4, abs=1e-9)


def test_a_minimum_has_no_slope() -> None:
    found = form(original(), design(), POINTS, COUNT, SEED)
    best = found.minimum()
    np.testing.assert_allclose(found.matrix @ best.ravel(), found.vector, atol=1e-9)
    assert value(found, best) < value(found, POINTS)


@pytest.mark.parametrize("levels", [0, 2])
def test_a_coarse_ball_becomes_a_better_one(levels: int) -> None:
    meant, made = original(), design(levels)
    before = meant.distance(made.surface(POINTS))
    after = meant.distance(made.surface(fitted(meant, made, POINTS, 1500, 3)))
    assert after < before / 4
    assert after < (0.02 if levels == 0 else 0.002)


def test_limits_pass_near_their_points() -> None:
    made = design(2)
    start = limits_at(made, POINTS)
    near = (made.matrix @ start)[: len(POINTS)]
    assert np.abs(near - POINTS).max() < 0.05 * np.abs((made.matrix @ POINTS)[: len(POINTS)] - POINTS).max()


def test_a_surface_without_area_is_infinitely_far() -> None:
    assert original().distance(Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], np.int32))) == np.inf


class Placed:
    """Takes note of where another chooser places the vertices."""

    def __init__(self, chooser: Rounding | Nearest, source: np.ndarray) -> None:
        self._chooser, self._source = chooser, source
        self.points = np.zeros_like(POINTS)
        self.residual, self.point = chooser.residual, chooser.point

    def placed(self, vertex: int, point: Point) -> None:
        self.points[self._source[vertex]] = np.array(point) / GRID
        self._chooser.placed(vertex, point)


def test_a_form_is_factored_in_any_order() -> None:
    found = form(original(), design(), POINTS, COUNT, SEED)
    rows = (3 * np.random.default_rng(1).permutation(len(POINTS))[:, None] + np.arange(3)).ravel()
    upper = found.upper(rows).toarray()
    assert not np.tril(upper, -1).any()
    np.testing.assert_allclose(upper @ upper.T, found.matrix.toarray()[np.ix_(rows, rows)], atol=1e-12)


def test_the_largest_distance_counts_as_much_as_it_should() -> None:
    mesh = original().mesh
    spike = mesh.vertices.copy()
    spike[0] *= 1.5
    surface = Mesh(spike, mesh.faces)
    mean, all_of_it, tenth = (Original(mesh, share).distance(surface) for share in (0.0, 1.0, 0.1))
    assert mean < 0.01
    assert 0.25 < all_of_it < 0.45
    assert tenth == pytest.approx(all_of_it / 10)


def test_rounding_in_view_of_others_is_no_worse() -> None:
    found = form(original(), design(), POINTS, 1500, SEED)
    best = found.minimum()
    surface = Surface.of(FACES)
    for code in (200, 230):
        steps = Steps.of(code, 4)
        values, sizes = {}, {}
        choosers = {
            "nearest": Nearest(best, surface.source, steps),
            "free": Rounding(found, surface.order, surface.source, steps, 0.0),
            "dear": Rounding(found, surface.order, surface.source, steps, 1e-4),
        }
        for name, chooser in choosers.items():
            noted = Placed(chooser, surface.source)
            payload = encode(surface, noted, 1, code, 4)
            values[name], sizes[name] = value(found, noted.points) - value(found, best), len(payload)
            assert len(decode(payload).points) == len(POINTS)
        assert 0 <= values["free"] <= values["nearest"]
        assert sizes["dear"] < sizes["free"]
        assert values["dear"] > values["free"]
