"""What a benchmark found, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshset.text import figure, size, table


def points_table(one: Mapping[str, Any]) -> str:
    """Return the curve of every system on one set, and what was not run."""
    header = ["set", "system", "point", "bytes", "ratio", "mean error", "max error", "CD", "NC", "F1 0.005", "gIoU"]
    rows, notes = [], []
    for system in one["systems"]:
        if system["not_run"]:
            notes.append(f"{system['name']}: not run, {system['not_run']}")
        for point in system["points"]:
            if point["label"] in system["curve"]:
                rows.append([one["name"], system["name"], point["label"], *_figures(point)])
            elif "error" in point:
                notes.append(f"{system['name']}, {point['label']}: {point['error']}")
            elif point["failures"]:
                notes.append(f"{system['name']}, {point['label']}: {len(point['failures'])} meshes are missing")
    floor = one["floor"]
    rows.append([one["name"], "sampling floor", "", "", "", *_distances(floor)])
    return "\n".join([table(header, rows, [False] * 3 + [True] * 8), *notes])


def differences_table(one: Mapping[str, Any]) -> str:
    """Return the BD-rates of one set."""
    header = ["set", "system", "against", "bytes at equal mean error", "over errors"]
    rows = [
        [
            one["name"],
            row["system"],
            row["anchor"],
            row.get("refused") or f"{row['percent']:+.1f}%",
            "" if "refused" in row else f"{figure(row['finest'])} to {figure(row['coarsest'])}",
        ]
        for row in one["differences"]
    ]
    return table(header, rows, [False] * 5)


def _figures(point: Mapping[str, Any]) -> list[str]:
    return [size(point["bytes"]), f"{point['ratio']:.1f}", *_distances(point["mean"])]


def _distances(mean: Mapping[str, float]) -> list[str]:
    lengths = [figure(mean[key]) for key in ("mean_distance", "max_distance", "cd")]
    return [*lengths, *(f"{mean[key]:.4f}" for key in ("nc", "f1_005", "giou"))]
