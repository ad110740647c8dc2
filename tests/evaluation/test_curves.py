"""Rate-distortion curves against closed forms."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from meshset.errors import MissingExtraError
from meshset.evaluation import CurveError, Point, lower_envelope, rate_difference


def power_law(sizes, scale=1.0, exponent=-1.0):
    """A curve whose log distortion is linear in log bytes."""
    return [Point(size, scale * size**exponent) for size in sizes]


SIZES = (1000, 2000, 4500, 8000, 20000)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 3.0])
def test_a_factor_everywhere_is_the_bd_rate(factor):
    anchor = power_law(SIZES)
    test = [Point(factor * p.size, p.distortion) for p in anchor]
    found = rate_difference(anchor, test)
    assert found.percent == pytest.approx(100 * (factor - 1), abs=1e-9)
    assert (found.finest, found.coarsest) == (anchor[-1].distortion, anchor[0].distortion)
    assert found.share == pytest.approx(1)


def test_log_axis_weighs_every_halving_of_the_error_alike():
    # log10 bytes of the test curve are 3/2 of the anchor's less 1.5, so their difference is linear in log distortion.
    anchor = power_law((1e3, 1e4, 1e5))
    test = [Point(10**-1.5 * p.size**1.5, p.distortion) for p in anchor]
    middle = 1.5 * 4 - 1.5 - 4
    assert rate_difference(anchor, test).percent == pytest.approx(100 * (10**middle - 1))


def test_only_the_shared_interval_counts():
    anchor = power_law((1000, 2000, 4000, 8000))
    test = power_law((1000, 2000, 4000, 8000, 16000, 32000), scale=2.0)
    found = rate_difference(anchor, test)
    assert found.percent == pytest.approx(100)
    assert (found.finest, found.coarsest) == pytest.approx((1 / 8000, 1 / 1000))
    assert found.share == pytest.approx(3 / 5)


def test_order_and_number_of_points_do_not_matter():
    anchor = power_law(SIZES)
    test = power_law((900, 3000, 30000))
    assert rate_difference(anchor[::-1], test[::-1]) == rate_difference(anchor, test)
    assert rate_difference(anchor, test).percent == pytest.approx(0, abs=1e-9)


def test_nearly_vertical_curve_gains_no_more_than_at_any_distortion():
    anchor = [Point(107e3, 8.00e-3), Point(129e3, 7.98e-3), Point(175e3, 6.97e-3)]
    test = power_law((50e3, 80e3, 120e3), scale=7.5e-3 * 65e3)
    # At equal distortion the test curve takes from 61e3 / 107e3 to 70e3 / 175e3 of the bytes.
    assert -61 < rate_difference(anchor, test).percent < -42


def test_bent_curves_agree_with_another_interpolation():
    sizes = np.geomspace(1000, 100000, 40)
    anchor = [Point(s, 1 / s + 2e-6) for s in sizes]
    test = [Point(s, 0.7 / s**0.95 + 2e-6) for s in sizes]
    found = rate_difference(anchor, test)

    def log_size(curve):
        x, y = [-np.log(p.distortion) for p in curve], [np.log(p.size) for p in curve]
        return PchipInterpolator(x, y).integrate(-np.log(found.coarsest), -np.log(found.finest))

    mean = (log_size(test) - log_size(anchor)) / np.log(found.coarsest / found.finest)
    assert found.percent == pytest.approx(100 * (np.exp(mean) - 1), abs=0.05)


def test_curves_that_cannot_be_compared_are_refused():
    anchor = power_law(SIZES)
    apart = [Point(p.size, 1000 * p.distortion) for p in anchor]
    with pytest.raises(CurveError, match=r"do not overlap: the anchor covers distortions 5e-05 to 0.001"):
        rate_difference(anchor, apart)
    touching = [Point(p.size, p.distortion * 20) for p in anchor]
    with pytest.raises(CurveError, match="do not overlap"):
        rate_difference(anchor, touching)
    with pytest.raises(CurveError, match="the curve has 2 points; at least 3"):
        rate_difference(anchor, anchor[:2])
    with pytest.raises(CurveError, match="the anchor is not monotone"):
        rate_difference([*anchor, Point(30000, anchor[0].distortion)], anchor)
    with pytest.raises(CurveError, match="the curve is not monotone"):
        rate_difference(anchor, [*anchor, Point(anchor[0].size, 1.0)])


def test_lower_envelope_keeps_what_nothing_beats():
    best = [Point(100, 8.0, "a"), Point(200, 4.0, "b"), Point(300, 3.0, "c")]
    beaten = [Point(100, 9.0), Point(250, 4.0), Point(250, 5.0), Point(300, 3.0, "again"), Point(900, 3.5)]
    assert lower_envelope([*beaten[:2], *best, *beaten[2:]]) == tuple(best)
    assert lower_envelope([]) == ()


def test_envelope_of_two_crossing_curves_takes_the_better_half_of_each():
    steep, flat = power_law(SIZES, 1000.0, -2.0), power_law(SIZES)
    envelope = lower_envelope([*steep, *flat])
    assert envelope == tuple(min(a, b, key=lambda p: p.distortion) for a, b in zip(steep, flat, strict=True))


@pytest.mark.parametrize(("size", "distortion"), [(0, 1), (1, 0), (-1, 1), (1, float("nan")), (float("inf"), 1)])
def test_a_point_needs_figures_above_zero(size, distortion):
    with pytest.raises(ValueError, match="above 0"):
        Point(size, distortion)


def test_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "bjontegaard", None)
    with pytest.raises(MissingExtraError, match=r"meshset\[bench\]"):
        rate_difference(power_law(SIZES), power_law(SIZES))
