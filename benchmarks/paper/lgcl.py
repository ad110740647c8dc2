"""Tables 2, 3 and 4 of the LGCL paper and the failures of its Figure 4, on registered meshes.

python benchmarks/paper/lgcl.py sets/humans --small --out benchmarks/results/lgcl.json
python benchmarks/paper/lgcl.py sets/humans --device cuda --out benchmarks/results/lgcl.json

Networks are trained on nine tenths of the meshes; the others get codes with the network frozen, and are measured from
their bytes. Lengths are in per cent of the longest side of a mesh's bounding box. --small is for two cores: 256 key
points, perceptrons of 128 nodes and few points a visit; otherwise sizes and training are the published ones. The
command goes on where it was interrupted, row by row.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import mean

import numpy as np

from meshset.codecs.latent_sdf.bitstream import read_payload, read_shared
from meshset.codecs.latent_sdf.codec import DeepSdfCodec, LatentCodec, Sdf4Codec, Sdf8Codec
from meshset.codecs.latent_sdf.perceptrons import DeepSdf, SoftplusSdf
from meshset.codecs.latent_sdf.recipe import PUBLISHED, Recipe
from meshset.codecs.lgcl.codec import LgclCodec
from meshset.codecs.protocol import CodedMesh, Settings
from meshset.coding import encode, fit
from meshset.evaluation import cloud_distances, distance_statistics, vertex_distances
from meshset.geometry import Mesh
from meshset.progress import advance, stage
from meshset.progress.bars import showing_progress
from meshset.vocabulary import LONGEST_SIDE

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import KeptRows, Row, command
from benchmarks.common.meshes import manifest, normalised
from benchmarks.common.options import parsed

HELD_OUT = 0.1

SMALL = Recipe(epochs=300, points=512, batch=6, rate=1e-3, latent_rate=4e-3, samples=50_000)
"""The published epochs, but of fewer points and at faster rates."""

THRESHOLDS = tuple(millimetres / 1800 for millimetres in (5, 10, 20))
"""Of Table 3, as shares of the height of a body of 1.80 m."""

PER_CENT = 100 / LONGEST_SIDE


def rows(small: bool) -> dict[str, LatentCodec]:
    """Return the systems: the rows of Tables 2 and 3, those that Table 4 adds, and Figure 4's ablations."""
    deepsdf = DeepSdf() if small else DeepSdf(256, 8, 512)
    sdf_8 = SoftplusSdf() if small else SoftplusSdf(256, 7, 512)
    keys = LgclCodec().key_points if small else None
    lgcl = {
        f"lgcl-{convolution}, lambda_sim {similarity:g}": LgclCodec(
            key_points=keys, convolution=convolution, similarity=similarity
        )
        for similarity in (1.0, 0.1, 10.0)
        for convolution in ("vc", "cheb")
    }
    return {
        "deepsdf": DeepSdfCodec(network=deepsdf),
        "sdf-8": Sdf8Codec(network=sdf_8),
        "sdf-4": Sdf4Codec(),
        **lgcl,
        "lgcl-vc, no L_sim": LgclCodec(key_points=keys, convolution="vc", similarity=0.0),
        "lgcl-vc, one code": LgclCodec(key_points=keys, convolution="vc", similarity=0.0, one_code=True),
    }


def registered(folder: Path, count: int, seed: int) -> list[Path]:
    """Return `count` meshes at random of the largest group with equal numbers of vertices and faces."""
    found = manifest(folder)
    ((size, _),) = Counter((row["n_vertices"], row["n_faces"]) for row in found).most_common(1)
    paths = [folder / row["file"] for row in found if (row["n_vertices"], row["n_faces"]) == size]
    return [paths[i] for i in np.random.default_rng(seed).permutation(len(paths))[:count]]


