"""Parts that did not come back are counted, however small, and no others."""

from __future__ import annotations

import time

import numpy as np
import pytest
from tests.field import shapes

from meshset.evaluation import Parts, lost_parts
from meshset.field import compute_field, extract_surface
from meshset.geometry import Mesh, Placement
from meshset.geometry.diagnosis import face_components, turned


def ball(radius: float, *centre: float, rings: int = 12) -> Mesh:
    mesh = shapes.sphere(radius, rings)
    return Mesh(mesh.vertices + np.array(centre or (0, 0, 0)), mesh.faces)


def plate_with_balls(radius: float, gap: float) -> Mesh:
    plate = shapes.box((-0.95, -0.6, -0.05), (0.95, 0.6, 0.0))
    rows = [(x, y) for x in np.linspace(-0.85, 0.85, 12) for y in np.linspace(-0.5, 0.5, 7)]
    return shapes.joined(plate, *(ball(radius, x, y, gap + radius) for x, y in rows))


def through_a_field(mesh: Mesh, resolution: int) -> Mesh:
    field, _ = compute_field(mesh, resolution)
    return Mesh(*extract_surface(field.coords, field.tsdf, resolution))


@pytest.mark.parametrize("gap", [0.0, 0.005, 0.03, 0.3])
@pytest.mark.parametrize("radius", [0.002, 0.01, 0.04])
def test_balls_above_a_plate_are_lost_with_it_and_without(radius: float, gap: float) -> None:
    whole = plate_with_balls(radius, gap)
    plate = Mesh(whole.vertices, whole.faces[:12])
    some = Mesh(whole.vertices, whole.faces[: 12 + 10 * len(ball(radius).faces)])
    assert lost_parts(whole, whole) == Parts(0, 85)
    assert lost_parts(whole, plate) == Parts(84, 85)
    assert lost_parts(whole, some) == Parts(74, 85)
    assert lost_parts(whole, Mesh(whole.vertices, whole.faces[12:])) == Parts(1, 85)


@pytest.mark.parametrize("resolution", [32, 64])
def test_what_a_field_loses_is_what_it_does_not_return(resolution: int) -> None:
    whole = plate_with_balls(0.008, 0.2)
    decoded = through_a_field(whole, resolution)
    found = lost_parts(whole, decoded)
    assert found.lost == 85 - face_components(decoded)[1] > 0


def test_parts_smaller_than_a_voxel_that_come_back_larger_are_there() -> None:
    whole, larger = plate_with_balls(0.004, 0.2), plate_with_balls(0.02, 0.184)
    assert lost_parts(whole, larger) == Parts(0, 85)


def test_a_rough_copy_of_few_parts_is_there() -> None:
    assert lost_parts(ball(0.9, rings=64), ball(0.8, rings=6)).lost == 0


def test_buried_parts_are_not_missed_but_cavities_are() -> None:
    outer, inner = ball(0.9, rings=48), ball(0.2)
    assert lost_parts(shapes.joined(outer, inner), outer) == Parts(0, 2)
    assert lost_parts(shapes.joined(outer, turned(inner)), outer) == Parts(1, 2)


def test_overlapping_parts_are_there_as_far_as_they_are_in_the_open() -> None:
    pair = shapes.joined(ball(0.5, -0.1, 0, 0, rings=48), ball(0.5, 0.1, 0, 0, rings=48))
    assert lost_parts(pair, through_a_field(pair, 32)) == Parts(0, 2)
    long = shapes.joined(ball(0.6, rings=48), shapes.box((-0.03, -0.03, -0.9), (0.03, 0.03, 0.9)))
    assert lost_parts(long, through_a_field(long, 64)) == Parts(0, 2)
    assert lost_parts(long, ball(0.6, rings=48)) == Parts(1, 2)


def test_coincident_parts_are_there() -> None:
    twice = shapes.joined(ball(0.5), ball(0.5), ball(0.5))
    assert lost_parts(twice, ball(0.5)) == Parts(0, 3)


def test_tens_of_thousands_of_parts_take_seconds() -> None:
    cube = shapes.box((-0.002,) * 3, (0.002,) * 3)
    centres = np.random.default_rng(0).uniform(-0.95, 0.95, (20_000, 1, 3))
    faces = (cube.faces + 8 * np.arange(len(centres))[:, None, None]).reshape(-1, 3).astype(np.int32)
    dust = Mesh((cube.vertices + centres).reshape(-1, 3), faces)
    started = time.perf_counter()
    found = lost_parts(dust, Mesh(dust.vertices, faces[: 12 * 15_000]))
    assert time.perf_counter() - started < 20
    assert found.count == 20_000
    assert 4_900 < found.lost <= 5_000  # where one lies in another, it is not missed


def test_the_place_of_the_mesh_does_not_matter() -> None:
    whole = plate_with_balls(0.01, 0.05)
    far = Mesh(1e4 * whole.vertices + 1e6, whole.faces)
    placed = Placement.of(far).normalise(far)
    assert lost_parts(placed, Mesh(placed.vertices, placed.faces[:12])) == Parts(84, 85)
