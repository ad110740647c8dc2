"""Metrics against closed forms of planes and spheres, and against brute force."""

import sys
from dataclasses import astuple

import numpy as np
import pytest
import trimesh

from meshset.errors import MeshFileError, MissingExtraError
from meshset.evaluation import Metrics, compare, mean_metrics, sampling_floor, surface_distance, volume_iou
from meshset.geometry.diagnosis import turned
from meshset.geometry.mesh import Mesh
from meshset.geometry.sampling import sample_surface


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))


def plane(height: float, side: float = 1.0) -> Mesh:
    corners = side * np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) + [0, 0, height]
    return Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))


SMALL, LARGE = (as_mesh(trimesh.creation.icosphere(subdivisions=4, radius=r)) for r in (0.7, 0.8))


def test_planes_apart_are_their_distance_apart() -> None:
    found = compare(plane(0), plane(0.3), samples=20_000)
    assert found.mean_distance == pytest.approx(0.3)
    assert found.max_distance == pytest.approx(0.3)
    # Nearest samples lie a little to the side, so the distance of clouds is a little larger.
    assert 0.3 < found.cd < 0.301
    assert found.nc == pytest.approx(1)
    assert (found.f1_005, found.f1_01) == (0, 0)


def test_distances_of_concentric_spheres_follow_from_their_radii() -> None:
    found = compare(SMALL, LARGE, samples=20_000)
    assert found.mean_distance == pytest.approx(0.1, rel=0.01)
    assert found.max_distance == pytest.approx(0.1, rel=0.02)
    assert found.cd == pytest.approx(0.1, rel=0.02)
    assert found.nc == pytest.approx(1, abs=2e-3)


def test_distances_are_the_mean_of_both_directions() -> None:
    found = compare(plane(0, side=1), plane(0, side=0.5), samples=40_000)
    # The small square lies in the large one. Points of the large one lie outside with probability 3/4: in the
    # strips beside the small square (1/2) 1/4 away on average, in its corners (1/4) by the mean distance from
    # the corner of a square of side 1/2, which is half of (sqrt(2) + log(1 + sqrt(2))) / 3.
    corner = 0.5 * (np.sqrt(2) + np.log(1 + np.sqrt(2))) / 3
    outward = 0.5 * 0.25 + 0.25 * corner
    assert found.mean_distance == pytest.approx(outward / 2, rel=0.02)
    assert 0.68 < found.max_distance <= np.sqrt(0.5)
    assert found.cd == pytest.approx(outward / 2, abs=0.01)


def test_clouds_are_compared_as_brute_force_does() -> None:
    samples = 400
    found = compare(SMALL, LARGE, samples=samples, seed=3)
    one, two = sample_surface(SMALL, samples, 6), sample_surface(LARGE, samples, 7)
    apart = np.linalg.norm(one.points[:, None] - two.points, axis=-1)
    dots = np.abs(one.normals @ two.normals.T)
    rows = np.arange(samples)
    cd = (apart.min(axis=1).mean() + apart.min(axis=0).mean()) / 2
    nc = (dots[rows, apart.argmin(axis=1)].mean() + dots[apart.argmin(axis=0), rows].mean()) / 2
    assert found.cd == pytest.approx(cd)
    assert found.nc == pytest.approx(nc)


def test_exact_distances_are_those_of_trimesh() -> None:
    box = as_mesh(trimesh.creation.box(extents=(1.2, 1, 0.8)))
    found = surface_distance(SMALL, box, samples=300, seed=2)
    one, two = sample_surface(SMALL, 300, 4).points, sample_surface(box, 300, 5).points
    there = trimesh.proximity.closest_point_naive(box.to_trimesh(), one)[1]
    back = trimesh.proximity.closest_point_naive(SMALL.to_trimesh(), two)[1]
    assert found == pytest.approx(((there.mean() + back.mean()) / 2, max(there.max(), back.max())))


