"""Table 1 of the key spheres paper: one network for each mesh, all systems in one run, every row from one archive.

python benchmarks/paper/implicit.py sets/things sets/classics --count 16 \
    --out benchmarks/results/implicit.json

Storage is given as the paper counts it (float32 numbers, in KB of 1024 bytes) and as bytes of the archive, index
included. DeepSDF, FFN and SIREN have about as many parameters as NI unless --paper-sizes gives them those of the paper,
which take a processor 35 to 240 times as long. All meshes of a system are trained together. Samples are made first, as
a row of their own, and are no part of the seconds of the others. The command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import torch

from meshset.archive import ArchiveReader
from meshset.codecs.common.samples import samples_of
from meshset.codecs.implicit.codec import (
    DeepSdfMeshCodec,
    FfnCodec,
    ImplicitCodec,
    ImplicitDecoder,
    NiCodec,
    SirenCodec,
)
from meshset.codecs.implicit.key_spheres import KeySpheres, KeySpheresCodec
from meshset.codecs.implicit.nglod import Nglod, NglodCodec
from meshset.codecs.implicit.perceptrons import DeepSdf, FourierFeatures, Siren
from meshset.codecs.implicit.recipe import Recipe, recipe_for
from meshset.codecs.peers.qecd import QecdCodec
from meshset.codecs.protocol import SetCodec, Settings
from meshset.evaluation import compare, importance_error, signed_distance, surface_error, volume_iou
from meshset.geometry import Mesh
from meshset.geometry.orientation import face_outward
from meshset.pipeline.compress import compress
from meshset.progress import advance, stage
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import KeptRows, Row, command
from benchmarks.common.meshes import largest_clean, normalised
from benchmarks.common.networks import add_options, in_rows

MEANS = ("giou", "cd", "mean_distance", "max_distance", "surface_error", "importance_error")


def systems(paper_sizes: bool) -> dict[str, SetCodec]:
    """Return the rows of the table; the paper's own rows of key spheres have the latent branch."""
    large: dict[str, SetCodec] = {
        "deepsdf-mesh, paper's size": DeepSdfMeshCodec(DeepSdf(8, 512)),
        "ffn, paper's size": FfnCodec(FourierFeatures(256, 7, 256)),
        "siren, paper's size": SirenCodec(Siren(5, 256)),
    }
    small: dict[str, SetCodec] = {
        "deepsdf-mesh": DeepSdfMeshCodec(),
        "ffn": FfnCodec(),
        "siren": SirenCodec(),
        "ni": NiCodec(),
        "qecd": QecdCodec(),
        **{f"nglod, level {level}": NglodCodec(Nglod(level)) for level in (1, 2, 3, 5)},
        "key-spheres, 128, direct": KeySpheresCodec(KeySpheres(128)),
        **{f"key-spheres, {count}": KeySpheresCodec(KeySpheres(count, latent=1)) for count in (32, 128, 512)},
        "key-spheres, 512, 64 nodes": KeySpheresCodec(KeySpheres(512, width=64, latent=1)),
    }
    return small | large if paper_sizes else small


def measured(codec: SetCodec, originals: Mapping[Path, Mesh], recipe: Recipe, settings: Settings, samples: int) -> Row:
    """Return the row of one system: an archive of all meshes is made, and each mesh is measured from its bytes."""
    if isinstance(codec, ImplicitCodec):
        codec = replace(codec, recipe=recipe)
    with TemporaryDirectory() as folder, showing_progress():
        archive = Path(folder) / "set.mset"
        result = compress(originals, archive, **vars(settings), codec=codec)
        by_name = {path.stem: mesh for path, mesh in originals.items()}
        with ArchiveReader(archive) as reader:
            decoder = codec.open(reader.read_shared(0) if reader.shared else b"")
            meshes = {}
            stage("measuring", len(reader.entries))
            for name in reader.entries:
                payload, original = reader.read_payload(name), by_name[Path(name).stem]
                decoded = decoder.decode(payload)
                networks = isinstance(decoder, ImplicitDecoder)
                distance = in_rows(decoder.distance(payload)) if networks else signed_distance(decoded)
                metrics = compare(original, decoded, samples)
                meshes[name] = {
                    "giou": volume_iou(original, decoded, samples),
                    "cd": metrics.cd,
                    "mean_distance": metrics.mean_distance,
                    "max_distance": metrics.max_distance,
                    "surface_error": surface_error(original, distance, samples),
                    "importance_error": importance_error(original, distance, samples),
                    "bytes": len(payload),
                }
                advance()
            report = reader.settings.get("report", {})
    return {
        "float32_kilobytes": float32_bytes(codec, report) / 1024,
        "archive_bytes_a_mesh": result.archive_bytes / len(meshes),
        "seconds_a_mesh": result.coding_seconds / len(originals),
        **{name: mean(row[name] for row in meshes.values()) for name in MEANS},
        "failures": [str(failure) for failure in result.failures],
        "per_mesh": meshes,
    }


def sampled(paths: Sequence[Path], recipe: Recipe, settings: Settings) -> Row:
    """Make the samples that all systems share, which the cache keeps, and return how long that takes."""
    start = time.perf_counter()
    for path in paths:
        samples_of(normalised(path), recipe.samples, settings.resolution, settings.seed)
    return {"seconds_a_mesh": (time.perf_counter() - start) / len(paths)}


def float32_bytes(codec: SetCodec, report: Row) -> float:
    """Return the bytes of a mesh as the paper counts them."""
    return 4.0 * codec.budget if isinstance(codec, QecdCodec) else float(report["float32_bytes"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--systems", nargs="+", help="rows of the table; all if not given")
    parser.add_argument("--paper-sizes", action="store_true", help="DeepSDF, FFN and SIREN of the paper's sizes, too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    known = systems(options.paper_sizes)
    unknown = set(options.systems or ()) - set(known)
    if unknown:
        raise SystemExit(f"no such system: {', '.join(unknown)}; there are {'; '.join(known)}")
    settings = Settings(resolution=options.resolution, preset=options.preset)
    recipe = recipe_for(settings)
    recipe = replace(recipe, steps=options.steps or recipe.steps)
    paths = [path for folder in options.sets for path in largest_clean(folder, options.count)]
    originals = {path: face_outward(normalised(path))[0] for path in paths}
    described = {
        "meshes": [path.stem for path in paths],
        "resolution": options.resolution,
        "steps": recipe.steps,
        "batch": recipe.batch,
        "training_samples": recipe.samples,
        "samples": options.samples,
        "threads": options.threads,
    }
    kept = KeptRows(options.out, command(options.sets), described)
    kept.add("samples", lambda: sampled(paths, recipe, settings))
    for name in options.systems or known:
        kept.add(name, lambda name=name: measured(known[name], originals, recipe, settings, options.samples))
    for name, row in kept.rows.items():
        print(name, {key: round(value, 5) for key, value in row.items() if isinstance(value, float)})


if __name__ == "__main__":
    main()
