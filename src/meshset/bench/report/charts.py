"""The charts of one set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from meshset.bench.report.chart import Axis, Mark, Series, line_chart, log_axis, step_chart

LEAST_DISTANCE = 1e-5
"""Smaller distances are left off the charts: a lossless codec would squeeze all others into a corner."""

PER_UNIT = 1000
"""Distances are shown in thousandths of the cube's unit."""

_BINS = 16

Figures = Mapping[str, Any]


def distance_chart(one: Figures, styles: Mapping[str, int]) -> str:
    """Return mean surface distance against ratio, both axes logarithmic; empty if there is nothing to show."""
    systems = _systems(one, styles, "mean_distance", PER_UNIT)
    marks = _marks(systems)
    if not marks:
        return ""
    x = log_axis("compression ratio", [m.x for m in marks])
    y = log_axis("mean surface distance, 1e-3", [m.y for m in marks])
    return line_chart(f"Distance against ratio, {one['name']}", x, y, systems)


def f_score_chart(one: Figures, styles: Mapping[str, int]) -> str:
    """Return F1-0.005 against ratio, the ratio logarithmic; the F-score is linear because it ends at 1."""
    systems = _systems(one, styles, "f1_005", 1)
    marks = _marks(systems)
    if not marks:
        return ""
    x, y = log_axis("compression ratio", [m.x for m in marks]), Axis("F1-0.005", 0, 1, log=False)
    return line_chart(f"F1 against ratio, {one['name']}", x, y, systems)


def error_histogram(one: Figures, styles: Mapping[str, int]) -> str:
    """Return how many meshes have which mean distance, for the shown point of each system."""
    distances = {
        name: [PER_UNIT * row["mean_distance"] for row in shown_point(one, name)["per_mesh"].values()]
        for name in one["shown"]
    }
    shown = {name: values for name, values in distances.items() if min(values) >= PER_UNIT * LEAST_DISTANCE}
    if not shown:
        return ""
    x = log_axis("mean surface distance of a mesh, 1e-3", [value for values in shown.values() for value in values])
    edges = np.geomspace(x.low, x.high, _BINS + 1)
    counts = [(styles[name], edges.tolist(), np.histogram(values, edges)[0].tolist()) for name, values in shown.items()]
    most = max(max(heights) for _, _, heights in counts)
    return step_chart(
        f"Meshes by distance, {one['name']}", x, Axis("meshes", 0, most * 1.1, log=False, whole=True), counts
    )


def shown_point(one: Figures, name: str) -> Figures:
    """Return the point of a system that stands for it in pictures, times and the histogram."""
    points: list[Figures] = next(system["points"] for system in one["systems"] if system["name"] == name)
    return next(point for point in points if point["label"] == one["shown"][name])


def left_off(one: Figures) -> list[str]:
    """Return the systems with points that are too exact for the charts."""
    return [
        system["name"]
        for system in one["systems"]
        if any(p["mean"]["mean_distance"] < LEAST_DISTANCE for p in system["points"] if "error" not in p)
    ]


def _systems(one: Figures, styles: Mapping[str, int], key: str, unit: float) -> list[Series]:
    found = []
    for system in one["systems"]:
        visible = [
            point
            for point in system["points"]
            if "error" not in point and not point["failures"] and point["mean"]["mean_distance"] >= LEAST_DISTANCE
        ]
        visible.sort(key=lambda point: point["ratio"])
        found.append(
            Series(
                styles[system["name"]],
                [_mark(system["name"], point, key, unit) for point in visible if point["label"] in system["curve"]],
                [_mark(system["name"], point, key, unit) for point in visible if point["label"] not in system["curve"]],
            )
        )
    return found


def _mark(name: str, point: Figures, key: str, unit: float) -> Mark:
    value = unit * point["mean"][key]
    return Mark(point["ratio"], value, f"{name}, {point['label']}: {point['ratio']:.1f}x, {value:.3g}")


def _marks(series: Sequence[Series]) -> list[Mark]:
    return [mark for one in series for mark in (*one.line, *one.loose)]
