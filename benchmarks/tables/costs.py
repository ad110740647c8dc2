"""The tables of docs/costs.md: what a set costs, by its size, by time and under a bound, from the committed JSON."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.tables.parts import NOT_MEASURED, Row, header
from benchmarks.tables.versions import provenance


def growth(found: Iterable[Row | None]) -> str:
    """Return how decoder and latents grow with the number of meshes, beside Draco after simplification."""
    made = [one for one in found if one is not None]
    if not made:
        return NOT_MEASURED
    lines = header(
        "set",
        "archive",
        "decoder",
        "latents per mesh",
        "index per mesh",
        "mean distance",
        "ratio",
        "simplified Draco per mesh",
        "set over Draco",
        "smaller from",
        "latents and index over Draco",
    )
    for one in made:
        lines += [
            f"| {row['meshes']} {one['options']['set']}, `{one['options']['preset']}` "
            f"| {_kilobytes(row['archive_bytes'])} | {_kilobytes(row['decoder_bytes'])} "
            f"| {row['payload_bytes'] / row['meshes']:,.0f} B | {row['index_bytes'] / row['meshes']:,.0f} B "
            f"| {1e3 * row['mean_distance']:.2f}e-3 | {row['obj_bytes'] / row['archive_bytes']:.0f} "
            f"| {_beside_draco(row)} |"
            for name, row in one["rows"].items()
            if name.startswith("necgs")
        ]
    return "\n".join([*lines, f"\n{provenance(*made)}"])


def _beside_draco(row: Row) -> str:
    if row["draco_bytes_a_mesh"] is None:
        return "out of its range | | |"
    since = f"{row['smaller_from']:,.0f} meshes" if row["smaller_from"] else "never"
    return (
        f"{row['draco_bytes_a_mesh']:,.0f} B | {row['bytes_over_draco']:.2f} | {since} | {row['limit_over_draco']:.2f}"
    )


def index_bytes(found: Row | None) -> str:
    """Return what names, boxes and figures of the meshes take in archives of several sizes."""
    if found is None:
        return NOT_MEASURED
    lines = header("set", "index", "index per mesh", "copies", "header, index and trailer", "archive")
    for name, rows in found["sets"].items():
        lines += [
            f"| {row['meshes']} {name} | {row['index_bytes']:,} B | {row['index_bytes_per_mesh']:.1f} B "
            f"| {row['copies']} | {row['all_but_chunks']:,} B | {_kilobytes(row['archive_bytes'])} |"
            for row in rows
        ]
    return "\n".join([*lines, f"\n{provenance(found)}"])


def over_http(found: Row | None) -> str:
    """Return the requests and bytes that reading an archive on the web takes."""
    if found is None:
        return NOT_MEASURED
    lines = header("archive", "size", *(f"{what}: requests, bytes" for what in _READ))
    for name, row in found["rows"].items():
        cells = (f"{row[what]['requests']}, {row[what]['bytes']:,}" for what in _READ)
        label = "24 generated shapes, necgs" if name == "models" else name
        lines.append(f"| {label} | {_kilobytes(row['archive_bytes'])} | {' | '.join(cells)} |")
    return "\n".join([*lines, f"\n{provenance(found)}"])


_READ = ("listing", "first mesh", "next mesh")


def bounded(found: Row | None) -> str:
    """Return the share of meshes on each rung under a bound, and whether all keep it."""
    if found is None:
        return NOT_MEASURED
    bound = found["options"]["max_error"]
    lines = header(
        "set", "set", "refined", "draco", "ply-zstd", "within the bound", "worst", "archive", "coded individually"
    )
    for name, row in found["rows"].items():
        rungs = " | ".join(str(row["on_rung"].get(rung, 0)) for rung in ("set", "refined", "draco", "ply-zstd"))
        alone = sum(row["bytes_on_rung"].get(rung, 0) for rung in ("draco", "ply-zstd"))
        lines.append(
            f"| {row['meshes']} {name} | {rungs} | {row['within'] / row['meshes']:.0%} "
            f"| {100 * row['worst_error']:.3f} % | {_kilobytes(row['archive_bytes'])} | {_kilobytes(alone)} |"
        )
    told = (
        f"Bound: {bound:g} % of the diagonal; {found['options']['epochs']} visits of each mesh, "
        f"K = {found['options']['resolution']}."
    )
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])


def time_to_error(found: Iterable[Row | None]) -> str:
    """Return how long both NeCGS systems take to one error, by the sets that lack no mesh."""
    made = [one for one in found if one is not None]
    if not made:
        return NOT_MEASURED
    lines = header("set", "codec", "time", "archive", "mean distance", "necgs-paper takes")
    for one in made:
        paper = one["rows"]["necgs-paper"]
        lines += [
            f"| {row['meshes']} {one['options']['set']} | {name} | {row['seconds']:.0f} s "
            f"| {_kilobytes(row['archive_bytes'])} | {1e3 * row['mean_distance']:.2f}e-3 "
            f"| {paper['seconds'] / row['seconds']:.1f} times as long |"
            for name, row in one["rows"].items()
            if not row["failures"]
        ]
    return "\n".join([*lines, f"\n{provenance(*made)}"])


def targets(found: Row | None) -> str:
    """Return how near archives come to the sizes that were asked for."""
    if found is None:
        return NOT_MEASURED
    lines = header("set and size", "archive", "miss", "mean distance", "time")
    lines += [
        f"| {row['meshes']} {name} | {_kilobytes(row['archive_bytes'])} | {100 * row['miss']:+.1f} % "
        f"| {1e3 * row['mean_distance']:.2f}e-3 | {row['seconds']:.0f} s |"
        for name, row in found["rows"].items()
    ]
    options = found["options"]
    told = f"{options['epochs']} visits of each mesh, K = {options['resolution']}."
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])


def levers(found: Row | None) -> str:
    """Return what single changes to codec necgs do, set by set."""
    if found is None:
        return NOT_MEASURED
    lines = header("set, change", "parameters", "decoder and latents", "mean distance", "over the plain curve", "time")
    for name, row in found["rows"].items():
        over = row.get("over_plain")
        lines.append(
            f"| {name} | {row['parameters']:,} | {_kilobytes(row['bytes'])} | {1e3 * row['mean_distance']:.2f}e-3 "
            f"| {'' if over is None else f'{100 * (over - 1):+.0f} %'} | {row['seconds']:.0f} s |"
        )
    options = found["options"]
    told = (
        f"{options['count']} meshes, {options['epochs']} visits of each, K = {options['resolution']}, "
        f"lambda = {options['lambda']:g} where nothing else is said."
    )
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])


def _kilobytes(size: float) -> str:
    return f"{size / 1e3:,.1f} KB"
