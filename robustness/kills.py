"""Kills `meshset` at random times while it changes a small set, and counts what was lost.

After each kill the archive must open, every mesh of it must decode, and it must be the set from before the command or
the one from after it, nothing between.

python robustness/kills.py --kills 200 --out robustness/results/kills.json
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import meshset
from meshset.pipeline.sample import sample

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.figures import command, write_json

RUN = [sys.executable, "-c", "from meshset.cli import main; main()"]
Contents = dict[str, bytes]


@dataclass(frozen=True)
class Case:
    """A command, with what the archive holds before and after it (None for no archive)."""

    arguments: list[str]
    before: Contents | None
    after: Contents
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    random.seed(options.seed)
    outcomes: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = make_cases(folder)
        turns = cycle(cases)
        kills = 0
        while kills < options.kills:
            case = next(turns)
            outcome = kill(folder, cases[case])
            outcomes.setdefault(case, Counter())[outcome] += 1
            kills += outcome != "ended before"
            print(f"{kills} of {options.kills}: {case} {outcome}", end="\r", flush=True)
    total = sum(outcomes.values(), Counter())
    figures = {
        "kills": kills,
        "lost": total["lost"],
        "unreadable": total["unreadable"],
        "outcomes": {case: dict(counts) for case, counts in outcomes.items()},
    }
    print(figures)
    write_json(options.out, command(), figures)


def make_cases(folder: Path) -> dict[str, Case]:
    """Run each command once without a kill, to know what it does and how long it takes."""
    files = sample(folder / "all", 4)
    (folder / "more").mkdir()
    shutil.copy(files[3], folder / "more" / "new.ply")
    shutil.copy(files[3], folder / "more" / f"{files[0].stem}.ply")
    models = [str(file) for file in files[:3]]
    archive = folder / "set.mset"
    create = ["compress", *models, "-o", str(archive), "--codec", "draco", "--device", "cpu", "--quiet"]
    case = run_whole(folder, create, None)
    cases = {"compress": case, "compress --force": run_whole(folder, [*create, "--force"], case.after)}
    shutil.copy(archive, folder / "first.mset")
    for name, arguments in {
        "add": ["add", str(archive), str(folder / "more" / "new.ply"), "--device", "cpu", "--quiet"],
        "replace": ["replace", str(archive), str(folder / "more" / f"{files[0].stem}.ply"), "--device", "cpu"],
        "remove": ["remove", str(archive), files[1].stem],
        "remove --compact": ["remove", str(archive), files[1].stem, "--compact"],
    }.items():
        shutil.copy(folder / "first.mset", archive)
        cases[name] = run_whole(folder, arguments, case.after)
    return cases


def run_whole(folder: Path, arguments: list[str], before: Contents | None) -> Case:
    start = time.perf_counter()
    subprocess.run([*RUN, *arguments], check=True, capture_output=True)
    return Case(arguments, before, contents(folder / "set.mset"), time.perf_counter() - start)


def kill(folder: Path, case: Case) -> str:
    """Start a command, kill it, and return "old", "new", "lost", "unreadable" or "ended before"."""
    archive = folder / "set.mset"
    archive.unlink(missing_ok=True)
    if case.before is not None:
        shutil.copy(folder / "first.mset", archive)
    with subprocess.Popen([*RUN, *case.arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        if random.random() < 0.5:
            time.sleep(case.seconds * random.uniform(0.1, 1.0))
        else:
            # Most of the time goes into loading libraries, so half of the kills wait for the first byte.
            wait_for_change(folder, process)
            time.sleep(random.uniform(0.0, 0.02))
        ended = process.poll() is not None
        process.kill()
    for left in folder.glob(".meshset-*.tmp"):
        left.unlink()
    if ended:
        return "ended before"
    if not archive.exists():
        return "old" if case.before is None else "lost"
    try:
        found = contents(archive)
    except meshset.MeshsetError:
        return "unreadable"
    return "old" if found == case.before else "new" if found == case.after else "lost"


def wait_for_change(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Return when a file in the folder grows or appears, or the command ends."""
    before = state(folder)
    while process.poll() is None and state(folder) == before:
        time.sleep(0.0002)


def state(folder: Path) -> list[tuple[str, int]]:
    with os.scandir(folder) as files:
        return [(file.name, file.stat().st_size) for file in files if file.is_file()]


def contents(archive: Path) -> Contents:
    """Return every mesh of an archive, decoded."""
    with meshset.open(archive) as opened:
        return {name: opened[name].vertices.tobytes() for name in opened}


if __name__ == "__main__":
    main()
