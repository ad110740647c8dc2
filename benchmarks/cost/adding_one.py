"""One large mesh added to a set: seconds, bytes and error, against compressing the set with it again.

python benchmarks/cost/demo.py demo
python benchmarks/cost/adding_one.py demo/models.mset demo/models sets/humans/NAME.ply \
    --out benchmarks/results/adding_one.json
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from meshset.archive import ArchiveReader
from meshset.codecs.protocol import Settings
from meshset.pipeline.add import add
from meshset.pipeline.compress import compress
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.cost.adding import row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("models", type=Path, help="what the archive was made from")
    parser.add_argument("mesh", type=Path)
    parser.add_argument("--max-error", type=float, default=0.2, help="the bound, in percent of the diagonal")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with ArchiveReader(options.archive) as reader:
        made, meshes = reader.settings, len(reader.entries)
    settings = Settings(made["resolution"], made["field"], made["preset"])
    figures: dict[str, Any] = {"meshes": meshes, "resolution": made["resolution"], "preset": made["preset"]}
    ways: dict[str, dict[str, Any]] = {
        "frozen": {},
        "frozen, bounded": {"max_error": options.max_error / 100},
        "updated": {"update_decoder": True},
    }
    with tempfile.TemporaryDirectory() as name, showing_progress():
        copy = Path(name) / "copy.mset"
        for way, how in ways.items():
            shutil.copyfile(options.archive, copy)
            grown = add(copy, [options.mesh], **how)
            (entry,) = grown.entries
            figures["source_faces"] = entry.source_faces
            figures[way] = {
                **row([entry]),
                "archive_grows_by": grown.archive_bytes - options.archive.stat().st_size,
                "seconds": round(grown.seconds, 1),
            }
        sources = [options.models, options.mesh]
        again = compress(sources, Path(name) / "again.mset", codec="necgs", **vars(settings))
        figures["compressed again"] = {
            **row([entry for entry in again.entries if entry.name == options.mesh.stem]),
            "archive_grows_by": again.archive_bytes - options.archive.stat().st_size,
            "seconds": round(again.seconds, 1),
        }
    print(figures)
    write_json(options.out, command([options.mesh]), figures)


if __name__ == "__main__":
    main()
