"""Reads mutants of archives and of mesh files, and counts crashes, hangs and over-allocations.

Archives are opened and listed, every chunk is read, and every mesh is decoded whose bytes a mutation reached; mesh
files are read and checked as `compress` does it. What is refused must be refused with a MeshsetError. A case that takes
more than 5 s of processor time is a hang, one that takes more than 1 GiB of memory an over-allocation; every other
exception, a warning, a signal, and a mesh that breaks its promises are crashes. Case N of a seed is always the same
mutant, so a run goes on where its JSON file ends, and begins with the cases that failed before.

python robustness/fuzz.py --archives 1000000 --meshes 100000 --out robustness/results/fuzz.json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from ctypes import c_int64
from dataclasses import asdict
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import RawArray, RawValue
from pathlib import Path
from typing import Any

import numpy as np

import meshset
from meshset.archive.names import validate_name
from meshset.geometry import Mesh
from meshset.pipeline.steps.collect import Source
from meshset.pipeline.steps.failures import FailureLog
from meshset.pipeline.steps.prepare import MeshSpool, prepare_meshes
from meshset.pipeline.summary import list_meshes, summarise

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.figures import command, write_json
from robustness import archive_mutants, archive_seeds, mesh_mutants

SECONDS, MEMORY = 5, 1 << 30
SLICE = 20_000
RESULTS = ("refused", "read")
OUTCOMES = {
    "archives": [f"{kind}: {result}" for kind in archive_mutants.KINDS for result in (*RESULTS, "read in part")],
    "meshes": [f"{kind}: {result}" for kind in mesh_mutants.KINDS for result in RESULTS],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=int, default=1_000_000)
    parser.add_argument("--meshes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--found", type=Path, help="folder for mutants that failed", default=Path("found"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    before = json.loads(options.out.read_text()) if options.out.exists() else {"seed": options.seed}
    if before["seed"] != options.seed:
        raise SystemExit(f"{options.out} is a run with seed {before['seed']}")
    state: dict[str, Any] = {key: before[key] for key in ("seed", "archives", "meshes") if key in before}
    for kind, wanted in (("archives", options.archives), ("meshes", options.meshes)):
        figures = state.setdefault(kind, {"cases": 0, "outcomes": {}, "open": {}, "fixed": {}})
        run_again(kind, options.seed, figures, options.found)
        write_json(options.out, command(), state)
        while figures["cases"] < wanted:
            stop = min(figures["cases"] + SLICE, wanted)
            failures, outcomes = run_cases(kind, options.seed, range(figures["cases"], stop), options.found)
            figures["open"] |= failures
            for outcome, count in zip(OUTCOMES[kind], outcomes, strict=True):
                figures["outcomes"][outcome] = figures["outcomes"].get(outcome, 0) + count
            figures["cases"] = stop
            write_json(options.out, command(), state)
            print(f"{kind}: {stop} of {wanted}, {len(figures['open'])} failed", flush=True)


def run_again(kind: str, seed: int, figures: dict[str, Any], found: Path) -> None:
    """Read the cases that failed before, and note those that no longer do."""
    before = figures["open"]
    figures["open"], _ = run_cases(kind, seed, [int(case) for case in before], found)
    figures["fixed"] |= {case: reason for case, reason in before.items() if case not in figures["open"]}


def run_cases(kind: str, seed: int, cases: Sequence[int], found: Path) -> tuple[dict[str, str], list[int]]:
    """Read mutants in a process of their own, and in another one behind a case that it died of.

    Returns:
        The reason for each case that failed, and how often each of `OUTCOMES` occurred.
    """
    outcomes = RawArray(c_int64, len(OUTCOMES[kind]))
    failures: dict[str, str] = {}
    position = RawValue(c_int64, 0)
    while position.value < len(cases):
        receiver, sender = multiprocessing.Pipe(duplex=False)
        arguments = (kind, seed, cases, position, outcomes, sender)
        worker = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
        worker.start()
        sender.close()
        try:
            while True:
                case, reason = receiver.recv()
                failures[str(case)] = reason
        except EOFError:
            worker.join()
        if worker.exitcode and worker.exitcode < 0:
            name = signal.Signals(-worker.exitcode).name
            failures[str(cases[position.value])] = f"more than {SECONDS} s" if name == "SIGPROF" else name
            position.value += 1
        elif worker.exitcode:
            raise SystemExit(f"the worker ended with exit code {worker.exitcode}")
    for case, reason in failures.items():
        print(f"{kind} {case}: {reason}", flush=True)
    if failures:
        save(kind, seed, failures, found)
    return failures, list(outcomes)


def save(kind: str, seed: int, cases: Iterable[str], folder: Path) -> None:
    """Write the mutants of some cases as files."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = seeds_of(kind)
    for case in cases:
        mutant = mutant_of(kind, seed, int(case), seeds)
        (folder / f"{kind}-{seed}-{case}.{mutant.suffix}").write_bytes(mutant.data)


