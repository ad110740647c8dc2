"""From points to curves: which points count, what they are worth against an anchor, and which stands for a system."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from meshset.evaluation import CurveError, Point, lower_envelope, rate_difference

ANCHORS = ("necgs-paper", "draco-simplified")
"""Systems that every other one is compared with, where they were run."""

EXACT = 1e-12
"""Stands for a distance of 0, which has no logarithm; far below the rounding of float32."""

Figures = Mapping[str, Any]


def curve_labels(points: Sequence[Figures]) -> list[str]:
    """Return the labels of the points on the lower envelope of bytes and mean surface distance, smallest first.

    A point that lacks a mesh of the set is left out: its bytes would pay for fewer meshes.
    """
    whole = [point for point in points if "error" not in point and not point["failures"]]
    return [point.setting for point in lower_envelope(_points(whole))]


def differences(systems: Sequence[Figures]) -> list[dict[str, Any]]:
    """Return BD-rates of all systems against all anchors, or for each pair why there is none.

    Args:
        systems: with name, points and curve, and no points if they were not run.
    """
    by_name = {system["name"]: _curve(system) for system in systems if system["points"]}
    rows: list[dict[str, Any]] = []
    for anchor in ANCHORS:
        for name in by_name:
            if anchor in by_name and name != anchor:
                rows.append({"anchor": anchor, "system": name, **_difference(by_name[anchor], by_name[name])})
    return rows


def shown_points(systems: Sequence[Figures]) -> tuple[float, dict[str, Figures]]:
    """Return a ratio, and for each system the point of its curve whose ratio is nearest to it on a log axis.

    The ratio is that of the middle point of the first system with at least three points on its curve, of any system
    where none has three. Empty if no system has a curve.
    """
    curves = {
        system["name"]: [point for point in system["points"] if point["label"] in system["curve"]]
        for system in systems
        if system["curve"]
    }
    if not curves:
        return 0.0, {}
    leader = next((curve for curve in curves.values() if len(curve) >= 3), next(iter(curves.values())))
    ratio = sorted(point["ratio"] for point in leader)[len(leader) // 2]
    nearest = {
        name: min(curve, key=lambda point: abs(math.log(point["ratio"] / ratio))) for name, curve in curves.items()
    }
    return ratio, nearest


def _points(figures: Sequence[Figures]) -> list[Point]:
    return [Point(point["bytes"], max(point["mean"]["mean_distance"], EXACT), point["label"]) for point in figures]


def _curve(system: Figures) -> list[Point]:
    return _points([point for point in system["points"] if point["label"] in system["curve"]])


def _difference(anchor: Sequence[Point], test: Sequence[Point]) -> dict[str, Any]:
    try:
        return asdict(rate_difference(anchor, test))
    except CurveError as error:
        return {"refused": str(error)}
