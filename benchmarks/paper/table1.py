"""Table 1 of the paper: how long it takes to compress a set and to decompress a mesh, all codecs in one run.

python benchmarks/paper/table1.py sets/animals --out benchmarks/results/table1.json

Compression is the codec's own time, fields included: each codec starts with an empty cache of fields. With
--paper-epochs, codec necgs-paper trains that many epochs only, its compression time is extrapolated to the full length
from the seconds a step, its ratio and error mean nothing and are left out; all of that is marked in the JSON.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from meshset.bench.machine import describe_machine
from meshset.bench.selection import Selection, choose_from_folder
from meshset.codecs.common.presets import epochs_for
from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.necgs_paper.codec import NecgsPaperCodec
from meshset.codecs.necgs_paper.recipe import training_recipe
from meshset.codecs.peers.draco import DracoCodec
from meshset.codecs.peers.ply import PlyZstdCodec
from meshset.codecs.protocol import SetCodec, Settings
from meshset.pipeline.compress import compress
from meshset.pipeline.open import open_archive
from meshset.progress import Silent

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, set_figures, write_json

REPEATS = 3
"""Each mesh is decoded so often, and the shortest time counts."""

QUALITY = ("ratio", "archive_bytes", "mean_distance", "cd", "nc", "f1_005", "f1_01")

Row = dict[str, Any]


@dataclass
class StepClock(Silent):
    """Notes when the steps of training end, to tell the seconds a step from everything else."""

    ends: list[float] = field(default_factory=list)
    training: bool = False

    def start(self, task: str, total: int) -> None:
        self.training = task == "training"

    def advance(self, steps: int = 1, status: str = "") -> None:
        if self.training:
            self.ends.append(time.perf_counter())

    @property
    def seconds_a_step(self) -> float:
        """Mean over all steps but the first, which warms up."""
        return (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)


def measured(codec: SetCodec, chosen: Selection, settings: Settings, clock: StepClock, quality: bool = True) -> Row:
    """Return times of one codec on the set, with `quality` also ratio and metrics."""
    with TemporaryDirectory() as folder, patch.dict(os.environ, {"MESHSET_CACHE": f"{folder}/cache"}):
        archive = Path(folder) / "set.mset"
        result = compress(chosen.sources, archive, **vars(settings), codec=codec, progress=clock)
        row: Row = {"compress_seconds": result.coding_seconds, **decoding(archive, None)}
        if settings.device.startswith("cuda") and isinstance(codec, (NecgsCodec, NecgsPaperCodec)):
            row |= {f"{key}_on_device": value for key, value in decoding(archive, settings.device).items()}
        row["failures"] = [str(failure) for failure in result.failures]
        if not quality:
            return row
        figures = set_figures(archive, chosen.sources)
        return row | {key: figures[key] for key in QUALITY}


def decoding(archive: Path, device: str | None) -> Row:
    """Return the mean time to decode a mesh of an open archive, by numpy or on a torch device."""
    with open_archive(archive, device) as meshes:
        return {"decompress_seconds_a_mesh": mean(shortest(meshes, name) for name in meshes)}


def shortest(meshes: Any, name: str) -> float:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        _ = meshes[name]
        times.append(time.perf_counter() - started)
    return min(times)


def paper_row(chosen: Selection, settings: Settings, engine: str, short: int | None) -> Row:
    """Return the row of codec necgs-paper, at full length or extrapolated from `short` epochs."""
    count, clock = len(chosen.sources), StepClock()
    full = epochs_for(settings, count)
    epochs = min(full, short or full)
    row = measured(NecgsPaperCodec(engine=engine, epochs=epochs), chosen, settings, clock, quality=epochs == full)
    row |= {"steps": len(clock.ends), "seconds_a_step": clock.seconds_a_step}
    if epochs == full:
        return row
    full_steps = -(-full * count // training_recipe(full, count).batch)
    left = (full_steps - len(clock.ends)) * clock.seconds_a_step
    return row | {
        "compress_seconds": row["compress_seconds"] + left,
        "measured_compress_seconds": row["compress_seconds"],
        "full_steps": full_steps,
        "extrapolated": True,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, help="a folder of meshes")
    parser.add_argument("--count", type=int, default=8, help="meshes of it, chosen as meshset bench does")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--paper-epochs", type=int, help="epochs of necgs-paper; all if not given")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    chosen = choose_from_folder(options.set, options.count, options.seed)
    settings = Settings(options.resolution, preset=options.preset, device=options.device, seed=options.seed)
    rows = {
        "necgs": measured(NecgsCodec(), chosen, settings, StepClock()),
        "necgs-paper": paper_row(chosen, settings, "dense", options.paper_epochs),
        "necgs-paper, bfloat16": paper_row(chosen, settings, "dense-mixed", options.paper_epochs),
        "draco": measured(DracoCodec(), chosen, settings, StepClock()),
        "draco-simplified": measured(DracoCodec(9, 0.1), chosen, settings, StepClock()),
        "ply-zstd": measured(PlyZstdCodec(), chosen, settings, StepClock()),
    }
    for name, row in rows.items():
        print(name, {key: value for key, value in row.items() if key.endswith(("seconds", "mesh", "ratio"))})
    described = {"set": chosen.name, "rule": chosen.rule, "processor": describe_machine(options.device)}
    write_json(options.out, command([options.set]), {**described, "rows": rows})


if __name__ == "__main__":
    main()