def work(kind: str, seed: int, cases: Sequence[int], position: Any, outcomes: Any, failures: Connection) -> None:
    """Read the mutants from `position` on; return early where memory was taken that a next case must not start with."""
    read: Callable[[Any, Path], str] = {"archives": read_archive, "meshes": read_file}[kind]
    seeds = seeds_of(kind)
    places = {outcome: place for place, outcome in enumerate(OUTCOMES[kind])}
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for sound in module_of(kind).unchanged(seeds):  # so that all is loaded
            assert read(sound, Path(folder)) == "read"
        limit_memory()
        warnings.simplefilter("error")  # they would reach the user's screen
        peak = peak_memory()
        while position.value < len(cases):
            case = cases[position.value]
            mutant = mutant_of(kind, seed, case, seeds)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)  # ends this process, wherever it is
            try:
                outcomes[places[f"{mutant.kind}: {read(mutant, Path(folder))}"]] += 1
            except BaseException as error:
                failures.send((case, described(error)))
            signal.setitimer(signal.ITIMER_PROF, 0)
            position.value += 1
            if peak_memory() > peak + MEMORY:
                failures.send((case, f"{(peak_memory() - peak) >> 20} MiB of memory"))
                return


def read_archive(mutant: archive_mutants.Mutant, folder: Path) -> str:
    path = folder / "mutant.mset"
    path.write_bytes(mutant.data)
    try:
        archive = meshset.open(path)
    except meshset.MeshsetError as error:
        check_line(error)
        return "refused"
    with archive:
        check_listing(path)
        whole = [read_mesh(archive, name, mutant.chunks) for name in archive]
        return "read" if all(whole) else "read in part"


def check_listing(path: Path) -> None:
    """Draw what `meshset list` and `meshset info` show; raise if a line could do harm on a terminal."""
    meshes, summary = list_meshes(path), summarise(path)
    for text in (str(meshes), str(summary)):
        assert all(line.isprintable() for line in text.split("\n")), text[:300]
    json.dumps([asdict(summary), *map(asdict, meshes)], allow_nan=False)


def read_mesh(archive: meshset.Archive, name: str, decoding: bool) -> bool:
    """Return whether a mesh can be read: its bytes, those of its decoder and, if `decoding`, itself."""
    validate_name(name)
    entry = archive.entries[name]
    try:
        assert len(archive.reader.read_payload(name)) == entry.length
        if entry.shared is not None:
            archive.reader.read_shared(entry.shared)
        if decoding:
            check_mesh(archive[name])
    except meshset.MeshsetError as error:
        check_line(error)
        return False
    return True


def read_file(mutant: mesh_mutants.Mutant, folder: Path) -> str:
    path = folder / f"mutant.{mutant.suffix}"
    path.write_bytes(mutant.data)
    log = FailureLog()
    with MeshSpool() as spool:
        prepared = prepare_meshes([Source("mutant", path)], spool, log)
        for failure in log.failures:
            check_line(failure)
        for mesh in prepared:
            check_mesh(mesh.load())
    return "read" if prepared else "refused"


def check_line(reason: object) -> None:
    """Raise unless a refusal is one line, and none for want of memory."""
    line = str(reason)
    if "not enough memory" in line:
        raise MemoryError
    assert line.isprintable(), line[:200]
    assert len(line) < 1000, line[:200]


def check_mesh(mesh: Mesh) -> None:
    """Raise unless a mesh can be used."""
    assert np.isfinite(mesh.vertices).all()
    assert len(mesh.faces)
    assert 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.vertices)


def seeds_of(kind: str) -> Any:
    return archive_seeds.seeds() if kind == "archives" else mesh_mutants.seeds()


def mutant_of(kind: str, seed: int, case: int, seeds: Any) -> Any:
    rng = random.Random(f"{kind} {seed} {case}")
    return module_of(kind).mutant(rng, seeds)


def module_of(kind: str) -> Any:
    return {"archives": archive_mutants, "meshes": mesh_mutants}[kind]


def limit_memory() -> None:
    """Let this process have `MEMORY` bytes beyond those that it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def peak_memory() -> int:
    """Return the most bytes that this process has held so far."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def described(error: BaseException) -> str:
    """Return an exception and where it came from."""
    if isinstance(error, MemoryError):
        return f"more than {MEMORY >> 20} MiB of memory"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"[:300]


if __name__ == "__main__":
    main()
