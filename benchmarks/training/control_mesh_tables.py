"""Make the tables that codec control-mesh ships: where its probabilities begin, and how large residuals are expected.

python benchmarks/training/control_mesh_tables.py sets/train --out benchmarks/results/control_mesh_tables.json

Meshes of the folder (Draco files, for training only) and generated ones are simplified to a random number of faces,
fitted, rounded and coded as the codec would. A first pass finds by least squares how the size of a residual follows
from what is known before it; a second counts decisions under these weights. The tables replace those in src/.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import DracoPy
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh import contexts as at
from meshset.codecs.control_mesh import residuals
from meshset.codecs.control_mesh.bitstream import write
from meshset.codecs.control_mesh.fitting import Original
from meshset.codecs.control_mesh.residuals import GRID, Steps
from meshset.codecs.control_mesh.search import CREASED, FLAT, SMOOTH, Coarse, Fit
from meshset.coding.adaptive import Contexts
from meshset.geometry import Mesh, Placement
from meshset.geometry.samples import FAMILIES

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import ROOT, command, write_json
from benchmarks.common.options import parsed

TABLES = ROOT / "src" / "meshset" / "codecs" / "control_mesh" / "tables.bin"
SEED = 1
"""Demonstrations and tests show generated meshes of seed 0."""

GENERATED, PLAIN = 5, 8
"""Every so many meshes one is generated, one is not fitted."""

FEWEST_FACES, MOST_FACES, MOST_VERTICES = 60, 1600, 900
LEAST_ERROR = 1.5e-3
SUREST = 30
"""No context starts as if it had seen more."""


class Tally:
    """A coder that counts zeros and ones of each context and writes nothing."""

    def __init__(self) -> None:
        self.counts = np.zeros((at.COUNT, 2))

    def bit(self, contexts: Contexts, context: int, value: int) -> int:
        self.counts[context, value] += 1
        contexts.learn(context, value)
        return value

    def even(self, size: int, value: int) -> int:
        return value


class Observed:
    """What residuals were, and what was known before each."""

    def __init__(self) -> None:
        self.rows: list[tuple[tuple[float, ...], tuple[int, int, int]]] = []
        self._code = residuals.code_residual

    def code(self, coder, contexts, weights, expected, sign, residual):  # type: ignore[no-untyped-def]
        found = self._code(coder, contexts, weights, expected, sign, residual)
        if isinstance(coder, Tally):
            self.rows.append((expected.features, found))
        return found

    def weights(self) -> tuple[tuple[int, ...], ...]:
        """Return what each feature adds to log2(0.3 + size) of each part, in parts of 64."""
        found = []
        for part in range(3):
            known = [(*features, *_sizes(before, part), 1.0) for features, before in self.rows]
            sizes = np.log2(0.3 + np.abs([before[part] for _, before in self.rows]))
            matrix = np.array(known)
            solved = np.linalg.solve(matrix.T @ matrix + 1e-3 * np.eye(at.FEATURES), matrix.T @ sizes)
            found.append(tuple(np.round(64 * solved).astype(int).tolist()))
        return tuple(found)


def _sizes(residual: tuple[int, int, int], part: int) -> tuple[float, float]:
    first, second = (residuals.log(1.0 + abs(residual[k])) if k < part else 0.0 for k in (0, 1))
    return first, second


def meshes(folder: Path, draw: random.Random) -> Iterator[Mesh]:
    """Yield meshes in the cube, in random order, for as long as one asks."""
    files, families = sorted(folder.glob("*.drc")), list(FAMILIES.values())
    number = 0
    while True:
        draw.shuffle(files)
        for file in files:
            number += 1
            if number % GENERATED == 0:
                mesh = draw.choice(families)(np.random.default_rng((SEED, number)))
            else:
                found = DracoPy.decode(file.read_bytes())
                points, corners = np.unique(np.asarray(found.points, float), axis=0, return_inverse=True)
                mesh = Mesh(points, corners.reshape(-1)[np.asarray(found.faces)].reshape(-1, 3).astype(np.int32))
            yield Placement.of(mesh).normalise(mesh)


def tallied(mesh: Mesh, number: int, draw: random.Random) -> NDArray[np.float64] | None:
    """Return the decisions that a random control mesh of a mesh takes, None where there is none of usual size."""
    faces = round(math.exp(draw.uniform(math.log(FEWEST_FACES), math.log(MOST_FACES))))
    simple = Coarse(mesh).of(faces)
    if not 4 <= len(simple[0].vertices) <= MOST_VERTICES:
        return None
    plain = number % PLAIN == 0
    fit = Fit(Original(mesh), simple, FLAT if plain else draw.choice((FLAT, SMOOTH, CREASED)), 0 if plain else 3)
    finest = math.log(0.3 if plain else 1.5)
    step = max(fit.error, LEAST_ERROR) * math.exp(draw.uniform(finest, math.log(8.0)))
    code = min(range(256), key=lambda one: abs(Steps.of(one, 2).normal - step * GRID))
    tally = Tally()
    contexts = at.shipped().contexts()
    write(tally, contexts, fit.surface, fit.chooser(code), fit.kind.levels, code, fit.ratio, fit.sharp_as_decoded)
    return tally.counts


def counted(folder: Path, seconds: float, seed: int) -> tuple[list[NDArray[np.float64]], Observed]:
    """Code meshes for so many seconds; return the decisions of each, and all residuals."""
    draw, observed, found = random.Random(seed), Observed(), []
    residuals.code_residual, usual = observed.code, residuals.code_residual
    ends = time.monotonic() + seconds
    try:
        for number, mesh in enumerate(meshes(folder, draw)):
            if time.monotonic() > ends:
                return found, observed
            try:
                counts = tallied(mesh, number, draw)
            except (ValueError, np.linalg.LinAlgError):
                continue
            if counts is not None:
                found.append(counts)
                print(f"{len(found)} meshes", end="\r", flush=True)
    finally:
        residuals.code_residual = usual
    return found, observed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="Draco files of meshes for training")
    parser.add_argument("--seconds", type=float, default=240.0, help="time of each of two passes")
    options = parsed(parser)
    shipped = at.shipped()
    _, observed = counted(options.folder, options.seconds, 0)
    weights = observed.weights()
    TABLES.write_bytes(at.Tables(weights, shipped.one, shipped.seen).to_bytes())
    at.shipped.cache_clear()
    found, again = counted(options.folder, options.seconds, 1)
    counts = np.sum(found, axis=0)
    total = counts.sum(axis=1)
    one = np.clip(np.round(65536 * (counts[:, 1] + 0.4) / (total + 0.8)), 64, 65536 - 64).astype(int)
    seen = np.clip(total / 2 + 1, 1, SUREST).astype(int)
    tables = at.Tables(weights, tuple(one.tolist()), tuple(seen.tolist())).to_bytes()
    TABLES.write_bytes(tables)
    figures = {
        "meshes": len(found),
        "residuals": len(again.rows),
        "bytes": len(tables),
        "sha256": hashlib.sha256(tables).hexdigest(),
        "weights": weights,
    }
    write_json(options.out, command([options.folder]), figures)
    print(figures)


if __name__ == "__main__":
    main()
