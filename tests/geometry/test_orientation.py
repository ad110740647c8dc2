"""Parts that face the wrong way are turned, and nothing else is."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np
import pytest
import trimesh

from meshset.errors import MissingExtraError
from meshset.geometry import Mesh
from meshset.geometry.diagnosis import diagnose, signed_volume, turned
from meshset.geometry.orientation import face_outward
from meshset.geometry.queries import SurfaceQueries


def sphere(radius: float = 1.0, centre: Sequence[float] = (0, 0, 0), subdivisions: int = 2) -> Mesh:
    shape = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return Mesh(np.array(shape.vertices) + centre, np.array(shape.faces, dtype=np.int32))


def box(extents: Sequence[float], centre: Sequence[float] = (0, 0, 0)) -> Mesh:
    shape = trimesh.creation.box(extents=extents)
    return Mesh(np.array(shape.vertices) + centre, np.array(shape.faces, dtype=np.int32))


def joined(*meshes: Mesh) -> Mesh:
    shifts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    faces = [mesh.faces + np.int32(shift) for mesh, shift in zip(meshes, shifts, strict=True)]
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces))


def assert_becomes(mesh: Mesh, expected: Mesh, parts: int) -> None:
    """Check what `face_outward` makes of `mesh`, that the diagnosis counts the same, and that it happens once."""
    assert diagnose(mesh).inside_out_parts == parts
    outward, count = face_outward(mesh)
    assert count == parts
    assert outward.vertices is mesh.vertices
    assert outward.faces.dtype == np.int32
    np.testing.assert_array_equal(outward.faces, expected.faces)
    assert face_outward(outward) == (outward, 0)


def assert_stays(mesh: Mesh) -> None:
    assert diagnose(mesh).inside_out_parts == 0
    outward, count = face_outward(mesh)
    assert count == 0
    assert outward is mesh


LEFT, RIGHT = sphere(centre=(-3, 0, 0)), sphere(0.7, centre=(3, 0, 0))


def test_of_two_spheres_apart_the_one_inside_out_is_turned() -> None:
    assert_becomes(joined(LEFT, turned(RIGHT)), joined(LEFT, RIGHT), 1)
    assert_becomes(joined(turned(LEFT), RIGHT), joined(LEFT, RIGHT), 1)
    assert_stays(joined(LEFT, RIGHT))


@pytest.mark.parametrize("distance", [0.2, 0.8, 1.5])
def test_of_two_overlapping_spheres_the_one_inside_out_is_turned(distance: float) -> None:
    first, second = sphere(), sphere(0.9, centre=(distance, 0.1, 0.05))
    assert_becomes(joined(first, turned(second)), joined(first, second), 1)
    assert_becomes(joined(turned(first), second), joined(first, second), 1)
    assert_becomes(joined(turned(first), turned(second)), joined(first, second), 2)
    assert_stays(joined(first, second))


def test_a_cavity_stays() -> None:
    assert_stays(joined(sphere(), turned(sphere(0.5))))
    assert_stays(joined(turned(sphere(0.5)), sphere(), RIGHT))


def test_a_cavity_of_a_mesh_that_is_inside_out_stays_a_cavity() -> None:
    assert_becomes(joined(turned(sphere()), sphere(0.5)), joined(sphere(), turned(sphere(0.5))), 2)


def test_nested_parts() -> None:
    shells = [sphere(1.0), sphere(0.8), sphere(0.6), sphere(0.4)]
    for signs, expected in [
        ("+-+-", "+-+-"),
        ("-+-+", "+-+-"),
        ("+---", "+-++"),
        ("++++", "++++"),
        ("----", "++++"),
    ]:
        mesh, wanted = (
            joined(*(shell if sign == "+" else turned(shell) for sign, shell in zip(these, shells, strict=True)))
            for these in (signs, expected)
        )
        np.testing.assert_array_equal(face_outward(mesh)[0].faces, wanted.faces, err_msg=signs)


def test_a_cavity_of_a_shell_with_a_hole_stays_whichever_way_the_shell_looks() -> None:
    whole = sphere(subdivisions=3)
    shell = Mesh(whole.vertices, whole.faces[20:])
    assert_stays(joined(shell, turned(sphere(0.5))))
    assert_stays(joined(turned(shell), sphere(0.5)))
    assert_becomes(joined(shell, turned(RIGHT)), joined(shell, RIGHT), 1)


def test_parts_that_touch_are_told_apart() -> None:
    at_edge = joined(box((2, 2, 2)), turned(box((2, 2, 2), (2, 2, 0))))
    at_corner = joined(box((2, 2, 2)), turned(box((2, 2, 2), (2, 2, 2))))
    for mesh in (at_edge, at_corner):
        vertices, index = np.unique(mesh.vertices, axis=0, return_inverse=True)
        merged = Mesh(vertices, index.reshape(-1)[mesh.faces].astype(np.int32))
        outward, count = face_outward(merged)
        assert count == 1
        assert signed_volume(outward) == pytest.approx(16)


def test_open_inconsistent_and_flat_parts_stay() -> None:
    ball = turned(sphere())
    assert_stays(Mesh(ball.vertices, ball.faces[1:]))
    faces = ball.faces.copy()
    faces[0] = faces[0, ::-1]
    assert_stays(Mesh(ball.vertices, faces))
    corners = np.array([[0.1, 0.2, 0.3], [1.7, 0.3, 0.4], [0.2, 1.9, 0.1]])
    assert_stays(Mesh(corners, np.array([[0, 1, 2], [2, 1, 0]], dtype=np.int32)))
    assert_stays(Mesh(np.zeros((3, 3)), np.zeros((0, 3), dtype=np.int32)))


def test_small_parts_far_away_are_judged_too() -> None:
    speck = sphere(1e-4, centre=(500, 500, 500))
    assert_becomes(joined(LEFT, turned(speck)), joined(LEFT, speck), 1)


def test_what_overlapped_with_cancelling_winding_numbers_is_inside_afterwards() -> None:
    mesh = joined(sphere(), turned(sphere(centre=(0.8, 0, 0))))
    between = [[0.4, 0.0, 0.0]]
    assert SurfaceQueries(mesh).winding_number(between) == pytest.approx(0, abs=0.02)
    assert SurfaceQueries(face_outward(mesh)[0]).winding_number(between) == pytest.approx(2, abs=0.02)


def test_the_defect_tells_one_part_from_the_whole() -> None:
    some, whole = diagnose(joined(LEFT, turned(RIGHT))), diagnose(joined(turned(LEFT), turned(RIGHT)))
    assert (some.inside_out, whole.inside_out) == (False, True)
    assert some.defects() == ("1 part inside out: closed, but facing inward",)
    assert whole.defects() == ("inside out: the faces look inward",)


def test_ten_thousand_parts_take_no_seconds() -> None:
    cube = box((0.5, 0.5, 0.5))
    centres = np.stack(np.meshgrid(*[np.arange(22.0)] * 3), axis=-1).reshape(-1, 1, 3)[:10_000]
    faces = np.arange(len(centres))[:, None, None] * 8 + cube.faces
    expected = Mesh((cube.vertices + centres).reshape(-1, 3), faces.reshape(-1, 3).astype(np.int32))
    faces[::2] = faces[::2, :, ::-1]
    mesh = Mesh(expected.vertices, faces.reshape(-1, 3).astype(np.int32))
    started = time.process_time()
    outward, count = face_outward(mesh)
    assert time.process_time() - started < 3
    assert count == 5000
    np.testing.assert_array_equal(outward.faces, expected.faces)


def test_a_missing_scipy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(MissingExtraError, match=r"meshset\[compress\]"):
        face_outward(LEFT)
