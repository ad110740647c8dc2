"""Decodes mutants of control meshes and of groups of meshes straight from their bytes, without an archive around them.

An archive's checksums keep random damage from a decoder; here nothing does. Golden payloads, and for groups the shared
part, too, are mutated; each mutant must decode to a sound mesh or raise ArchiveError. Case N of a seed is always the
same mutant. Stops at the first that does neither, or that takes more than five seconds of processor time.

python robustness/payloads.py --cases 1000000 --out robustness/results/payloads.json
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from meshset.codecs.control_mesh.codec import ControlMeshDecoder
from meshset.codecs.mesh_group.decoding import GroupDecoder
from meshset.errors import ArchiveError
from meshset.geometry import Mesh
from meshset.progress import advance, stage
from meshset.progress.bars import showing_progress
from meshset.workers import each_in_processes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.figures import command, write_json
from robustness.mutations import mutated

SECONDS, SLICE = 5.0, 1_000
DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
Decode = Callable[[], Mesh]


def control_mesh(rng: random.Random) -> Decode:
    """Return the decoding of a mutant of a control mesh."""
    golden = (DATA / "control_mesh" / "golden.bin").read_bytes()
    payload = mutated(rng, golden, [golden])
    return lambda: ControlMeshDecoder().decode(payload)


def mesh_group(rng: random.Random) -> Decode:
    """Return the decoding of a member of which the payload, or else the shared part, is a mutant."""
    shared = (DATA / "mesh_group" / "shared.bin").read_bytes()
    payloads = [bytes.fromhex(line.split()[0]) for line in (DATA / "mesh_group" / "payloads.txt").open()]
    payload = rng.choice(payloads)
    if rng.random() < 0.5:
        payload = mutated(rng, payload, payloads)
    else:
        shared = mutated(rng, shared, payloads)
    return lambda: GroupDecoder(shared).decode(payload)


CODECS: dict[str, Callable[[random.Random], Decode]] = {"control-mesh": control_mesh, "mesh-group": mesh_group}


def outcome(decode: Decode) -> str:
    """Return "refused" or "read". Raises AssertionError for a mesh that is not sound."""
    try:
        mesh = decode()
    except ArchiveError:
        return "refused"
    assert np.isfinite(mesh.vertices).all(), "a vertex is not finite"
    assert len(mesh.faces), "no faces"
    assert 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.vertices), "a face names no vertex"
    return "read"


def decoded(start: int, name: str, seed: int, cases: int) -> tuple[Counter[str], float]:
    """Decode mutants from one number on; return how many were refused and read, and the seconds of the slowest.

    Raises RuntimeError for the first that is a fault.
    """
    counts: Counter[str] = Counter()
    slowest = 0.0
    for case in range(start, min(start + SLICE, cases)):
        decode = CODECS[name](random.Random(f"{name} {seed} {case}"))
        began = time.process_time()
        try:
            counts[outcome(decode)] += 1
        except Exception as error:
            raise RuntimeError(f"{name}, case {case}: {type(error).__name__}: {error}") from error
        slowest = max(slowest, time.process_time() - began)
        if slowest > SECONDS:
            raise RuntimeError(f"{name}, case {case}: takes {slowest:.1f} s")
    return counts, slowest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    figures = {}
    with showing_progress():
        for name in CODECS:
            starts = range(0, options.cases, SLICE)
            stage(name, len(starts))
            counts: Counter[str] = Counter()
            slowest = 0.0
            for some, seconds in each_in_processes(
                partial(decoded, name=name, seed=options.seed, cases=options.cases), starts
            ):
                counts += some
                slowest = max(slowest, seconds)
                advance()
            figures[name] = {"cases": options.cases, **counts, "slowest_seconds": slowest}
            write_json(options.out, command(), {"seed": options.seed, "codecs": figures})


if __name__ == "__main__":
    main()
