"""Subdivision against closed forms and against other implementations."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import trimesh

from meshset.codecs.control_mesh.fitting import Design
from meshset.codecs.control_mesh.residuals import GRID
from meshset.codecs.control_mesh.subdivision import Edges, Refinement, refine
from tests.codecs.control_mesh import shapes


def whole(points: np.ndarray) -> np.ndarray:
    return np.round(points * GRID).astype(np.int64)


def no(faces: np.ndarray) -> np.ndarray:
    return np.zeros(len(Edges.of(faces).ends), dtype=bool)


def sharp_where(points: np.ndarray, faces: np.ndarray, condition) -> np.ndarray:
    """Return which edges have both ends where `condition` holds."""
    return np.array([condition(points[a]) and condition(points[b]) for a, b in Edges.of(faces).ends])


def reference(points: np.ndarray, faces: np.ndarray, sharp: set[tuple[int, int]]) -> dict[tuple[int, ...], np.ndarray]:
    """Return one level by the rules as they are printed, (v,) for an old vertex and (a, b) for an edge."""
    across: dict[tuple[int, int], list[int]] = defaultdict(list)
    for face in faces.tolist():
        for k in range(3):
            a, b = sorted((face[k], face[(k + 1) % 3]))
            across[a, b].append(face[(k + 2) % 3])
    creases = {edge for edge, others in across.items() if len(others) != 2 or edge in sharp}
    found = {}
    for (a, b), others in across.items():
        if (a, b) in creases:
            found[a, b] = (points[a] + points[b]) / 2
        else:
            found[a, b] = 3 / 8 * (points[a] + points[b]) + sum(points[c] for c in others) / 8
    for vertex in range(len(points)):
        ring = [a + b - vertex for a, b in across if vertex in (a, b)]
        ends = [a + b - vertex for a, b in creases if vertex in (a, b)]
        if len(ends) > 2:
            found[vertex,] = points[vertex]
        elif len(ends) == 2:
            found[vertex,] = 3 / 4 * points[vertex] + sum(points[k] for k in ends) / 8
        else:
            beta = 3 / 16 if len(ring) == 3 else 3 / (8 * len(ring))
            found[vertex,] = (1 - len(ring) * beta) * points[vertex] + beta * sum(points[k] for k in ring)
    return found


@pytest.mark.parametrize("name", ["sphere", "torus", "two handles", "annulus", "moebius", "book", "few holes"])
def test_one_level_is_what_the_rules_say(name: str) -> None:
    points, faces = shapes.SHAPES[name]()
    edges = Edges.of(faces)
    sharp = edges.shared & (np.arange(len(edges.ends)) % 7 == 0)
    refined, finer = refine(whole(points), faces, sharp, 1)
    expected = reference(points, faces, set(map(tuple, edges.ends[sharp].tolist())))
    keys = [(k,) for k in range(len(points))] + list(map(tuple, edges.ends.tolist()))
    np.testing.assert_allclose(refined / GRID, [expected[key] for key in keys], atol=1.1 / GRID)
    assert len(finer) == 4 * len(faces)


def test_a_regular_mesh_is_as_trimesh_makes_it() -> None:
    points, faces = shapes.torus()  # elsewhere trimesh takes Loop's first weights, and at borders others
    refined, finer = refine(whole(points), faces, no(faces), 2)
    theirs, their_faces = trimesh.remesh.subdivide_loop(points, faces, iterations=2)
    assert len(finer) == len(their_faces)
    distance = np.linalg.norm(refined[:, None] / GRID - theirs[None], axis=2)
    assert distance.min(axis=1).max() < 4 / GRID
    assert distance.min(axis=0).max() < 4 / GRID


def test_an_octahedron_stays_symmetric() -> None:
    points = np.concatenate([np.eye(3), -np.eye(3)])
    faces = trimesh.convex.convex_hull(points).faces.astype(np.int64)
    refined, _ = refine(whole(points), faces, no(faces), 3)
    every = set(map(tuple, refined.tolist()))
    assert len(every) == len(refined) == 258
    for turned in (refined[:, [1, 2, 0]], refined[:, [1, 0, 2]]):
        assert set(map(tuple, turned.tolist())) == every
    # Halves are rounded up: a mirror image is the same but for one unit a level.
    mirrored = np.array(sorted(map(tuple, (-refined).tolist())))
    assert np.abs(mirrored - np.array(sorted(every))).max() <= 3


def test_a_plane_stays_a_plane() -> None:
    points, faces = shapes.grid(5, 5)
    points[:, 2] = 0.25
    inner = (np.abs(points[:, :2]) < 0.8).all(axis=1)
    points[inner, :2] += np.random.default_rng(0).uniform(-0.1, 0.1, (inner.sum(), 2))
    refined, _ = refine(whole(points), faces, no(faces), 3)
    assert (refined[:, 2] == GRID // 4).all()


def test_a_straight_crease_stays_on_its_line() -> None:
    points, faces = shapes.grid(5, 5)
    points[:, 2] = np.abs(points[:, 0])  # a roof whose ridge is x = 0
    sharp = sharp_where(points, faces, lambda point: point[0] == 0)
    assert sharp.sum() == 4
    smooth, _ = refine(whole(points), faces, no(faces), 2)
    creased, _ = refine(whole(points), faces, sharp, 2)
    away = [np.abs(one[:, 2] - np.abs(one[:, 0])).max() for one in (creased, smooth)]
    assert away[0] <= 2  # halves are rounded up on both sides
    assert away[1] > GRID / 50
    ridge = np.abs(creased[:, 0]) < GRID / 50
    assert ridge.sum() == 17
    assert (creased[ridge][:, [0, 2]] == 0).all()


def test_borders_are_cubic_b_splines_of_their_own_vertices() -> None:
    points, faces = shapes.annulus()
    points[:, 2] = np.random.default_rng(1).uniform(-0.5, 0.5, len(points))
    ring = points[:12]  # in order around the outer border
    old = (np.roll(ring, 1, axis=0) + 6 * ring + np.roll(ring, -1, axis=0)) / 8
    new = (ring + np.roll(ring, -1, axis=0)) / 2
    refined, _ = refine(whole(points), faces, no(faces), 1)
    np.testing.assert_allclose(refined[:12] / GRID, old, atol=1.1 / GRID)
    for place in new:
        assert np.abs(refined / GRID - place).max(axis=1).min() < 1.1 / GRID


def test_a_cube_of_sharp_edges_stays_a_cube() -> None:
    box = trimesh.creation.box((1, 1, 1))
    points, faces = np.array(box.vertices), np.array(box.faces, dtype=np.int64)
    length = np.linalg.norm(points[Edges.of(faces).ends[:, 0]] - points[Edges.of(faces).ends[:, 1]], axis=1)
    refined, finer = refine(whole(points), faces, length < 1.1, 2)
    surface = trimesh.Trimesh(refined / GRID, finer, process=False)
    assert surface.volume == pytest.approx(1.0, abs=1e-5)
    assert surface.is_watertight
    np.testing.assert_array_equal(refined[:8], whole(points))
    assert (np.abs(refined).max(axis=1) == GRID // 2).all()


def test_the_order_of_faces_does_not_matter() -> None:
    for name in ("two handles", "book", "many holes"):
        points, faces = shapes.SHAPES[name]()
        order = np.random.default_rng(0).permutation(len(faces))
        one, _ = refine(whole(points), faces, no(faces), 2)
        other, _ = refine(whole(points), np.roll(faces[order], 1, axis=1), no(faces), 2)
        assert sorted(map(tuple, one.tolist())) == sorted(map(tuple, other.tolist()))


def test_halves_of_creases_are_creases() -> None:
    points, faces = shapes.sphere()
    sharp = np.arange(len(Edges.of(faces).ends)) % 5 == 0
    level = Refinement.of(faces, len(points), sharp)
    assert level.sharp.sum() == 2 * sharp.sum()
    ends = Edges.of(level.faces).ends[level.sharp]
    assert (ends[:, 0] < len(points)).all()
    assert (ends[:, 1] >= len(points)).all()


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_a_design_makes_the_same_surface(levels: int) -> None:
    points, faces = shapes.torus()
    sharp = np.arange(len(Edges.of(faces).ends)) % 11 == 0
    made = Design.of(faces, len(points), sharp, levels).surface(points)
    refined, finer = refine(whole(points), faces, sharp, levels)
    np.testing.assert_allclose(made.vertices, refined / GRID, atol=3 / GRID)
    np.testing.assert_array_equal(made.faces, finer)
