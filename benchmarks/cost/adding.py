"""Meshes added to a set, its decoder frozen, under a bound, or updated, against the same meshes trained from the start.

python benchmarks/cost/adding.py sets/animals sets/things --out benchmarks/results/adding.json
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshset.archive import ArchiveReader, MeshEntry
from meshset.codecs.protocol import Settings
from meshset.pipeline.add import add
from meshset.pipeline.compress import compress
from meshset.pipeline.evaluate import evaluate
from meshset.pipeline.steps.remarks import rung_label
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.common.meshes import largest_clean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the set")
    parser.add_argument("other", type=Path, help="a folder of another kind")
    parser.add_argument("--count", type=int, default=16, help="meshes that the set starts with")
    parser.add_argument("--added", type=int, default=4, help="meshes of each kind that are added")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--max-error", type=float, default=0.5, help="the bound, in percent of the diagonal")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    clean = largest_clean(options.folder, options.count + options.added)
    # Spread over all sizes, so that the added ones are no smaller than the others.
    same = clean[:: len(clean) // options.added][: options.added]
    first = [path for path in clean if path not in same]
    other = largest_clean(options.other, options.added)
    kinds = {"same kind": same, "other kind": other}
    bound = options.max_error / 100
    ways: dict[str, dict[str, Any]] = {
        "frozen": {},
        "frozen, bounded": {"max_error": bound},
        "updated": {"update_decoder": True},
    }
    settings = Settings(resolution=options.resolution, preset=options.preset)
    figures: dict[str, Any] = {
        "meshes": len(first),
        "resolution": options.resolution,
        "preset": options.preset,
        "max_error_of_diagonal": bound,
    }
    with tempfile.TemporaryDirectory() as name, showing_progress():
        small, whole = Path(name) / "small.mset", Path(name) / "whole.mset"
        made = compress(first, small, codec="necgs", **vars(settings))
        figures["set"] = {**row(made.entries), "archive_bytes": made.archive_bytes, "seconds": round(made.seconds, 1)}
        for kind, paths in kinds.items():
            figures[f"added, {kind}"] = {way: added(small, paths, how, first) for way, how in ways.items()}
        start = time.perf_counter()
        made = compress([*first, *same, *other], whole, codec="necgs", **vars(settings))
        groups = {**kinds, "the set": first}
        figures["trained together"] = {
            "seconds": round(time.perf_counter() - start, 1),
            "archive_bytes": made.archive_bytes,
            **{
                group: row([entry for entry in made.entries if entry.name in {path.stem for path in paths}])
                for group, paths in groups.items()
            },
        }
    print(figures)
    write_json(options.out, command([options.folder, options.other]), figures)


def added(archive: Path, paths: Sequence[Path], how: dict[str, Any], first: Sequence[Path]) -> dict[str, Any]:
    """Add meshes to a copy of an archive and return what became of them, and of the `first` ones if they changed."""
    copy = archive.with_name("copy.mset")
    shutil.copyfile(archive, copy)
    before = archive.stat().st_size
    result = add(copy, paths, **how)
    grown = {"archive_grows_by": result.archive_bytes - before, "seconds": round(result.seconds, 1)}
    said = {"decoder": result.decoder, "the set": set_row(copy, first)} if result.decoder else {}
    return {**row(result.entries), **grown, **said}


def set_row(archive: Path, paths: Sequence[Path]) -> dict[str, float]:
    """Return mean errors of the set that meshes were added to: what the archive states, and what originals say."""
    measured = evaluate(archive, paths).metrics
    with ArchiveReader(archive) as reader:
        entries = [reader.entries[path.stem] for path in paths]
    found = [replace(entry, mean_distance=measured[entry.name].mean_distance) for entry in entries]
    return {
        "stated_mean_error_of_diagonal": row(entries)["mean_error_of_diagonal"],
        "measured_mean_error_of_diagonal": row(found)["mean_error_of_diagonal"],
        "measured_worst_error_of_diagonal": row(found)["worst_error_of_diagonal"],
    }


def row(entries: Sequence[MeshEntry]) -> dict[str, Any]:
    """Return the means over some meshes: errors as shares of the diagonal, bytes of a payload, and the rungs."""
    errors = [entry.mean_error_of_diagonal for entry in entries if entry.mean_error_of_diagonal is not None]
    rungs = Counter(rung_label(entry) for entry in entries if entry.rung)
    return {
        "meshes": len(entries),
        "mean_error_of_diagonal": statistics.fmean(errors),
        "worst_error_of_diagonal": max(errors),
        "bytes_a_mesh": round(statistics.fmean(entry.length for entry in entries)),
        **({"rungs": dict(rungs)} if rungs else {}),
    }


if __name__ == "__main__":
    main()
