"""How the cost of a set grows with its meshes: decoder and latents apart, beside Draco after simplification.

python benchmarks/cost/set_growth.py sets/humans --counts 24 96 200 --out benchmarks/results/growth_humans.json

Smaller sets are the beginning of larger ones, in an order drawn at random, so all hold the same mixture. Draco codes
each mesh by itself, so its bytes a mesh come from the largest set for all; at the distance of codec necgs they
are read off the lower envelope of its settings, log bytes over log distance. The command goes on where it was
interrupted.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import numpy as np

from meshset.archive import ArchiveReader
from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.necgs.recipe import recipe_for
from meshset.codecs.peers.draco import DracoCodec
from meshset.codecs.protocol import SetCodec, Settings
from meshset.evaluation.curves import Point, lower_envelope
from meshset.pipeline.compress import compress
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import KeptRows, Row, command
from benchmarks.common.meshes import clean
from benchmarks.common.options import parsed

DRACO = (
    *((kept, bits) for kept in (0.1, 0.05, 0.025, 0.0125) for bits in (7, 8)),
    *((0.1, 9), (0.25, 8), (0.25, 9)),
)
"""Shares of the faces that are kept, and bits."""


def clean_in_random_order(folder: Path, seed: int) -> list[Path]:
    """Return all meshes without defects, in an order that only the seed decides."""
    rows = clean(folder)
    return [folder / rows[i]["file"] for i in np.random.default_rng(seed).permutation(len(rows))]


def measured(paths: Sequence[Path], codec: SetCodec, settings: Settings) -> Row:
    """Return bytes of an archive, where they go, and the errors that it states, which are of its final bytes."""
    with TemporaryDirectory() as folder, showing_progress():
        archive = Path(folder) / "set.mset"
        result = compress(paths, archive, **vars(settings), codec=codec)
        with ArchiveReader(archive) as reader:
            shared = sum(part.length for part in reader.shared)
        if result.failures:
            print("\n".join(map(str, result.failures)))
    distances = [entry.mean_distance for entry in result.entries if entry.mean_distance is not None]
    payloads = sum(entry.length for entry in result.entries)
    return {
        "meshes": len(result.entries),
        "failures": len(result.failures),
        "obj_bytes": result.source_bytes,
        "archive_bytes": result.archive_bytes,
        "decoder_bytes": shared,
        "payload_bytes": payloads,
        "index_bytes": result.archive_bytes - shared - payloads,
        "mean_distance": mean(distances),
        "worst_mean_distance": max(distances),
        "mean_error_of_diagonal": mean(error for entry in result.entries if (error := entry.mean_error_of_diagonal)),
        "seconds": result.coding_seconds,
    }


def bytes_at(envelope: Sequence[Point], distance: float) -> float | None:
    """Return the size at which an envelope reaches a distance, None outside of it."""
    points = sorted(envelope, key=lambda point: point.distortion)
    distances = [math.log(point.distortion) for point in points]
    if not distances[0] <= math.log(distance) <= distances[-1]:
        return None
    return math.exp(float(np.interp(math.log(distance), distances, [math.log(point.size) for point in points])))


def beside_draco(necgs: Row, envelope: Sequence[Point], others: float) -> Row:
    """Return the row with what Draco takes at its distance, and the number of meshes from which the set is smaller.

    Args:
        necgs: row of the set.
        envelope: of Draco, bytes a mesh with what the archive stores about it.
        others: bytes of an archive about each mesh.
    """
    draco = bytes_at(envelope, necgs["mean_distance"])
    each = necgs["payload_bytes"] / necgs["meshes"] + others
    if draco is None:
        return {**necgs, "draco_bytes_a_mesh": None}
    return {
        **necgs,
        "draco_bytes_a_mesh": draco,
        "bytes_over_draco": necgs["archive_bytes"] / (draco * necgs["meshes"]),
        "smaller_from": necgs["decoder_bytes"] / (draco - each) if draco > each else None,
        "limit_over_draco": each / draco,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of meshes")
    parser.add_argument("--counts", type=int, nargs="+", default=[24, 96, 200])
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--rate", type=float, default=1.0, help="as of meshset compress")
    parser.add_argument("--resolution", type=int, default=64)
    options = parsed(parser)
    settings = Settings(resolution=options.resolution, preset=options.preset)
    recipe = recipe_for(settings)
    paths = clean_in_random_order(options.folder, seed=0)
    counts = sorted({min(count, len(paths)) for count in options.counts})
    described = {
        "set": options.folder.name,
        "resolution": options.resolution,
        "preset": options.preset,
        "rate": options.rate,
        "counts": counts,
    }
    kept = KeptRows(options.out, command([options.folder]), described)
    codec = NecgsCodec(replace(recipe, rate_weight=recipe.rate_weight / options.rate))
    draco = [DracoCodec(bits, share) for share, bits in DRACO]
    for one in draco:
        name = f"draco-simplified, {one.kept:g} of the faces, {one.quantisation} bits"
        kept.add(name, lambda one=one: measured(paths[: counts[-1]], one, settings))
    rows = [row for name, row in kept.rows.items() if name.startswith("draco")]
    envelope = lower_envelope(Point(row["archive_bytes"] / row["meshes"], row["mean_distance"]) for row in rows)
    others = mean(row["index_bytes"] / row["meshes"] for row in rows)
    for count in counts:
        name = f"necgs, {count} meshes"
        kept.add(name, lambda count=count: beside_draco(measured(paths[:count], codec, settings), envelope, others))
        print(name, kept.rows[name])


if __name__ == "__main__":
    main()