def measured(codec: LatentCodec, trained: Sequence[Mesh], held_out: Sequence[Mesh], settings: Settings) -> Row:
    """Train, estimate the codes of what was held out, and measure that from its bytes."""
    with showing_progress():
        start = time.perf_counter()
        coded = codec.compress(trained, settings)
        trained_in = time.perf_counter() - start
        added = codec.add(held_out, coded.shared, settings)
        added_in = time.perf_counter() - start - trained_in
        part = read_shared(coded.shared, codec.kind)
        payloads = [one.payload for one in (*coded.meshes, *added) if isinstance(one, CodedMesh)]
        refused = [one.reason for one in (*coded.meshes, *added) if not isinstance(one, CodedMesh)]
        decoder = codec.open(coded.shared, None if settings.device == "cpu" else settings.device)
        stage("measuring", len(held_out))
        distances, clouds, empty = [], [], 0
        for original, one in zip(held_out, added, strict=True):
            decoded = decoder.decode(one.payload) if isinstance(one, CodedMesh) else None
            if decoded is None or not len(decoded.faces):
                empty += 1
            else:
                distances.append(PER_CENT * vertex_distances(original, decoded))
                clouds.append(cloud_distances(original, decoded))
            advance()
    keys = [read_payload(payload, part).keys for payload in payloads]
    return {
        "parameters": part.network.parameters,
        "latent_numbers": part.network.latent_size,
        "network_bytes": len(coded.shared),
        "payload_bytes": mean(map(len, payloads)),
        "of_them_key_points": mean(len(encode([(own, fit(own))])) if own.size else 0 for own in keys),
        "loss": coded.report["loss"],
        "training_seconds": trained_in,
        "estimation_seconds": added_in,
        "refused": refused,
        "held_out_without_surface": empty,
        **(errors(distances, clouds) if clouds else {}),
    }


def errors(distances: Sequence[np.ndarray], clouds: Sequence[object]) -> Row:
    """Return the columns of Tables 2 to 4, in per cent."""
    figures = [asdict(one) for one in clouds]  # type: ignore[call-overload]
    found = asdict(distance_statistics(np.concatenate(distances), [100 * share for share in THRESHOLDS]))
    above = found.pop("above")
    return {
        "cd": PER_CENT * mean(one["chamfer"] for one in figures),
        "cd_squared": PER_CENT**2 * mean(one["chamfer_squared"] for one in figures),
        "hd": PER_CENT * mean(one["hausdorff"] for one in figures),
        **{f"ed_{name}": value for name, value in found.items()},
        **{f"ed_above_{mm}_mm": share for mm, share in zip((5, 10, 20), above, strict=True)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of registered meshes")
    parser.add_argument("--small", action="store_true", help="sizes for two cores")
    parser.add_argument("--count", type=int, default=100, help="meshes, a tenth of which is held out")
    parser.add_argument("--rows", nargs="+", help="rows of the tables; all if not given")
    parser.add_argument("--epochs", type=int, help="in place of those of the size")
    parser.add_argument("--resolution", type=int, help="64 for --small, else 128")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    options = parsed(parser)
    known = rows(options.small)
    if unknown := set(options.rows or ()) - set(known):
        raise SystemExit(f"no such row: {', '.join(sorted(unknown))}; there are {'; '.join(known)}")
    recipe = SMALL if options.small else PUBLISHED
    recipe = replace(recipe, epochs=options.epochs or recipe.epochs)
    resolution = options.resolution or (64 if options.small else 128)
    settings = Settings(resolution=resolution, device=options.device, seed=options.seed)
    paths = registered(options.folder, options.count, options.seed)
    kept_back = max(1, round(HELD_OUT * len(paths)))
    meshes = [normalised(path) for path in paths]
    described = {
        "size": "small" if options.small else "published",
        "trained": [path.stem for path in paths[kept_back:]],
        "held_out": [path.stem for path in paths[:kept_back]],
        "resolution": resolution,
        "recipe": asdict(recipe),
        "unit": "per cent of the longest side of the bounding box",
    }
    kept = KeptRows(options.out, command([options.folder]), described)
    for name in options.rows or known:
        codec = replace(known[name], recipe=recipe)
        kept.add(name, lambda codec=codec: measured(codec, meshes[kept_back:], meshes[:kept_back], settings))
    for name, row in kept.rows.items():
        print(name, {key: round(value, 4) for key, value in row.items() if isinstance(value, float)})


if __name__ == "__main__":
    main()
