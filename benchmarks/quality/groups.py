"""Sets that share connectivity: bytes of the default beside each mesh by itself and beside Draco after simplification.

python benchmarks/quality/groups.py sets/humans --cache groups.work --out benchmarks/results/groups_humans.json

Meshes of the largest family of one connectivity in the folder, or with count 0 all that share theirs with another. The
bound is a share of each mesh's diagonal, such that the mean over the meshes is the distance that is asked for, in 1e-3
of half the side of the cube. Bytes are those of the archive, names and index included. The peer is Draco after the
better simplifier, for each mesh its smallest file within the mesh's own bound; payloads alone, measured on 24 meshes at
most. Goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

import meshset
from meshset.codecs.control_mesh.codec import diagonal
from meshset.codecs.control_mesh.fitting import Original
from meshset.geometry.correspondence import connectivity_of
from meshset.pipeline.compress import CompressResult, compress
from meshset.pipeline.steps.remarks import rung_label
from meshset.pipeline.summary import summarise
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import KeptRows, Row, command
from benchmarks.common.meshes import manifest, normalised
from benchmarks.common.options import parsed
from benchmarks.common.peer_files import peer_files
from benchmarks.common.thin import spread

COUNTS, DISTANCES = (8, 24, 150), (3.0, 5.0)
PEERS = 24


@cache
def families(folder: Path) -> list[list[Path]]:
    """Return the meshes of a folder by connectivity, those alone left out, the largest family first."""
    alike: dict[bytes, list[Path]] = defaultdict(list)
    for row in manifest(folder):
        alike[connectivity_of(normalised(folder / row["file"]).faces)].append(folder / row["file"])
    return sorted((one for one in alike.values() if len(one) > 1), key=len, reverse=True)


def smallest(original: Original, bound: float, work: Path) -> int:
    """Return the bytes of the peer's smallest file within a bound."""
    return min(len(file.payload) for file in peer_files(original, work) if file.distance <= bound)


def peer_bytes(path: Path, share: float, work: Path) -> int:
    """Return the bytes of the peer's smallest file within a share of the diagonal."""
    original = Original(normalised(path))
    return smallest(original, share * diagonal(original.mesh), work)


def archived(result: CompressResult) -> Row:
    """Return the figures of an archive."""
    summary = summarise(result.path)
    return {
        "archive_bytes": result.archive_bytes,
        "shared_bytes": summary.shared_bytes,
        "payload_median": median(entry.length for entry in result.entries if entry.length > 2),
        "rungs": Counter(rung_label(entry) for entry in result.entries),
        "alone_bytes": summary.settings["report"]["would_take"].get("control-mesh"),
        "mean_distance": mean(entry.mean_distance for entry in result.entries if entry.mean_distance is not None),
        "seconds": result.coding_seconds,
    }


def packed(paths: Sequence[Path], distance: float, work: Path) -> Row:
    """Return the figures of a set within a mean distance, and those of its peer."""
    share = distance / 1e3 / mean(diagonal(normalised(path)) for path in paths)
    with TemporaryDirectory() as folder, showing_progress():
        archive = Path(folder) / "set.mset"
        result = compress(list(paths), archive, max_error=share)
        figures = archived(result)
        with meshset.open(archive) as opened:
            names = [entry.name for entry in result.entries]
            start = time.perf_counter()
            opened[names[-1]]
            first = time.perf_counter() - start
            start = time.perf_counter()
            for name in names:
                opened[name]
            each = (time.perf_counter() - start) / len(names)
    return {
        "meshes": len(result.entries),
        "bound": share,
        **figures,
        "peer_bytes_a_mesh": mean(
            peer_bytes(path, share, work) for path in spread(list(paths), min(PEERS, len(paths)))
        ),
        "decode_first_seconds": first,
        "decode_seconds": each,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of meshes")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--distances", type=float, nargs="+", default=DISTANCES)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the files of the peer")
    options = parsed(parser)
    kept = KeptRows(options.out, command([options.folder]), {"set": options.folder.name})
    for count in options.counts:
        for distance in options.distances:
            found = families(options.folder)
            paths = spread(found[0], min(count, len(found[0]))) if count else [path for one in found for path in one]
            kept.add(f"{count} at {distance:g}", lambda p=paths, d=distance: packed(p, d, options.cache))
            print(kept.rows[f"{count} at {distance:g}"], flush=True)


if __name__ == "__main__":
    main()
