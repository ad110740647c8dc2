"""Rate-distortion curves, and how much smaller one codec's files are than another's at the same distortion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from meshset.errors import MeshsetError, MissingExtraError

FEWEST_POINTS = 3
"""Points of a curve at least; with two, what lies between them would be a guess."""


@dataclass(frozen=True)
class Point:
    """What a codec reached at one setting, over a whole set.

    Attributes:
        size: bytes on disk, above 0.
        distortion: any measure that is better when smaller, such as the mean surface distance in normalised units;
            above 0.
        setting: what made it, for labels and tables.

    Raises:
        ValueError: a figure is not finite or not above 0.
    """

    size: float
    distortion: float
    setting: str = ""

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) and value > 0 for value in (self.size, self.distortion)):
            raise ValueError(f"bytes and distortion of a point must be above 0: {self.size}, {self.distortion}")


class CurveError(MeshsetError):
    """Two curves that cannot be compared."""


@dataclass(frozen=True)
class RateDifference:
    """BD-rate of one curve against another.

    Attributes:
        percent: mean difference in bytes at the same distortion; -50 means half the bytes.
        finest: smallest distortion that both curves reach.
        coarsest: largest distortion that both curves reach; `percent` is about these two and what lies between.
        share: length of that interval as a share of all that the two curves cover, on a log axis, in (0, 1].
    """

    percent: float
    finest: float
    coarsest: float
    share: float


def lower_envelope(points: Iterable[Point]) -> tuple[Point, ...]:
    """Return the points that no other point beats, smallest first: what a codec can do over all its settings.

    A point is beaten by one that is not worse in either figure and better in one; of equal points the first stays.
    """
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.size, p.distortion)):
        if not kept or point.distortion < kept[-1].distortion:
            kept.append(point)
    return tuple(kept)


def rate_difference(anchor: Sequence[Point], test: Sequence[Point]) -> RateDifference:
    """Return how many bytes `test` needs compared with `anchor`, by the method of Bjontegaard (VCEG-M33).

    Log bytes are interpolated over log distortion, by monotone cubic pieces (PCHIP, of the `bjontegaard` package), and
    averaged over the distortions that both curves reach. The logarithm of distortion stands for the decibels of the
    original, so each halving of the error counts the same. Akima splines, which Herglotz et al. 2022 recommend, leave
    the points where a curve is nearly vertical, as that of a codec is that more bytes hardly help.

    Args:
        anchor: at least three points; each larger one is better than those before, as `lower_envelope` gives them.
        test: likewise.

    Raises:
        CurveError: a curve is too short or not monotone, or the curves share no interval of distortion.
        MissingExtraError: the 'bench' extra is not installed.
    """
    anchor, test = _checked(anchor, "the anchor"), _checked(test, "the curve")
    finest = max(anchor[-1].distortion, test[-1].distortion)
    coarsest = min(anchor[0].distortion, test[0].distortion)
    if finest >= coarsest:
        raise CurveError(
            f"the curves do not overlap: the anchor covers distortions {_span(anchor)}, the other one {_span(test)}"
        )
    whole = math.log(max(anchor[0].distortion, test[0].distortion) / min(anchor[-1].distortion, test[-1].distortion))
    return RateDifference(_percent(anchor, test), finest, coarsest, math.log(coarsest / finest) / whole)


def _checked(curve: Sequence[Point], what: str) -> list[Point]:
    points = sorted(curve, key=lambda p: p.size)
    if len(points) < FEWEST_POINTS:
        raise CurveError(f"{what} has {len(points)} points; at least {FEWEST_POINTS} are needed")
    if any(a.size == b.size or a.distortion <= b.distortion for a, b in pairwise(points)):
        raise CurveError(f"{what} is not monotone: more bytes do not always lower the distortion")
    return points


def _span(curve: Sequence[Point]) -> str:
    return f"{curve[-1].distortion:.3g} to {curve[0].distortion:.3g}"


def _percent(anchor: Sequence[Point], test: Sequence[Point]) -> float:
    try:
        from bjontegaard import bd_rate
    except ImportError as error:
        raise MissingExtraError("BD-rate", "bench") from error
    return float(
        bd_rate(
            [p.size for p in anchor],
            [_quality(p) for p in anchor],
            [p.size for p in test],
            [_quality(p) for p in test],
            method="pchip",
            require_matching_points=False,
            min_overlap=0,  # the caller is told the overlap and judges it
        )
    )


def _quality(point: Point) -> float:
    """Return decibels: bjontegaard wants a figure that grows with the bytes."""
    return -20.0 * math.log10(point.distortion)
