"""The tables of rate-distortion curves, from the committed JSON."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.tables.parts import NOT_MEASURED, Row, header
from benchmarks.tables.versions import provenance


def differences(found: Row | None) -> str:
    """Return what `necgs` takes of the bytes of others at equal distance, set by set."""
    if found is None:
        return NOT_MEASURED
    anchors = list(dict.fromkeys(row["anchor"] for one in found["sets"] for row in one["differences"]))
    lines = header("set", *(f"necgs against {name}" for name in anchors))
    for one in found["sets"]:
        rows = {row["anchor"]: row for row in one["differences"] if row["system"] == "necgs"}
        cells = [_difference(rows[name]) if name in rows else "" for name in anchors]
        lines.append(f"| {one['name']}, {one['meshes']} meshes | {' | '.join(cells)} |")
    told = "BD-rate: bytes at equal mean distance, over the interval that both curves cover."
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])


def points(found: Row | None) -> str:
    """Return every point on every curve."""
    if found is None:
        return NOT_MEASURED
    return "\n\n".join(_set_table(one) for one in found["sets"]) + f"\n\n{provenance(found)}"


def beside_draco(found: Row | None, name: str) -> str:
    """Return the curve of a system, each point beside the smallest of simplified Draco that is as near."""
    if found is None:
        return NOT_MEASURED
    lines = header(
        "set", name, "KB", "mean distance", "NC", "coding", "decoding per mesh", "draco-simplified as near", "KB"
    )
    for one in found["sets"]:
        system, draco = (_curve(one, wanted) for wanted in (name, "draco-simplified"))
        for point in system:
            mean = point["mean"]
            as_near = [other for other in draco if other["mean"]["mean_distance"] <= mean["mean_distance"]]
            beside = f"{as_near[0]['label']} | {as_near[0]['bytes'] / 1e3:.1f}" if as_near else "none | "
            lines.append(
                f"| {one['meshes']} {one['name']} | {point['label']} | {point['bytes'] / 1e3:.1f} "
                f"| {1e3 * mean['mean_distance']:.2f}e-3 | {mean['nc']:.3f} | {point['coding_seconds']:.0f} s "
                f"| {1e3 * point['decoding_seconds']:.0f} ms | {beside} |"
            )
    notes = [f"\n{line}" for one in found["sets"] for line in _notes(one)]
    notes += [
        f"\n{one['name']}, bytes at equal mean distance against simplified Draco: {_difference(row)}."
        for one in found["sets"]
        for row in one["differences"]
        if row["system"] == name
    ]
    notes += [f"\n{system}: version `{version}` of the program." for system, version in found["programs"].items()]
    return "\n".join([*lines, *notes, f"\n{provenance(found)}"])


def _curve(one: Row, name: str) -> list[Row]:
    (system,) = (system for system in one["systems"] if system["name"] == name)
    points = [point for point in system["points"] if point["label"] in system["curve"]]
    return sorted(points, key=lambda point: float(point["bytes"]))


def _set_table(one: Row) -> str:
    titles = (
        "codec",
        "point",
        "KB",
        "ratio",
        "mean distance",
        "max distance",
        "CD",
        "NC",
        "F1-0.005",
        "F1-0.01",
        "gIoU",
    )
    lines = [f"**{one['name']}**, {one['rule']}\n", *header(*titles, "coding", "decoding per mesh")]
    lines += [
        f"| {system['name']} | {point['label']} | {_cells(point)} |"
        for system in one["systems"]
        for point in sorted(system["points"], key=lambda point: point.get("bytes", 0))
        if point["label"] in system["curve"]
    ]
    return "\n".join([*lines, *(f"\n{line}" for line in _notes(one))])


def _cells(point: Row) -> str:
    mean = point["mean"]
    distances = (
        f"{1e3 * mean['mean_distance']:.2f}e-3 | {1e3 * mean['max_distance']:.0f}e-3 | {1e3 * mean['cd']:.2f}e-3"
    )
    shares = " | ".join(f"{mean[key]:.3f}" for key in ("nc", "f1_005", "f1_01", "giou"))
    times = f"{point['coding_seconds']:.0f} s | {1e3 * point['decoding_seconds']:.0f} ms"
    return f"{point['bytes'] / 1e3:.1f} | {point['ratio']:.0f} | {distances} | {shares} | {times}"


def _notes(one: Row) -> Iterator[str]:
    for system in one["systems"]:
        if system.get("not_run"):
            yield f"{system['name']}: not run, {system['not_run']}."
        for point in system["points"]:
            if point.get("failures"):
                yield f"{system['name']}, {point['label']} lacks {len(point['failures'])} of {one['meshes']} meshes."
    for row in one["differences"]:
        if row["system"] in ("necgs", "necgs-paper"):
            yield f"`{row['system']}` against `{row['anchor']}`: {_difference(row)}."


def _difference(row: Row) -> str:
    if "refused" in row:
        return f"no BD-rate, {row['refused']}"
    over = f"{1e3 * row['finest']:.1f} to {1e3 * row['coarsest']:.1f}e-3"
    return f"{row['percent']:+.0f} % bytes ({over}, {row['share']:.0%} of what they cover)"
