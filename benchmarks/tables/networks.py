"""The tables of docs/implicit.md and docs/lgcl.md, from the committed JSON."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.tables.parts import NOT_MEASURED, Row, header
from benchmarks.tables.versions import provenance

_NI, _SPHERES = "ni", "key-spheres, 128, direct"
_CONVOLUTIONS = {"vc": "LGCL-VC", "cheb": "LGCL-Cheb"}


def table_1(found: Row | None) -> str:
    """Return Table 1 of the key spheres paper, and on how many meshes key spheres are nearer than NI."""
    if found is None:
        return NOT_MEASURED
    rows = {name: row for name, row in found["rows"].items() if name != "samples"}
    lines = header(
        "system",
        "KB in float32",
        "KB on disk",
        "gIoU",
        "CD",
        "mean distance",
        "surface error",
        "importance error",
        "time",
    )
    lines += [
        f"| {name} | {row['float32_kilobytes']:.1f} | {row['archive_bytes_a_mesh'] / 1024:.1f} | {row['giou']:.3f} "
        f"| {_errors(row, 'cd', 'mean_distance', 'surface_error', 'importance_error')} "
        f"| {row['seconds_a_mesh']:.1f} s |"
        for name, row in rows.items()
    ]
    options = found["options"]
    lines += [
        f"\nMeans over {len(options['meshes'])} meshes, each decoded from its bytes; KB of 1024 bytes per mesh, "
        f"those on disk with the index. Training: {options['steps']:,} steps of {options['batch']} samples, "
        f"{options['threads']} thread; samples, {found['rows']['samples']['seconds_a_mesh']:.1f} s per mesh, are not "
        "in the times. Lengths in the cube [-1, 1]^3.\n",
        *_nearer(rows),
        f"{provenance(found)}",
    ]
    return "\n".join(lines)


def _nearer(rows: Row) -> Iterator[str]:
    if _NI not in rows:
        return
    for name in (one for one in rows if one.startswith("key-spheres")):
        pairs = [(row, rows[_NI]["per_mesh"].get(mesh)) for mesh, row in rows[name]["per_mesh"].items()]
        for figure, title in (("mean_distance", "mean distance"), ("surface_error", "surface error")):
            both = [(mine[figure], other[figure]) for mine, other in pairs if other]
            better = sum(mine <= other for mine, other in both)
            yield f"- `{name}` has no larger {title} than `{_NI}` on {better} of {len(both)} meshes."
    yield ""


def batched(found: Row | None) -> str:
    """Return what training many networks at a time gains."""
    if found is None:
        return NOT_MEASURED
    lines = header("network, samples per step", "per mesh and step, batched", "one at a time", "speed-up")
    lines += [
        f"| {name} | {1e3 * row['batched_seconds']:.3f} ms | {1e3 * row['one_at_a_time_seconds']:.3f} ms "
        f"| {row['speed_up']:.1f}x |"
        for name, row in found["rows"].items()
    ]
    told = f"{len(found['meshes'])} meshes, {found['threads']} threads, the shortest of several turns."
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])


def spheres(found: Row | None) -> str:
    """Return errors and bytes by the number of key spheres."""
    if found is None:
        return NOT_MEASURED
    titles = ("system", "KB in float32", "KB on disk", "surface error", "importance error", "mean distance", "time")
    lines = header(*titles)
    lines += [
        f"| {name} | {row['float32_bytes'] / 1024:.1f} | {row['bytes'] / 1024:.1f} "
        f"| {_errors(row, 'surface_error', 'importance_error', 'mean_distance')} | {row['seconds']:.1f} s |"
        for name, row in found["rows"].items()
    ]
    return "\n".join([*lines, f"\n{_trained(found)}\n\n{provenance(found)}"])


def sizes(found: Row | None) -> str:
    """Return where the picture of network sizes comes from, and how often key spheres win."""
    if found is None:
        return NOT_MEASURED
    rows = found["rows"]
    pairs = [(row, rows[f"key-spheres{name[2:]}"]) for name, row in rows.items() if name.startswith("ni,")]
    better = sum(spheres["surface_error"] < ni["surface_error"] for ni, spheres in pairs)
    told = f"Key spheres have the smaller mean surface error at {better} of {len(pairs)} sizes."
    return f"{told} {_trained(found)}\n\n{provenance(found)}"


def weight_bits(found: Row | None) -> str:
    """Return bytes and error by the bits of a weight."""
    if found is None:
        return NOT_MEASURED
    lines = header("NI", "bytes per mesh", "mean distance")
    lines += [
        f"| {name} | {row['bytes']:,.0f} | {_errors(row, 'mean_distance')} |" for name, row in found["rows"].items()
    ]
    told = f"{len(found['meshes'])} meshes, {found['steps']:,} steps of {found['batch']} samples."
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])


def lgcl(found: Row | None) -> str:
    """Return Tables 2, 3 and 4 of the LGCL paper and the ablations of its Figure 4."""
    if found is None:
        return NOT_MEASURED
    options = found["options"]
    sizes = [*header("model", "parameters", "latent", "network", "per mesh", "of which key points", "training")]
    sizes += [
        f"| {name} | {row['parameters']:,} | {row['latent_numbers']:,} | {row['network_bytes']:,} B "
        f"| {row['payload_bytes']:,.0f} B | {row['of_them_key_points']:,.0f} B "
        f"| {row['training_seconds']:.0f} s |"
        for name, row in found["rows"].items()
    ]
    titles = ("model", "CD", "HD", "ED", "median", "90 %", "> 5 mm", "> 10 mm", "> 20 mm", "no surface")
    errors = [*header(*titles)]
    errors += [f"| {name} | {_lgcl_errors(row)} |" for name, row in found["rows"].items()]
    told = (
        f"{len(options['trained'])} bodies trained, {len(options['held_out'])} held out and measured; size "
        f"`{options['size']}`, {options['recipe']['epochs']} epochs, K = {options['resolution']}. Lengths in per cent "
        "of the longest side of the bounding box, the thresholds those of a body of 1.80 m; ED is mean and standard "
        "deviation over all vertices; *no surface* counts held-out bodies that came back empty and are in no other "
        "figure."
    )
    return "\n".join([*sizes, "", *errors, f"\n{told}\n\n{provenance(found)}"])


def _lgcl_errors(row: Row) -> str:
    empty = row["held_out_without_surface"]
    if "cd" not in row:
        return f"| | | | | | | | {empty}"
    shares = " | ".join(f"{100 * row[f'ed_above_{mm}_mm']:.1f} %" for mm in (5, 10, 20))
    return (
        f"{row['cd']:.2f} | {row['hd']:.2f} | {row['ed_mean']:.2f} ± {row['ed_std']:.2f} | {row['ed_median']:.2f} "
        f"| {row['ed_ninety']:.2f} | {shares} | {empty}"
    )


def _trained(found: Row) -> str:
    options = found["options"]
    return f"Means over {len(options['meshes'])} meshes, {options['steps']:,} steps of {options['batch']} samples."


def _errors(row: Row, *names: str) -> str:
    return " | ".join(f"{1e3 * row[name]:.2f}e-3" for name in names)
