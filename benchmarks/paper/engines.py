"""The two engines of codec necgs-paper against each other: bytes, distance and seconds for the same set and settings.

python benchmarks/paper/engines.py sets/things --resolution 32 --out benchmarks/results/engines.json
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from meshset.codecs.necgs_paper.codec import NecgsPaperCodec
from meshset.codecs.necgs_paper.recipe import ENGINES
from meshset.codecs.protocol import Settings
from meshset.pipeline.compress import compress
from meshset.pipeline.extract import extract

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, set_figures, write_json
from benchmarks.common.meshes import clean
from benchmarks.common.options import add_paper_codec


def measured(files: list[Path], codec: NecgsPaperCodec, settings: Settings, repeats: int) -> dict[str, Any]:
    """Return the row of one engine: sizes and metrics, and how long compressing and decoding took."""
    with TemporaryDirectory() as folder:
        archive = Path(folder) / "set.mset"
        start = time.perf_counter()
        compress(files, archive, **vars(settings), codec=codec)
        compressing = time.perf_counter() - start
        decoding = []
        for _ in range(repeats):
            start = time.perf_counter()
            extract(archive, output=Path(folder) / "out", force=True)
            decoding.append((time.perf_counter() - start) / len(files))
        return {
            **set_figures(archive, files),
            "compress_seconds": compressing,
            "extract_seconds_a_mesh": statistics.median(decoding),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paper_codec(parser, widths="64-48-32-24-16-8")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chosen = [row["file"] for row in clean(options.folder)[: options.count]]
    files = [options.folder / name for name in chosen]
    settings = Settings(resolution=options.resolution, seed=options.seed)
    rows = {
        engine: measured(files, NecgsPaperCodec(options.widths, engine, options.epochs), settings, repeats=3)
        for engine in ENGINES
    }
    write_json(options.out, command([options.folder]), {"meshes": chosen, "engines": rows})


if __name__ == "__main__":
    main()
