"""A sequence of frames from an animated GLB file: bytes a frame, and the time of one frame by itself.

python benchmarks/quality/sequence.py sets/humans --cache groups.work --out benchmarks/results/sequence.json

The file is made here: the poses of one registered body of the set are its key frames, morph targets lead from one to
the next on straight lines. The bound is such that the mean over the frames is the distance, in 1e-3 of half the side of
the cube. Bytes are those of the archive, names and index included; the peer is as in benchmarks/quality/groups.py.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import meshset
from meshset.codecs.control_mesh.codec import diagonal
from meshset.codecs.control_mesh.fitting import Original
from meshset.geometry import Placement, read_frame, write_animation
from meshset.pipeline.compress import compress
from meshset.pipeline.summary import summarise
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import Row, command, write_json
from benchmarks.common.meshes import manifest, normalised
from benchmarks.common.options import parsed
from benchmarks.quality.groups import archived, smallest

BODY, POSES, PEERS = "body00", 8, 12


def packed(film: Path, frames: int, seconds: float, distance: float, work: Path) -> Row:
    """Return the figures of a sequence within a mean distance."""
    rate = (frames - 1) / seconds
    some = [read_frame(film, k * seconds / (PEERS - 1)).mesh for k in range(PEERS)]
    placed = [Placement.of(mesh).normalise(mesh) for mesh in some]
    share = distance / 1e3 / mean(map(diagonal, placed))
    archive = film.with_suffix(".mset")
    with showing_progress():
        result = compress(film, archive, frames=rate, max_error=share)
    with meshset.open(archive) as opened:
        start = time.perf_counter()
        opened[result.entries[len(result.entries) // 3].name]
        one = time.perf_counter() - start
    peers = [smallest(Original(mesh), share * diagonal(mesh), work) for mesh in placed]
    return {
        "frames": len(result.entries),
        "bound": share,
        **archived(result),
        "index_bytes": summarise(archive).index_bytes,
        "peer_bytes_a_frame": mean(peers),
        "one_frame_seconds": one,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of meshes")
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--distance", type=float, default=3.0)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the files of the peer")
    options = parsed(parser)
    rows = [row for row in manifest(options.folder) if row["file"].startswith(f"{BODY}_")]
    (faces, _), *_ = Counter(row["n_faces"] for row in rows).most_common(1)
    names = sorted(row["file"] for row in rows if row["n_faces"] == faces)[:POSES]
    with TemporaryDirectory() as folder:
        film = Path(folder) / "walk.glb"
        write_animation([normalised(options.folder / name) for name in names], film, (len(names) - 1) / options.seconds)
        row = packed(film, options.frames, options.seconds, options.distance, options.cache)
    write_json(options.out, command([options.folder]), {"poses": names, "sequence": row})
    print(row)


if __name__ == "__main__":
    main()
