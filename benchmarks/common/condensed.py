"""What of the results of `meshset bench` is worth committing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.common.figures import Row
from meshset.evaluation import CurveError, Point, rate_difference


def difference(anchor: Mapping[str, Any], system: Mapping[str, Any]) -> Row:
    """Return the BD-rate of a system against another, or why there is none."""
    curves = [
        [Point(p["bytes"], p["mean"]["mean_distance"]) for p in one["points"] if p["label"] in one["curve"]]
        for one in (anchor, system)
    ]
    try:
        return asdict(rate_difference(*curves))
    except CurveError as error:
        return {"refused": str(error)}


def condensed(one: Mapping[str, Any]) -> Row:
    """Return what of a set in bench.json is worth committing: no figures of single meshes, no pictures."""
    kept = ("name", "rule", "left_out", "obj_bytes", "floor")
    systems = [
        {
            "name": system["name"],
            "not_run": system["not_run"],
            "curve": system["curve"],
            "points": [{key: value for key, value in p.items() if key != "per_mesh"} for p in system["points"]],
        }
        for system in one["systems"]
    ]
    rows: Row = {**{key: one[key] for key in kept}, "meshes": len(one["meshes"]), "systems": systems}
    if len(systems) == 2:
        rows["difference"] = difference(*systems)
    return rows
