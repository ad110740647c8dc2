"""Meshes added to a set, its decoder frozen, against the same meshes trained from the start.

python benchmarks/adding.py ../shared/data/animals ../shared/data/things --out benchmarks/results/adding.json
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _common import largest_clean, write_json
from meshset.archive import MeshEntry
from meshset.cli.progress import showing_progress
from meshset.codecs.base import Settings
from meshset.pipeline.compress import compress
from meshset.pipeline.grow import add


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the set")
    parser.add_argument("other", type=Path, help="a folder of another kind")
    parser.add_argument("--count", type=int, default=16, help="meshes that the set starts with")
    parser.add_argument("--added", type=int, default=4, help="meshes of each kind that are added")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    clean = largest_clean(options.folder, options.count + options.added)
    # Spread over all sizes, so that the added ones are no smaller than the others.
    same = clean[:: len(clean) // options.added][: options.added]
    first = [path for path in clean if path not in same]
    other = largest_clean(options.other, options.added)
    settings = Settings(resolution=options.resolution, preset=options.preset)
    figures: dict[str, Any] = {"meshes": len(first), "resolution": options.resolution, "preset": options.preset}
    with tempfile.TemporaryDirectory() as name, showing_progress() as progress:
        small, whole = Path(name) / "small.mset", Path(name) / "whole.mset"
        start = time.perf_counter()
        made = compress(first, small, settings=settings, progress=progress)
        figures["set"] = {**row(made.entries), "seconds": round(time.perf_counter() - start, 1)}
        for kind, paths in (("added, same kind", same), ("added, other kind", other)):
            result = add(small, paths, progress=progress)
            figures[kind] = {**row(result.entries), "seconds": round(result.seconds, 1)}
        start = time.perf_counter()
        made = compress([*first, *same, *other], whole, settings=settings, progress=progress)
        figures["trained together"] = {
            "seconds": round(time.perf_counter() - start, 1),
            "same kind": row([entry for entry in made.entries if entry.name in {path.stem for path in same}]),
            "other kind": row([entry for entry in made.entries if entry.name in {path.stem for path in other}]),
            "the set": row([entry for entry in made.entries if entry.name in {path.stem for path in first}]),
            "archive_bytes": made.archive_bytes,
        }
        figures["archive_bytes"] = small.stat().st_size
    print(figures)
    command = (
        f"python benchmarks/adding.py {options.folder.name} {options.other.name} --count {options.count} "
        f"--added {options.added} --resolution {options.resolution} --preset {options.preset} --out {options.out}"
    )
    write_json(options.out, command, figures)


def row(entries: Sequence[MeshEntry]) -> dict[str, Any]:
    """Return the means over some meshes: distance in the cube [-1, 1]^3, and bytes of a payload."""
    distances = [entry.mean_distance for entry in entries if entry.mean_distance is not None]
    return {
        "meshes": len(entries),
        "mean_distance": statistics.fmean(distances),
        "worst_mean_distance": max(distances),
        "bytes_a_mesh": round(statistics.fmean(entry.length for entry in entries)),
    }


if __name__ == "__main__":
    main()
