"""Pictures: what is seen, where, and in which colour."""

import io

import numpy as np
import pytest
import trimesh

from meshset.evaluation.pictures import error_colours, look, picture_of_error, picture_of_mesh
from meshset.geometry import Mesh

image = pytest.importorskip("matplotlib.image")

SIDE = 64


def ball(radius=0.9, centre=(0.0, 0.0, 0.0)):
    found = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    return Mesh(np.asarray(found.vertices) + centre, np.asarray(found.faces, dtype=np.int32))


def pixels(png):
    return image.imread(io.BytesIO(png), format="png")


def test_ball_is_a_disc_in_the_middle():
    alpha = pixels(picture_of_mesh(ball(), SIDE, "y"))[..., 3]
    rows, columns = np.nonzero(alpha)
    assert alpha.shape == (SIDE, SIDE)
    assert alpha.sum() == pytest.approx(np.pi * (0.9 / 2.5 * SIDE) ** 2, rel=0.06)
    assert (rows.mean(), columns.mean()) == pytest.approx((SIDE / 2 - 0.5,) * 2, abs=0.7)


@pytest.mark.parametrize(("up", "above"), [("y", (0, 0.8, 0)), ("z", (0, 0, 0.8))])
def test_up_is_up(up, above):
    assert look(ball(0.1, above), SIDE, up).rows.max() < SIDE / 2


def test_the_near_side_is_seen():
    view = look(ball(), SIDE, "y")
    # At the rim both sides meet.
    inside = np.hypot(view.rows - SIDE / 2, view.columns - SIDE / 2) < 0.8 * 0.9 / 2.5 * SIDE
    assert inside.sum() > 500
    assert (view.points[inside] @ np.array([1.0, 0.8, 1.3]) > 0).all()


def test_colour_is_the_distance_to_the_original():
    inner = pixels(picture_of_error(ball(), ball(0.89), SIDE, "y", scale=0.02))
    outer = pixels(picture_of_error(ball(), ball(0.85), SIDE, "y", scale=0.02))
    centre = SIDE // 2
    levels = error_colours(17)
    assert hue(inner[centre, centre, :3]) == pytest.approx(hue(levels[8]), abs=0.03)
    assert hue(outer[centre, centre, :3]) == pytest.approx(hue(levels[16]), abs=0.03)


def hue(colour):
    return np.asarray(colour) / np.max(colour)
