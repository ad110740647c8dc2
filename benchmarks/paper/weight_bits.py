"""Bits of a weight, with and without training on rounded weights: bytes and error of one network a mesh.

python benchmarks/paper/weight_bits.py sets/classics --count 2 --out benchmarks/results/weight_bits.json
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean

from meshset.codecs.implicit.codec import NiCodec
from meshset.codecs.implicit.recipe import recipe_for
from meshset.codecs.protocol import CodedMesh, Settings
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.common.meshes import largest_clean, normalised
from benchmarks.common.options import parsed

BITS = (5, 6, 8, 12)


def figures(codec: NiCodec, meshes: list[Mesh], settings: Settings) -> dict[str, float]:
    """Return bytes and mean surface distance of a mesh, means over all of them."""
    coded = codec.compress(meshes, settings)
    decoder = codec.open(coded.shared)
    payloads = [one.payload for one in coded.meshes if isinstance(one, CodedMesh)]
    if len(payloads) < len(meshes):
        raise SystemExit("a mesh was refused")
    pairs = zip(meshes, payloads, strict=True)
    distances = [surface_distance(mesh, decoder.decode(payload))[0] for mesh, payload in pairs]
    return {"bytes": mean(map(len, payloads)), "mean_distance": mean(distances)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="a folder of meshes")
    parser.add_argument("--count", type=int, default=2, help="meshes: the clean ones with the most faces")
    parser.add_argument("--steps", type=int, default=3000)
    options = parsed(parser)
    paths = largest_clean(options.set, options.count)
    meshes = [normalised(path) for path in paths]
    settings = Settings(preset="fast")
    recipe = replace(recipe_for(settings), steps=options.steps)
    rows = {}
    with showing_progress():
        for bits in BITS:
            for rounded in (0.0, recipe.rounded):
                codec = NiCodec(bits=bits, recipe=replace(recipe, rounded=rounded))
                rows[f"{bits} bits, {rounded:.0%} of the steps rounded"] = figures(codec, meshes, settings)
    described = {"meshes": [path.stem for path in paths], "steps": options.steps, "batch": recipe.batch}
    write_json(options.out, command([options.set]), {**described, "rows": rows})


if __name__ == "__main__":
    main()
