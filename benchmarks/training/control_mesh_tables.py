"""Make the tables that ship with codec control-mesh, from meshes in Draco files and generated ones.

python benchmarks/training/control_mesh_tables.py sets/train --out benchmarks/results/control_mesh_tables.json

Control meshes of many sizes and kinds are written with the tables there are. Their residuals give the weights of the
features (least squares), which decide the class of each residual; written once more under these, they give the
probabilities, and how sure each is at the start: as sure as costs least. Every eighth source of files is held out; the
bits of its meshes are told for several caps of the sureness and limits of learning. The same seed, count and tables
before make the same tables.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import DracoPy
import numpy as np

from meshset.codecs.control_mesh import contexts as at
from meshset.codecs.control_mesh.bitstream import STEP_CODES, Chooser, encode
from meshset.codecs.control_mesh.fit import CREASED, FLAT, SMOOTH, Fit
from meshset.codecs.control_mesh.fitting import Original
from meshset.codecs.control_mesh.residuals import GRID, Expected, Point, Residuals, Steps, Whole
from meshset.codecs.peers.simplification import simplify
from meshset.errors import MeshsetError
from meshset.geometry import Mesh, Placement
from meshset.geometry.samples import FAMILIES
from meshset.progress import advance, stage, tell
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.control_meshes import coding_with, decisions_of
from benchmarks.common.figures import ROOT, Row, command, write_json
from benchmarks.training.learning import CAPS, LIMITS, Decisions, chosen, table

HELD_OUT = 8
"""One source of so many is held out, and one generated mesh."""

TABLES = ROOT / "src" / "meshset" / "codecs" / "control_mesh" / "tables.bin"

GENERATED = 0.15
PLAIN = 0.2
"""Shares of meshes that are generated, and of those written without a fit.

Demonstrations and tests show generated meshes of seed 0; here they have others.
"""

FACES, PLAIN_FACES = (80, 1400), (80, 3000)
STEPS, PLAIN_STEPS = (1.5, 8.0), (4e-4, 1e-2)
"""Step along the normal: times the error of the fit, and in the cube where there is none."""

LEAST_ERROR = 1.5e-3
ROUNDS = 3
FIRST = 200
"""Control meshes whose decisions are enough to begin with."""

LIMIT = 60
"""That of `coding.adaptive`."""


Logged = list[tuple[tuple[float, ...], Whole]]


@dataclass(frozen=True)
class Case:
    """A control mesh, ready to be written.

    Attributes:
        fit: with its points.
        code: of the steps.
        held: whether it is held out.
    """

    fit: Fit
    code: int
    held: bool

    def write(self, tables: at.Tables, log: Logged | None = None) -> bytes:
        """Write it with other tables; residuals and what they were expected from go to `log`."""
        fit, chooser = self.fit, self.fit.chooser(self.code)
        if log is not None:
            chooser = Logging(chooser, log)
        with coding_with(tables):
            return encode(fit.surface, chooser, fit.kind.levels, self.code, fit.ratio, fit.sharp_as_decoded)


class Logging:
    """A chooser that takes note of what another one chooses."""

    def __init__(self, chooser: Chooser, log: Logged) -> None:
        self._chooser, self._log = chooser, log

    def residual(self, vertex: int, expected: Expected, residuals: Residuals) -> Whole:
        """Return the residual that the other one chooses."""
        chosen = self._chooser.residual(vertex, expected, residuals)
        self._log.append((expected.features, chosen))
        return chosen

    def point(self, vertex: int) -> Point:
        """Return where the other one puts a vertex."""
        return self._chooser.point(vertex)

    def placed(self, vertex: int, point: Point) -> None:
        """Tell the other one where it is."""
        self._chooser.placed(vertex, point)


class Meshes:
    """What control meshes are made of, by number.

    Args:
        folder: of Draco files, each named SOURCE__NAME.drc.
        seed: of all that is random.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._seed = seed
        self._paths = sorted(folder.glob("*.drc"))
        if not self._paths:
            raise SystemExit(f"{folder} holds no Draco files")
        sources = sorted({source_of(path) for path in self._paths})
        order = np.random.default_rng(seed).permutation(len(sources))
        self._held = {sources[place] for place in order[::HELD_OUT]}
        self._order = np.random.default_rng(seed + 1).permutation(len(self._paths))

    def case(self, number: int) -> Case | None:
        """Return a control mesh, None where the mesh is too small; the same number gives the same one."""
        random = np.random.default_rng((self._seed, number))
        if random.random() < GENERATED:
            build = list(FAMILIES.values())[int(random.integers(len(FAMILIES)))]
            mesh = build(np.random.default_rng((self._seed + 1, number)))
            mesh = Placement.of(mesh).normalise(mesh)
            held = number % HELD_OUT == 0
        else:
            path = self._paths[self._order[number % len(self._order)]]
            mesh, held = read(path), source_of(path) in self._held
        plain = random.random() < PLAIN
        faces = round(between(random, PLAIN_FACES if plain else FACES))
        simple = mesh if faces > 0.8 * len(mesh.faces) else compact(simplify(mesh, faces / len(mesh.faces))[0])
        if not 8 <= len(simple.faces) <= max(PLAIN_FACES):
            return None
        kind = FLAT if plain else (FLAT, SMOOTH, CREASED)[random.choice(3, p=(0.4, 0.4, 0.2))]
        original = Original(mesh)
        fit = Fit(original, (simple, ()), kind, 0 if plain else ROUNDS)
        if not math.isfinite(fit.error):
            return None
        step = between(random, PLAIN_STEPS) if plain else between(random, STEPS) * max(fit.error, LEAST_ERROR)
        return Case(fit, code_of(step), held)


