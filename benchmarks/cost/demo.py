"""The main job on a generated sample set, ending with a table: what `make demo` runs.

python benchmarks/cost/demo.py demo
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from meshset.pipeline.compress import compress
from meshset.pipeline.extract import extract
from meshset.pipeline.sample import sample
from meshset.pipeline.summary import summarise
from meshset.progress.bars import showing_progress
from meshset.text import table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import Row, command, set_figures, write_json

BUDGET = 45
"""Seconds of training that codec necgs gets: it gains from more."""


def rows(models: Path, archive: Path) -> dict[str, Row]:
    """Compress the same meshes in three ways, and return the figures of each.

    Draco after simplification keeps the bound of the default; its payloads are counted with the default's index.
    """
    result = compress([models], archive, force=True)
    default = {**set_figures(archive, [models]), "compress_seconds": round(result.seconds, 1)}
    summary = summarise(archive)
    trained = archive.with_name("necgs.mset")
    result = compress([models], trained, codec="necgs", preset="fast", time_budget=BUDGET, force=True)
    necgs = {**set_figures(trained, [models]), "compress_seconds": round(result.seconds, 1)}
    draco = {
        "obj_bytes": default["obj_bytes"],
        "archive_bytes": summary.settings["report"]["would_take"]["draco"] + summary.index_bytes,
    }
    return {"default": default, "--codec necgs": necgs, "simplified Draco": draco}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where samples, archive and extracted meshes go")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    options = parser.parse_args()
    start = time.perf_counter()
    models, archive = options.folder / "models", options.folder / "models.mset"
    with showing_progress():
        sample(models, options.count)
        found = rows(models, archive)
        extract(archive, output=options.folder / "extracted", format="obj", force=True)
    if options.out:
        figures = {**found["default"], "seconds": time.perf_counter() - start, "rows": found}
        write_json(options.out, command(), figures)
    print(f"\n{options.count} meshes, {found['default']['obj_bytes'] / 1e6:.1f} MB as OBJ text\n")
    lines = [["", "bytes", "ratio", "mean error", "normals", "time"], *(_line(*pair) for pair in found.items())]
    print(table(lines[0], lines[1:], [False, True, True, True, True, True]))
    print(f"\nlook at {archive} (meshset list, meshset info) and {options.folder / 'extracted'}")


def _line(name: str, row: Row) -> list[str]:
    measured = "mean_error_of_diagonal" in row
    return [
        name,
        f"{row['archive_bytes']:,}",
        f"{row['obj_bytes'] / row['archive_bytes']:.0f}",
        f"{row['mean_error_of_diagonal']:.3%}" if measured else "<= 0.1%",
        f"{row['nc']:.3f}" if measured else "",
        f"{row['compress_seconds']:.0f} s" if measured else "",
    ]


if __name__ == "__main__":
    main()
