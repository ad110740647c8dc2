"""Line charts and histograms as SVG, drawn by hand so that colours follow the page's light or dark scheme."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 10, 12, 42

_LOG_STEPS = (1, 2, 5)
_FEWEST_TICKS, _MOST_TICKS = 3, 8


@dataclass(frozen=True)
class Mark:
    """One point of a series: its place, and what a pointer over it is told."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Series:
    """The points of one system.

    Attributes:
        style: number of its colour and shape on the page.
        line: points that a line joins, in order.
        loose: points beside the line, drawn faintly.
    """

    style: int
    line: Sequence[Mark]
    loose: Sequence[Mark] = ()


@dataclass(frozen=True)
class Axis:
    """A direction of a chart.

    Attributes:
        title: quantity and unit.
        low: value at the start.
        high: value at the end, more than `low`.
        log: whether equal steps are equal ratios; `low` is above 0 then.
        whole: whether only whole numbers are marked.
    """

    title: str
    low: float
    high: float
    log: bool
    whole: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies, 0 at the start and 1 at the end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return round values on the axis, few enough to be read."""
        if not self.log:
            step = _round_up((self.high - self.low) / _MOST_TICKS)
            if self.whole:
                step = max(step, 1.0)
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            return [i * step for i in range(first, last + 1)]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for steps in (range(1, 10), _LOG_STEPS, (1, 3), (1,)):
            found = [s * 10.0**d for d in decades for s in steps if self.low <= s * 10.0**d <= self.high * 1.0000001]
            if len(found) <= _MOST_TICKS:
                break
        if len(found) >= _FEWEST_TICKS:
            return found
        # Between two of them there is hardly a round number; even steps are as good there.
        return Axis(self.title, self.low, self.high, log=False).ticks()


def log_axis(title: str, values: Sequence[float]) -> Axis:
    """Return an axis with a margin around `values`, all above 0; at least one."""
    return Axis(title, min(values) / 1.25, max(values) * 1.25, log=True)


def line_chart(title: str, x: Axis, y: Axis, series: Sequence[Series]) -> str:
    """Return a chart of lines with marks."""
    parts = [_frame(x, y)]
    for one in series:
        places = [(_across(x, mark.x), _down(y, mark.y)) for mark in one.line]
        if len(places) > 1:
            path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
            parts.append(f'<polyline class="line s{one.style}" points="{path}"/>')
        parts += [_mark(one.style, _across(x, m.x), _down(y, m.y), m.label, " loose") for m in one.loose]
        parts += [_mark(one.style, *place, m.label, "") for m, place in zip(one.line, places, strict=True)]
    return _svg(title, parts)


def step_chart(title: str, x: Axis, y: Axis, counts: Sequence[tuple[int, Sequence[float], Sequence[int]]]) -> str:
    """Return histograms as outlines, one over the other.

    Args:
        title: for readers that see no picture.
        x: axis of the values.
        y: axis of the counts.
        counts: style, edges of the bins (n + 1) and counts (n) of each.
    """
    parts = [_frame(x, y)]
    for style, edges, heights in counts:
        places = [(edges[0], 0.0)]
        for left, right, height in zip(edges[:-1], edges[1:], heights, strict=True):
            places += [(left, float(height)), (right, float(height))]
        places.append((edges[-1], 0.0))
        path = " ".join(f"{_across(x, a):.1f},{_down(y, b):.1f}" for a, b in places)
        parts.append(f'<polyline class="line s{style}" points="{path}"/>')
    return _svg(title, parts)


def marker(style: int) -> str:
    """Return the mark of a series alone, for a legend."""
    return f'<svg class="key" viewBox="0 0 14 14" aria-hidden="true">{_mark(style, 7, 7, "", "")}</svg>'


def tick_label(value: float) -> str:
    """Return a tick as a short text, such as "0.002", "100" or "1e-5"."""
    if value and not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:.6g}"


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )


def _frame(x: Axis, y: Axis) -> str:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for value in x.ticks():
        at = _across(x, value)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 15}" text-anchor="middle">{tick_label(value)}</text>')
    for value in y.ticks():
        at = _down(y, value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{at + 4:.1f}" text-anchor="end">{tick_label(value)}</text>')
    middle = (TOP + bottom) / 2
    parts.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 7}" text-anchor="middle">{escape(x.title)}</text>')
    parts.append(
        f'<text x="11" y="{middle}" text-anchor="middle" transform="rotate(-90 11 {middle})">{escape(y.title)}</text>'
    )
    return "".join(parts)


def _across(axis: Axis, value: float) -> float:
    return LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT)


def _down(axis: Axis, value: float) -> float:
    return TOP + (1 - axis.share(value)) * (HEIGHT - TOP - BOTTOM)


def _round_up(value: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (*_LOG_STEPS, 10) if step * power >= value * 0.999999), 10 * power)


_SHAPES: tuple[Callable[[float, float], str], ...] = (
    lambda x, y: f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>',
    lambda x, y: f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"/>',
    lambda x, y: f'<path d="M{x:.1f} {y - 4.8:.1f}l4.6 8h-9.2z"/>',
    lambda x, y: f'<path d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z"/>',
    lambda x, y: f'<path d="M{x:.1f} {y + 4.8:.1f}l4.6 -8h-9.2z"/>',
)
"""Shapes differ beside colours, for those who see few colours or print in grey."""


def _mark(style: int, x: float, y: float, label: str, kind: str) -> str:
    shape = _SHAPES[style % len(_SHAPES)](x, y)
    title = f"<title>{escape(label)}</title>" if label else ""
    return f'<g class="mark s{style}{kind}">{title}{shape}</g>'
