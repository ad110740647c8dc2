"""Keep what is worth committing of folders of `meshset bench`: their figures, and one picture of their curves.

python benchmarks/quality/curves.py figures --out benchmarks/results/curves.json --picture docs/curves.png

Figures of single meshes and pictures of them stay in the folders. Several folders are put beside one another.
The versions recorded, of meshset and of external programs, are the current ones: run it right after meshset bench.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from meshset.bench.curves import differences
from meshset.bench.run import read_result
from meshset.bench.store import save
from meshset.codecs.peers.external.gpcc import find_gpcc
from meshset.codecs.peers.external.pcgcv2 import find_pcgcv2
from meshset.codecs.peers.external.program import Program
from meshset.codecs.peers.external.vpcc import find_vpcc
from meshset.errors import MeshsetError

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.condensed import condensed
from benchmarks.common.figures import made_by

Row = dict[str, Any]

COLOURS = {
    "necgs": "#0b6e99",
    "necgs-paper": "#d1495b",
    "draco": "#9a9a9a",
    "draco-simplified": "#3c8d40",
    "ply-zstd": "#444444",
}


FINDERS = {"gpcc": find_gpcc, "v-pcc": find_vpcc, "pcgcv2": find_pcgcv2}


def kept(result: Row) -> Row:
    """Return a bench.json without figures of single meshes and without pictures."""
    sets = []
    for one in result["sets"]:
        row = condensed(one)
        row.pop("difference", None)
        for point in (point for system in row["systems"] for point in system["points"]):
            # Where the files lay is nobody's business.
            point["failures"] = [[Path(subject).name, reason] for subject, reason in point.get("failures", [])]
        # Anew, so that those of all folders are by one method.
        sets.append({**row, "differences": differences(row["systems"])})
    return {**{key: value for key, value in result.items() if key not in ("sets", "picture_scale")}, "sets": sets}


def joined(results: list[Row]) -> Row:
    """Return the sets of all results under the record of the first, each with the command that made it."""
    sets = [{**one, "command": result["command"]} for result in results for one in result["sets"]]
    return {**results[0], "command": "\n".join(result["command"] for result in results), "sets": sets}


def programs(sets: list[Row]) -> dict[str, str]:
    """Return the versions of the external programs that were run, as they are installed."""
    ran = {system["name"] for one in sets for system in one["systems"] if not system["not_run"]}
    found = {name: find() for name, find in FINDERS.items() if name in ran}
    return {name: program.version for name, program in found.items() if isinstance(program, Program)}


def on_curve(system: Row) -> list[Row]:
    """Return the points of a system's curve, smallest file first."""
    return sorted((p for p in system["points"] if p["label"] in system["curve"]), key=lambda point: point["bytes"])


def draw(result: Row, path: Path) -> None:
    """Draw mean distance over ratio, a panel for each set."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    sets = result["sets"]
    figure, panels = plt.subplots(1, len(sets), figsize=(4.2 * len(sets), 3.8), sharey=True, squeeze=False)
    for panel, one in zip(panels[0], sets, strict=True):
        for system in one["systems"]:
            points = on_curve(system)
            if not points or system["name"] == "ply-zstd":
                continue
            ratios = [point["ratio"] for point in points]
            distances = [point["mean"]["mean_distance"] for point in points]
            panel.plot(ratios, distances, marker="o", ms=4, label=system["name"], color=COLOURS.get(system["name"]))
        panel.set(xscale="log", yscale="log", xlabel="OBJ bytes over archive bytes")
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.set_title(f"{one['name']}, {one['meshes']} meshes")
        panel.grid(True, which="both", alpha=0.25)
    panels[0][0].set_ylabel("mean surface distance, cube [-1, 1]")
    panels[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="--out of meshset bench")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--picture", type=Path, help="also draw the curves")
    options = parser.parse_args()
    try:
        result = joined([kept(read_result(folder)) for folder in options.folders])
    except MeshsetError as error:
        raise SystemExit(str(error)) from None
    save(options.out, {**result, "made_by": made_by(), "programs": programs(result["sets"])})
    print(f"wrote {options.out}")
    if options.picture:
        draw(result, options.picture)
        print(f"wrote {options.picture}")


if __name__ == "__main__":
    main()
