"""The tables of docs/ablations.md, from the committed JSON."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.tables.parts import NOT_MEASURED, Row, header
from benchmarks.tables.versions import provenance

_TITLES = ("KB", "ratio", "CD", "NC", "F1-0.005", "F1-0.01", "mean distance", "coding", "decoding per mesh")
_OFF_CURVE = " *"


def ablation(results: Row | None) -> str:
    """Return every point of an ablation, the BD-rate of its change, and the command."""
    if results is None:
        return NOT_MEASURED
    lines = header("codec", "point", *_TITLES)
    lines += [
        f"| {system['name']} | {_label(system, point)} | {_cells(point)} |"
        for system in results["systems"]
        for point in system["points"]
        if "error" not in point
    ]
    floor = results["floor"]
    lines.append(f"| each mesh against itself | | | | {_metrics(floor)} | | |")
    return "\n".join([*lines, *(f"\n{line}" for line in _notes(results))])


def table_1(results: Row | None) -> str:
    """Return times of all codecs, and how they compare."""
    if results is None:
        return NOT_MEASURED
    rows = results["rows"]
    lines = header(
        "codec", "compress the set", "decompress one mesh", "ratio", "mean distance", "time over that of necgs"
    )
    for name, row in rows.items():
        mark = " (extrapolated)" if row.get("extrapolated") else ""
        quality = f"{row['ratio']:.1f} | {_thousandths(row['mean_distance'])}" if "ratio" in row else "| "
        shares = " / ".join(
            f"{row[key] / rows['necgs'][key]:.3g}" for key in ("compress_seconds", "decompress_seconds_a_mesh")
        )
        lines.append(
            f"| {name} | {_time(row['compress_seconds'])}{mark} | {1e3 * row['decompress_seconds_a_mesh']:.1f} ms "
            f"| {quality} | {shares} |"
        )
    lines += [
        f"\n`{name}`: {row['steps']:,} of {row['full_steps']:,} steps were run, {row['seconds_a_step']:.3g} s each; a "
        "decoder trained so little says nothing about ratio and distance."
        for name, row in rows.items()
        if row.get("extrapolated")
    ]
    return "\n".join([*lines, f"\n{_made_by(results)}"])


def _label(system: Row, point: Row) -> str:
    return point["label"] + ("" if point["label"] in system["curve"] else _OFF_CURVE)


def _cells(point: Row) -> str:
    size = f"{point['bytes'] / 1e3:.1f} | {point['ratio']:.1f}"
    times = f"{_time(point['coding_seconds'])} | {1e3 * point['decoding_seconds']:.0f} ms"
    return f"{size} | {_metrics(point['mean'])} | {times}"


def _metrics(mean: Row) -> str:
    shares = " | ".join(f"{mean[key]:.3f}" for key in ("nc", "f1_005", "f1_01"))
    return f"{_thousandths(mean['cd'])} | {shares} | {_thousandths(mean['mean_distance'])}"


def _notes(results: Row) -> Iterator[str]:
    for system in results["systems"]:
        for point in system["points"]:
            name = f"{system['name']}, {point['label']}"
            if "error" in point:
                yield f"{name}: {point['error']}."
            elif point["failures"]:
                yield f"{name} lacks {len(point['failures'])} of {results['meshes']} meshes."
    if any(p["label"] not in s["curve"] for s in results["systems"] for p in s["points"] if "error" not in p):
        yield r"\* Not on the curve: another point is smaller and nearer, or it lacks meshes."
    if "difference" in results:
        yield _difference(results["systems"][1]["name"], results["difference"])
    yield _made_by(results)


def _difference(name: str, found: Row) -> str:
    if "refused" in found:
        return f"No BD-rate: {found['refused']}."
    over = f"{_thousandths(found['finest'])} to {_thousandths(found['coarsest'])}"
    return f"`{name}` takes {found['percent']:+.1f} % bytes at equal mean distance (BD-rate over {over})."


def _made_by(results: Row) -> str:
    name = results.get("name", results.get("set"))
    return f"Set `{name}`, {results['rule']}.\n\n{provenance(results)}"


def _thousandths(value: float) -> str:
    return f"{1e3 * value:.2f}e-3"


def _time(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
