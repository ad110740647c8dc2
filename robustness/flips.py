"""Flips one bit of each byte of an archive in turn and counts what `meshset test` finds and what is lost.

A mesh is lost if it is no longer among those that are whole; all are lost if the archive is refused. The bit is another
one for each byte, chosen by a seed.

python robustness/flips.py tests/data/three.mset --out robustness/results/flips.json
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from meshset.archive import ArchiveReader
from meshset.archive.layout import HEADER_SIZE, TRAILER_SIZE
from meshset.errors import ArchiveError
from meshset.pipeline.verify import verify

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.figures import command, write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    random.seed(options.seed)
    regions = regions_of(options.archive)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.mset"
        shutil.copy(options.archive, copy)
        meshes = verify(copy).meshes
        outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        for place, region in enumerate(regions):
            outcomes[region][flipped(copy, place, random.randrange(8))] += 1
            if place % 1000 == 0:
                print(f"{place} of {len(regions)}", end="\r", flush=True)
        assert copy.read_bytes() == options.archive.read_bytes()
    total = sum(outcomes.values(), Counter())
    figures: dict[str, Any] = {
        "archive": options.archive.name,
        "meshes": meshes,
        "bytes": len(regions),
        "not_found": total["not found"],
        "regions": {
            region: {"bytes": sum(counts.values()), "share": round(sum(counts.values()) / len(regions), 4), **counts}
            for region, counts in outcomes.items()
        },
    }
    print(figures)
    write_json(options.out, command(), figures)


def regions_of(path: Path) -> list[str]:
    """Return which part of the file each byte belongs to."""
    with ArchiveReader(path) as reader:
        regions = ["index"] * reader.size
        for part in reader.shared:
            regions[part.offset : part.offset + part.length] = ["shared part"] * part.length
        for entry in reader.entries.values():
            regions[entry.offset : entry.offset + entry.length] = ["payload"] * entry.length
        regions[:HEADER_SIZE] = ["header"] * HEADER_SIZE
        regions[-TRAILER_SIZE:] = ["trailer"] * TRAILER_SIZE
        return regions


def flipped(path: Path, place: int, bit: int) -> str:
    """Flip a bit, test the archive, flip it back, and return what came of it."""
    flip(path, place, bit)
    try:
        found = verify(path)
    except ArchiveError:
        return "archive refused"
    finally:
        flip(path, place, bit)
    if not found.failures:
        return "not found"
    return f"{found.meshes - len(found.whole)} of {found.meshes} meshes lost"


def flip(path: Path, place: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        (old,) = file.read(1)
        file.seek(place)
        file.write(bytes([old ^ 1 << bit]))


if __name__ == "__main__":
    main()
