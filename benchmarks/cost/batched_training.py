"""Many small networks trained together against one at a time: seconds a step and mesh, in one run.

python benchmarks/cost/batched_training.py sets/things sets/classics --count 16 \
    --out benchmarks/results/batched_training.json

Samples are made before. The same steps are timed with all meshes in one batch and mesh by mesh, in turns, and the
shortest time of each counts.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from meshset.codecs.common.samples import Samples, samples_of
from meshset.codecs.implicit.network import FieldNetwork
from meshset.codecs.implicit.perceptrons import NeuralImplicit, Siren
from meshset.codecs.implicit.recipe import Recipe
from meshset.codecs.implicit.training import train
from meshset.codecs.protocol import Settings

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.common.meshes import largest_clean, normalised
from benchmarks.common.options import parsed

NETWORKS: dict[str, FieldNetwork] = {"ni": NeuralImplicit(), "siren": Siren()}
BATCHES = (256, 1024)
TRAINING_SAMPLES = 20_000


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speed_up(network: FieldNetwork, samples: list[Samples], recipe: Recipe, repeats: int) -> dict[str, float]:
    """Return seconds of a mesh in a step, batched and one at a time, and how many times as fast the batch is."""

    def run(chosen: list[Samples]) -> None:
        train(network, [{}] * len(chosen), chosen, recipe, 8, Settings())

    together, alone = [], []
    for _ in range(repeats):
        together.append(timed(lambda: run(samples)))
        alone.append(timed(lambda: [run([one]) for one in samples]))
    each = recipe.steps * len(samples)
    return {
        "batched_seconds": min(together) / each,
        "one_at_a_time_seconds": min(alone) / each,
        "speed_up": min(alone) / min(together),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", help="folders of meshes")
    parser.add_argument("--count", type=int, default=16, help="meshes of each: the clean ones with the most faces")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    options = parsed(parser, threads=2)
    paths = [path for folder in options.sets for path in largest_clean(folder, options.count)]
    samples = [samples_of(normalised(path), TRAINING_SAMPLES, 64, 0) for path in paths]
    rows = {}
    for name, network in NETWORKS.items():
        for batch in BATCHES:
            recipe = Recipe(steps=options.steps, samples=TRAINING_SAMPLES, batch=batch)
            rows[f"{name}, {batch} samples"] = speed_up(network, samples, recipe, options.repeats)
            print(name, batch, rows[f"{name}, {batch} samples"])
    described = {"meshes": [path.stem for path in paths], "steps": options.steps, "threads": options.threads}
    write_json(options.out, command(options.sets), {**described, "rows": rows})


if __name__ == "__main__":
    main()
