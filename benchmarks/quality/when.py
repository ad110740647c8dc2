"""When to use what: bytes of sets of several sizes at equal error, and the time to decode a mesh, for several ways.

python benchmarks/quality/when.py sets/humans --out benchmarks/results/when.json

Sizes of necgs and of simplified Draco come from the committed figures of benchmarks/cost/set_growth.py, those of the
default from benchmarks/cost/default_growth.py. The error is what codec necgs reaches with each number of meshes; Draco
is read off the lower envelope of its settings there, as plain payloads with no index. zstd packs each file as it is.
Decoding is measured on the first 24 meshes in one run, from bytes in memory to arrays, the best of several passes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import trimesh
import zstandard

from meshset.codecs.peers.draco import DracoCodec, DracoDecoder
from meshset.codecs.protocol import Settings
from meshset.evaluation.curves import Point, lower_envelope
from meshset.pipeline.compress import compress
from meshset.pipeline.open import Archive
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import ROOT, Row, command, write_json
from benchmarks.common.options import parsed
from benchmarks.cost.set_growth import bytes_at, clean_in_random_order, measured

BITS = (5, 6, 7, 8, 9, 10)
DECODED, PASSES = 24, 5
SIMPLIFIED = DracoCodec(quantisation=8, kept=0.05)
PLAIN = DracoCodec(quantisation=8)
LEVEL = 19


def envelope(rows: Iterable[Row]) -> list[Point]:
    """Return the settings with the fewest bytes a mesh at each distance, payloads alone."""
    return lower_envelope(Point(row["payload_bytes"] / row["meshes"], row["mean_distance"]) for row in rows)


def milliseconds(decode: Callable[[], object], meshes: int) -> float:
    """Return the time of decoding a mesh in the best of several passes over all of them."""
    best = float("inf")
    for _ in range(PASSES):
        start = time.perf_counter()
        decode()
        best = min(best, time.perf_counter() - start)
    return 1e3 * best / meshes


def _unpacked(content: bytes) -> object:
    return trimesh.load(BytesIO(zstandard.decompress(content)), file_type="ply", process=False)


def decode_times(paths: Sequence[Path], settings: Settings) -> dict[str, float]:
    """Return milliseconds a mesh for each way, all of this run."""
    packed = [zstandard.compress(path.read_bytes(), LEVEL) for path in paths]
    times = {"zstd": milliseconds(lambda: [_unpacked(one) for one in packed], len(paths))}
    with TemporaryDirectory() as folder, showing_progress():
        archive = Path(folder) / "set.mset"
        for name, codec in (("draco", PLAIN), ("draco-simplified", SIMPLIFIED)):
            compress(paths, archive, codec=codec, force=True)
            with Archive(archive) as opened:
                payloads = [opened.reader.read_payload(name) for name in opened]
            decoder = DracoDecoder()
            times[name] = milliseconds(lambda p=payloads, d=decoder: [d.decode(one) for one in p], len(payloads))
        for name in ("auto", "necgs"):
            compress(paths, archive, **vars(settings), codec=name, force=True)
            with Archive(archive) as opened:
                times[name] = milliseconds(lambda opened=opened: [opened[one] for one in opened], len(opened))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the set of the growth figures")
    options = parsed(parser)
    growth = json.loads((ROOT / f"benchmarks/results/growth_{options.folder.name}.json").read_text())
    own = json.loads((ROOT / f"benchmarks/results/default_growth_{options.folder.name}.json").read_text())
    settings = Settings(resolution=growth["options"]["resolution"], preset=growth["options"]["preset"])
    paths = clean_in_random_order(options.folder, seed=0)[: growth["options"]["counts"][-1]]
    simplified = envelope(row for name, row in growth["rows"].items() if name.startswith("draco"))
    plain_rows = [measured(paths, DracoCodec(bits), settings) for bits in BITS]
    plain = envelope(plain_rows)
    of_diagonal = mean(row["mean_error_of_diagonal"] / row["mean_distance"] for row in plain_rows)
    packed = mean(len(zstandard.compress(path.read_bytes(), LEVEL)) for path in paths)
    sets = []
    for name, row in growth["rows"].items():
        if name.startswith("necgs"):
            meshes, distance = row["meshes"], row["mean_distance"]
            each = {
                "zstd": packed,
                "draco": bytes_at(plain, distance),
                "draco-simplified": bytes_at(simplified, distance),
                "necgs": row["archive_bytes"] / meshes,
            }
            sizes = {way: size and size * meshes for way, size in each.items()}
            sizes["auto"] = own["rows"][f"{meshes} meshes"]["archive_bytes"]
            sets.append({"meshes": meshes, "mean_error_of_diagonal": of_diagonal * distance, "bytes": sizes})
    figures = {
        "set": growth["options"]["set"],
        "growth_made_by": growth["made_by"],
        "default_growth_made_by": own["made_by"],
        "sets": sets,
        "decode_milliseconds": decode_times(paths[:DECODED], settings),
    }
    write_json(options.out, command([options.folder]), figures)


if __name__ == "__main__":
    main()
