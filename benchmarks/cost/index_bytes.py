"""What an archive takes beside its chunks: bytes of the index for sets of 1, 24 and 200 meshes, coded by Draco.

python benchmarks/cost/index_bytes.py sets/humans sets/things --out benchmarks/results/index_bytes.json
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from meshset.archive import ArchiveReader
from meshset.codecs.peers.draco import DracoCodec
from meshset.pipeline.compress import compress
from meshset.pipeline.edit import remove
from meshset.pipeline.summary import summarise
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import Row, command, write_json
from benchmarks.common.meshes import largest_clean

CODEC = DracoCodec(quantisation=8, kept=0.25)


def index_row(archive: Path) -> Row:
    """Return what the index of an archive takes, its copy and the fixed parts of the file apart."""
    with ArchiveReader(archive) as reader:
        stored = reader.index_stored_length
    summary = summarise(archive)
    return {
        "meshes": summary.meshes,
        "index_bytes": stored,
        "index_bytes_per_mesh": round(stored / summary.meshes, 1),
        "copies": summary.index_copies,
        "all_but_chunks": summary.index_bytes,
        "archive_bytes": summary.archive_bytes,
    }


def rows(paths: Sequence[Path], counts: Sequence[int], folder: Path) -> list[Row]:
    """Compress the meshes once, then leave out all but the first so many of them."""
    archive = folder / "set.mset"
    result = compress(paths, archive, codec=CODEC, force=True)
    names = [entry.name for entry in result.entries]
    found = []
    for count in sorted({min(count, len(names)) for count in counts}, reverse=True):
        remove(archive, names[count:], compact=True)
        names = names[:count]
        found.append(index_row(archive))
    return found[::-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", help="folders of meshes")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 24, 200])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    figures = {}
    for folder in options.sets:
        with TemporaryDirectory() as name, showing_progress():
            figures[folder.name] = rows(largest_clean(folder, max(options.counts)), options.counts, Path(name))
        for row in figures[folder.name]:
            print(folder.name, row)
    write_json(options.out, command(options.sets), {"sets": figures})


if __name__ == "__main__":
    main()
