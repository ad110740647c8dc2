"""The tables of docs/fields.md, from the committed JSON."""

from __future__ import annotations

from benchmarks.tables.parts import Row
from benchmarks.tables.versions import provenance

KINDS = {"tsdf": "TSDF", "tsdf-def without L1": "TSDF-Def without L1", "tsdf-def": "TSDF-Def"}


def table_2(results: Row) -> str:
    """Return Table 2 of the paper on our data."""
    means = results["means"]
    lines = [
        "| | CD | NC | F1-0.005 | F1-0.01 | mean distance | max distance | deformations not 0 |",
        "|---|---|---|---|---|---|---|---|",
        _quality("sampling floor: the mesh against itself", means["sampling floor"], ""),
    ]
    for resolution in ("K=64", "K=128"):
        for kind, label in KINDS.items():
            row = means[resolution][kind]
            moved = f"{row['deformations_not_zero']:.1%}" if kind != "tsdf" else ""
            lines.append(_quality(f"{label}, {resolution.replace('=', ' = ')}", row, moved))
    ratios = ", ".join(f"{means[f'K={k}']['ratio of mean distances']:.2f} at K = {k}" for k in (64, 128))
    return "\n".join(lines) + f"\n\nMean distance of TSDF-Def over that of TSDF: {ratios}.\n\n{provenance(results)}"


def _quality(label: str, row: Row, moved: str) -> str:
    return (
        f"| {label} | {1e3 * row['cd']:.2f}e-3 | {row['nc']:.3f} | {row['f1_005']:.3f} | {row['f1_01']:.3f} "
        f"| {1e3 * row['mean_distance']:.2f}e-3 | {1e3 * row['max_distance']:.1f}e-3 | {moved} |"
    )


def objectives(results: Row) -> str:
    """Return `render` beside `project`."""
    lines = ["| objective | mean distance | max distance | seconds per mesh |", "|---|---|---|---|"]
    for kind in ("project", "render"):
        row = results["means"][kind]
        lines.append(
            f"| `{kind}` | {1e3 * row['mean_distance']:.2f}e-3 | {1e3 * row['max_distance']:.1f}e-3 "
            f"| {row['seconds']:.1f} |"
        )
    ratios = results["ratios"]
    return "\n".join(lines) + (
        f"\n\n`project` is {ratios['render / project, seconds']:.1f} times faster and comes "
        f"{ratios['render / project, mean distance']:.2f} times nearer; it is the nearer one on "
        f"{ratios['meshes where project is nearer']} of {len(results['each'])} meshes. Undeformed: "
        f"{1e3 * results['means']['tsdf']['mean_distance']:.2f}e-3.\n\n{provenance(results)}"
    )


def times(results: Row) -> str:
    """Return seconds per mesh."""
    summary = results["summary"]
    by_resolution = ", ".join(f"{s:.1f} s at {k}" for k, s in summary["mean_s by K"].items())
    few, many = (min(results["rows"], key=lambda row: abs(row["faces"] - faces)) for faces in (1_000, 120_000))
    return (
        f"At K = 128, two cores, from file to TSDF-Def: median {summary['median_s at K=128']:.1f} s, at worst "
        f"{summary['worst_s at K=128']:.0f} s. Time hardly depends on faces (as their number to the power "
        f"{summary['exponent of faces']:.2f}, from {few['faces']:,} to {many['faces']:,}) but on the surface in "
        f"voxels. Mean over three meshes, one of them 12 times larger in surface than usual: {by_resolution}.\n\n"
        f"{provenance(results)}"
    )


def every_mesh(results: Row) -> str:
    """Return what became of whole folders, and the worst of them."""
    distances = sorted(results["each"].values())
    median = distances[len(distances) // 2]
    lines = [
        f"{results['meshes']} meshes, K = 64: {len(results['crashed'])} crashed, "
        f"{len(results['refused'])} refused, {results['fitted']} fitted. "
        f"{len(results['come back open'])} have open edges; median of the mean distances {1e3 * median:.2f}e-3. "
        "The worst ten:",
        "",
        "| mesh | mean distance | of the TSDF | max distance | surface inside the solid | thinner than 2 voxels "
        "| defects |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in results["worst"].items():
        defects = "; ".join(row["defects"]) or "none"
        lines.append(
            f"| {name} | {1e3 * row['mean_distance']:.1f}e-3 | {1e3 * row['tsdf_mean_distance']:.1f}e-3 "
            f"| {1e3 * row['max_distance']:.0f}e-3 | {row['buried_share']:.0%} | {row['thin_share']:.0%} | {defects} |"
        )
    return "\n".join([*lines, f"\n{provenance(results)}"])