def test_f_scores_weigh_precision_and_recall() -> None:
    # The square is 0.4 wide, its half 0.2: a share of 0.21 / 0.4 lies within 0.01 of the half, and all of
    # the half on the square.
    whole = plane(0, side=0.2)
    half = Mesh(whole.vertices * [0.5, 1, 1] + [0.1, 0, 0], whole.faces)
    found = compare(whole, half, samples=20_000)
    assert found.f1_01 == pytest.approx(2 * 0.525 / 1.525, abs=0.01)
    assert found.f1_005 < found.f1_01


def test_f_scores_cut_at_their_thresholds() -> None:
    floors = [plane(0, side=0.2), *(plane(gap, side=0.2) for gap in (0.001, 0.007, 0.011))]
    near, middle, far = (compare(floors[0], other, samples=20_000) for other in floors[1:])
    assert near.f1_005 > 0.95
    assert near.f1_01 > 0.999
    assert middle.f1_005 == 0
    assert middle.f1_01 > 0.95
    assert far.f1_01 == 0


def test_normals_count_without_their_sign() -> None:
    assert compare(SMALL, turned(SMALL), samples=5000).nc == pytest.approx(1, abs=5e-3)
    upright = Mesh(plane(0).vertices[:, [2, 0, 1]], plane(0).faces)
    assert compare(plane(0), upright, samples=1000).nc == pytest.approx(0, abs=1e-9)


def test_a_perfect_copy_has_the_floor_as_its_cd_and_no_distance() -> None:
    found = compare(SMALL, SMALL, samples=5000, seed=1)
    assert found.cd == sampling_floor(SMALL, samples=5000, seed=1)
    assert found.mean_distance < 1e-12
    assert found.max_distance < 1e-12


def test_the_floor_is_half_the_spacing_of_the_samples() -> None:
    # In a plane with d points a unit area, the mean distance to the nearest of them is 1 / (2 sqrt(d)).
    samples = 40_000
    assert sampling_floor(plane(0), samples) == pytest.approx(0.5 / np.sqrt(samples / 4), rel=0.02)


def test_surface_distance_is_the_exact_part_of_compare() -> None:
    found = compare(SMALL, LARGE, samples=3000, seed=4)
    assert surface_distance(SMALL, LARGE, samples=3000, seed=4) == (found.mean_distance, found.max_distance)


def test_surface_distance_does_not_need_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    assert surface_distance(SMALL, LARGE, samples=100)[0] == pytest.approx(0.1, rel=0.05)
    with pytest.raises(MissingExtraError, match=r"meshset\[compress\]"):
        compare(SMALL, LARGE, samples=100)


def test_figures_depend_on_the_seed_alone() -> None:
    first, again, other = (compare(SMALL, LARGE, samples=500, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_the_mean_of_metrics_is_taken_figure_by_figure() -> None:
    mean = mean_metrics([Metrics(1, 0.5, 0.2, 0.4, 3, 8), Metrics(3, 1.0, 0.4, 0.8, 5, 2)])
    assert astuple(mean) == pytest.approx((2, 0.75, 0.3, 0.6, 4, 5))
    with pytest.raises(ValueError, match="no metrics"):
        mean_metrics([])


def test_a_decoded_mesh_without_area_is_refused() -> None:
    with pytest.raises(MeshFileError, match="zero area"):
        compare(SMALL, Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], dtype=np.int32)), samples=10)


def _cube(lower, side):
    box = trimesh.creation.box((side,) * 3)
    return Mesh(np.asarray(box.vertices) + lower + side / 2, np.asarray(box.faces, dtype=np.int32))


def test_volume_iou_of_overlapping_cubes():
    first, second = _cube(np.zeros(3), 1.0), _cube(np.array([0.5, 0.0, 0.0]), 1.0)
    assert volume_iou(first, second, 50_000) == pytest.approx(1 / 3, abs=0.01)


def test_volume_iou_of_equal_and_of_distant_solids():
    first = _cube(np.zeros(3), 1.0)
    assert volume_iou(first, first) == 1.0
    assert volume_iou(first, _cube(np.full(3, 5.0), 1.0)) == 0.0


def test_volume_iou_of_nothing_inside_is_zero():
    sheet = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]], dtype=np.int32))
    assert volume_iou(sheet, sheet) == 0.0
