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
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, set_figures, write_json


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
        result = compress([models], archive, force=True)
        extract(archive, output=options.folder / "extracted", format="obj", force=True)
        figures = set_figures(archive, [models])
    figures["compress_seconds"] = round(result.seconds, 1)
    figures["seconds"] = round(time.perf_counter() - start, 1)
    if options.out:
        write_json(options.out, command(), figures)
    width = max(map(len, figures))
    print("\n" + "\n".join(f"{key.replace('_', ' '):<{width}}  {_shown(value)}" for key, value in figures.items()))
    print(f"\nlook at {archive} (meshset list, meshset info) and {options.folder / 'extracted'}")


def _shown(value: float) -> str:
    return f"{value:>14,}" if isinstance(value, int) or value >= 10 else f"{value:>14.5f}"


if __name__ == "__main__":
    main()
