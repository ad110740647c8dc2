"""Sets under a bound on the error: on which rung each mesh stands, and whether all of them keep the bound.

python benchmarks/quality/bounded.py sets/humans sets/animals sets/things sets/mixed \
    --out benchmarks/results/bounded.json

The errors are measured anew, on ten times as many points as the archive was made with. The command goes on where it was
interrupted.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from meshset.archive import ArchiveReader
from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.necgs.recipe import Recipe, recipe_for
from meshset.codecs.protocol import Settings
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh, Placement, read_mesh
from meshset.pipeline.compress import compress
from meshset.pipeline.open import open_archive
from meshset.pipeline.steps.remarks import rung_label
from meshset.progress import advance, stage
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import KeptRows, Row, command
from benchmarks.common.meshes import members
from benchmarks.common.options import parsed

SAMPLES = 200_000


def measured(paths: Sequence[Path], bound: float, recipe: Recipe, settings: Settings) -> Row:
    """Return how many meshes and bytes are on each rung, and the worst error as a share of the diagonal."""
    with TemporaryDirectory() as folder, showing_progress():
        archive = Path(folder) / "set.mset"
        result = compress(paths, archive, **vars(settings), codec=NecgsCodec(recipe), max_error=bound)
        with ArchiveReader(archive) as reader:
            shared = sum(part.length for part in reader.shared)
        stage("measuring", len(result.entries))
        errors, by_name = {}, {path.stem: path for path in paths}
        with open_archive(archive) as opened:
            for entry in result.entries:
                errors[entry.name] = error_of(by_name[entry.name], opened[entry.name])
                advance()
    counts = Counter(rung_label(entry) for entry in result.entries)
    sizes: Counter[str | None] = Counter()
    for entry in result.entries:
        sizes[rung_label(entry)] += entry.length
    return {
        "meshes": len(paths),
        "failures": len(result.failures),
        "on_rung": dict(counts),
        "bytes_on_rung": dict(sizes),
        "decoder_bytes": shared,
        "archive_bytes": result.archive_bytes,
        "obj_bytes": result.source_bytes,
        "within": sum(error <= bound for error in errors.values()),
        "worst_error": max(errors.values()),
        "mean_error": sum(errors.values()) / len(errors),
        "coding_seconds": result.coding_seconds,
    }


def error_of(path: Path, decoded: Mesh) -> float:
    """Return the mean symmetric surface distance of a decoded mesh in world units over the original's diagonal."""
    original = read_mesh(path).mesh
    placement = Placement.of(original)
    mesh = placement.normalise(original)
    diagonal = math.dist(mesh.vertices.min(axis=0), mesh.vertices.max(axis=0))
    return surface_distance(mesh, placement.normalise(decoded), SAMPLES)[0] / diagonal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", help="folders of meshes")
    parser.add_argument("--count", type=int, default=24, help="meshes of each: the clean ones with the most faces")
    parser.add_argument("--max-error", type=float, default=0.2, help="in per cent of the bounding box's diagonal")
    parser.add_argument("--epochs", type=int, default=120, help="visits of each mesh")
    parser.add_argument("--resolution", type=int, default=64)
    options = parsed(parser)
    settings = Settings(resolution=options.resolution, preset="fast")
    recipe = replace(recipe_for(settings), visits=0, epochs=options.epochs)
    described = {key: getattr(options, key) for key in ("count", "max_error", "epochs", "resolution")}
    kept = KeptRows(options.out, command(options.sets), described)
    for folder in options.sets:
        paths = members(folder, options.count)
        kept.add(folder.name, lambda paths=paths: measured(paths, options.max_error / 100, recipe, settings))
        print(kept.rows[folder.name])


if __name__ == "__main__":
    main()