def source_of(path: Path) -> str:
    """Return where a file comes from, as its name says."""
    return path.name.partition("__")[0]


def read(path: Path) -> Mesh:
    """Return the mesh of a Draco file in the cube, equal points merged."""
    found = DracoPy.decode(path.read_bytes())
    points, place = np.unique(np.asarray(found.points, dtype=np.float64).reshape(-1, 3), axis=0, return_inverse=True)
    faces = place.reshape(-1)[np.asarray(found.faces, dtype=np.int64).reshape(-1, 3)]
    mesh = compact(Mesh(points, faces.astype(np.int32)))
    return Placement.of(mesh).normalise(mesh)


def compact(mesh: Mesh) -> Mesh:
    """Return a mesh without faces that name a vertex twice and without vertices of no face."""
    faces = mesh.faces[(mesh.faces != np.roll(mesh.faces, 1, axis=1)).all(axis=1)]
    used, renumbered = np.unique(faces, return_inverse=True)
    return Mesh(mesh.vertices[used].astype(np.float64), renumbered.reshape(-1, 3).astype(np.int32))


def between(random: np.random.Generator, ends: tuple[float, float]) -> float:
    """Return a number between two, its logarithm evenly spread."""
    return math.exp(random.uniform(*map(math.log, ends)))


def code_of(step: float) -> int:
    """Return the code of about so large a step along the normal, in the cube."""
    return min(range(STEP_CODES), key=lambda code: abs(math.log(Steps.of(code, 2).normal / (step * GRID))))


def cases(meshes: Meshes, count: int, until: float) -> Iterator[Case]:
    """Yield control meshes until there are so many or the clock says so; tell of those that cannot be made."""
    for number in range(count):
        if time.monotonic() > until:
            return
        try:
            made = meshes.case(number)
        except (MeshsetError, np.linalg.LinAlgError) as error:
            tell(f"mesh {number} is left out: {error}")
            made = None
        advance()
        if made is not None:
            yield made


def weights_of(logged: Logged) -> tuple[tuple[int, ...], ...]:
    """Return the weights by which features best tell the size of each part of a residual."""
    features = np.array([features for features, _ in logged])
    sizes = np.abs(np.array([residual for _, residual in logged], dtype=np.float64))
    mantissa, exponent = np.frexp(1.0 + sizes[:, :2])
    known, one = exponent - 2.0 + 2.0 * mantissa, np.ones((len(logged), 1))
    weights = []
    for k in range(3):
        met = np.where(np.arange(2) < k, known, 0.0)
        x, y = np.concatenate([features, met, one], axis=1), np.log2(0.3 + sizes[:, k])
        found = np.linalg.solve(x.T @ x + 1e-3 * np.eye(x.shape[1]), x.T @ y)
        print(f"part {k}: deviation {y.std():.3f}, beside what is expected {(y - x @ found).std():.3f} powers of two")
        weights.append(tuple(np.rint(64 * found).astype(int).tolist()))
    return tuple(weights)


def compared(learned: Decisions, held: Decisions, weights: tuple[tuple[int, ...], ...]) -> Row:
    """Return the bytes of what is held out by limit of learning, and by cap of the sureness or one for each context."""
    tables = {f"no surer than {cap}": table(learned, weights, cap) for cap in CAPS}
    surest = table(learned, weights, max(CAPS))
    return {
        str(limit): {
            **{name: round(held.bits(one, limit) / 8) for name, one in tables.items()},
            "chosen": round(held.bits(chosen(learned, surest, limit), limit) / 8),
        }
        for limit in LIMITS
    }


def run(meshes: Meshes, count: int, seconds: float) -> tuple[at.Tables, Row]:
    """Make the tables; return them and figures about them."""
    before, until = at.shipped(), time.monotonic() + seconds
    stage("making control meshes", count)
    logged: Logged = []
    made = []
    for case in cases(meshes, count, until):
        made.append(case)
        case.write(before, None if case.held else logged)
    weights = weights_of(logged)
    tables = at.Tables(weights, before.one, before.seen)
    # The classes have new meanings now: what is counted is chosen by probabilities that fit them already.
    for some in (made[:FIRST], made):
        learned, held = written(some, tables)
        tables = chosen(learned, table(learned, weights, max(CAPS)), LIMIT)
    old, new = (sum(len(case.write(one)) for case in made if case.held) for one in (before, tables))
    content = tables.to_bytes()
    return tables, {
        "meshes": len(learned.cases),
        "residuals": len(logged),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "weights": weights,
        "held_out": {"meshes": len(held.cases), "bytes": new, "bytes_with_the_tables_before": old},
        "bytes_of_decisions_held_out_by_limit": compared(learned, held, weights),
    }


def written(made: Sequence[Case], tables: at.Tables) -> tuple[Decisions, Decisions]:
    """Return the decisions of control meshes to learn from, and of those held out."""
    stage("writing them anew", len(made))
    found: tuple[list[list[int]], list[list[int]]] = [], []
    for case in made:
        payload = case.write(tables)
        with coding_with(tables):
            found[case.held].append(decisions_of(payload))
        advance()
    return Decisions(found[False]), Decisions(found[True])


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="Draco files of training meshes")
    parser.add_argument("--count", type=int, default=600, help="control meshes, some of which turn out too small")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop making them then")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tables", type=Path, default=TABLES, help="file to write them to")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(words)
    with showing_progress():
        tables, figures = run(Meshes(options.folder, options.seed), options.count, options.seconds)
    options.tables.write_bytes(tables.to_bytes())
    print(figures)
    write_json(options.out, command([options.folder]), figures)


if __name__ == "__main__":
    main()
