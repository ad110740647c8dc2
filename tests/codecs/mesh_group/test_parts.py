"""Parts of the codec against finite differences, closed forms and other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.spatial.transform import Rotation

from meshset.codecs.control_mesh.fitting import Form
from meshset.codecs.control_mesh.residuals import GRID
from meshset.codecs.mesh_group.contexts import COUNT, LENGTH, member_contexts
from meshset.codecs.mesh_group.motion import Motion, code_motion
from meshset.codecs.mesh_group.offsets import Pull, Told
from meshset.codecs.mesh_group.references import bits_of, of_sequence, usual, weighted
from meshset.coding.adaptive import Reader, Writer
from meshset.errors import ArchiveError
from tests.codecs.control_mesh import shapes


@pytest.fixture(scope="module")
def torus():
    points, faces = shapes.torus()
    return Told.by(points, faces), points


def test_what_is_pulled_by_nothing_else_becomes_what_is_suggested(torus):
    told, points = torus
    found = points + 0.02 * np.random.default_rng(0).normal(size=points.shape)
    free = Form(csr_array(1e-9 * np.eye(3 * len(points))), np.zeros(3 * len(points)))
    pull = Pull(told.offsets(points), np.full(3, 0.01), 1.0)
    for _ in range(200):
        found = pull.on(free, told, found).minimum()
    assert found == pytest.approx(points, abs=1e-4)


def test_the_price_of_bits_is_that_of_their_logarithm(torus):
    """The slope of the form is that of log2(1 + (2 d / step)^2) / 2, frames as they are."""
    told, points = torus
    rng = np.random.default_rng(1)
    target, steps = told.offsets(points) + 0.01 * rng.normal(size=points.shape), np.array([0.01, 0.02, 0.03])
    nothing = Form(csr_array((3 * len(points),) * 2), np.zeros(3 * len(points)))
    found = Pull(target, steps, 0.5).on(nothing, told, points)
    frames, way = told.frames(points), rng.normal(size=points.shape)

    def bits(moved: np.ndarray) -> float:
        away = np.einsum("skl,sl->sk", frames, moved[told.vertex] - told.middle(moved)) - target
        return float(np.log2(1 + (2 * away / steps) ** 2).sum() / 2)

    slope = (bits(points + 1e-6 * way) - bits(points - 1e-6 * way)) / 2e-6
    assert way.ravel() @ (found.matrix @ points.ravel() - found.vector) == pytest.approx(0.5 * slope, rel=1e-6)


def test_own_offsets_suggest_the_mesh_itself_wherever_it_is_turned(torus):
    told, points = torus
    moved = points @ Rotation.random(rng=1).as_matrix().T + (0.1, 0.2, -0.3)
    framed = (told.frames(points) != np.eye(3)).any(axis=(1, 2))
    assert (~framed).sum() == 4  # those that are told from fewer than three, or from three in a row
    assert told.offsets(moved)[framed] == pytest.approx(told.offsets(points)[framed], abs=1e-12)


@given(seed=st.integers(0, 9999), mirrored=st.booleans(), scale=st.floats(0.3, 2.5))
@settings(max_examples=40, deadline=None)
def test_a_motion_is_found_and_survives_its_bits(seed, mirrored, scale):
    rng = np.random.default_rng(seed)
    source = rng.uniform(-0.4, 0.4, (30, 3))
    goal = scale * source @ Rotation.random(rng=seed).as_matrix().T * (-1 if mirrored else 1) + rng.uniform(-1, 1, 3)
    motion = Motion.between(source, goal)
    assert motion.mirrored == mirrored
    writer = Writer()
    code_motion(writer, motion)
    assert code_motion(Reader(writer.to_bytes()), Motion.NONE) == motion
    moved = np.array(motion.applied([tuple(point) for point in (source * GRID).tolist()])) / GRID
    assert np.abs(moved - goal).max() < 2e-4


def test_a_motion_too_large_for_its_bits_is_none():
    source = np.random.default_rng(0).normal(size=(9, 3))
    assert Motion.between(source, 10 * source) is None
    assert Motion.between(source, source + 9) is None


def test_a_turn_by_nothing_is_refused():
    with pytest.raises(ArchiveError, match="turned by nothing"):
        code_motion(Writer(), Motion((0, 0, 0, 0), 1, False, (0, 0, 0)))


def test_frames_that_others_refer_to_are_near_all_others():
    for count in (6, 17, 240):
        chosen = of_sequence(count)
        assert len(set(chosen)) == len(chosen)
        assert {0, count - 1} <= set(chosen)
        assert all(min(abs(frame - one) for one in chosen) <= 2 for frame in range(count))
        # Each is between two that come before it, but for the ends and the keys.
        for place, frame in enumerate(chosen):
            if frame % 16 and frame != count - 1:
                before = chosen[:place]
                assert any(one < frame for one in before)
                assert any(one > frame for one in before)


def test_weights_find_a_mixture():
    rng = np.random.default_rng(2)
    known = [rng.normal(size=(40, 3)) for _ in range(5)]
    goal = 0.75 * known[1] + 0.5 * known[3]
    steps = np.full(3, 0.01)
    found = dict(weighted(goal, known, steps))
    assert found == {1: 48, 3: 32}
    assert weighted(goal, [], steps) == ()


def test_what_is_usual_does_not_mind_sizes_and_outliers():
    rng = np.random.default_rng(3)
    shape = rng.normal(size=(50, 3))
    offsets = np.array([size * shape for size in (0.5, 1.0, 1.0, 2.0, 1.0)])
    offsets[1, :5] += 30.0
    middle, sizes = usual(offsets)
    assert middle == pytest.approx(shape, abs=1e-6)
    assert sizes[[0, 2, 3, 4]] == pytest.approx([0.5, 1.0, 2.0, 1.0])
    assert bits_of(offsets[2] - middle, np.full(3, 0.01)) < 1e-3


def test_contexts_begin_with_sizes_that_grow_with_their_class():
    contexts = member_contexts()
    assert len(contexts.one) == COUNT
    first = [contexts.one[LENGTH + kind * 16] for kind in range(16)]
    assert first == sorted(first)
    assert all(0 < one < 1 << 16 for one in contexts.one)
