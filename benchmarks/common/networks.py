"""What the benchmarks of one network per mesh share: train all meshes at once, and measure each."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.common.figures import Row
from benchmarks.common.meshes import largest_clean, normalised
from meshset.codecs.common.samples import samples_of
from meshset.codecs.implicit.codec import ImplicitCodec
from meshset.codecs.implicit.recipe import recipe_for
from meshset.codecs.protocol import CodedMesh, Settings
from meshset.evaluation import importance_error, surface_distance, surface_error
from meshset.geometry import Mesh
from meshset.geometry.orientation import face_outward

ERRORS = ("surface_error", "importance_error", "mean_distance")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which meshes, how long and how exactly."""
    parser.add_argument("sets", type=Path, nargs="+", help="folders of meshes")
    parser.add_argument("--count", type=int, default=8, help="meshes of each: the clean ones with the most faces")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--steps", type=int, help="of training, in place of those of the preset")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--samples", type=int, default=20_000, help="points of each error of a mesh")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)


class Measuring:
    """Meshes and settings of a run.

    Args:
        options: parsed options of `add_options`.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        torch.set_num_threads(options.threads)
        self.settings = Settings(resolution=options.resolution, preset=options.preset)
        recipe = recipe_for(self.settings)
        self._recipe = replace(recipe, steps=options.steps or recipe.steps)
        self._samples = options.samples
        paths = [path for folder in options.sets for path in largest_clean(folder, options.count)]
        self.meshes = {path.stem: face_outward(normalised(path))[0] for path in paths}
        # From here on they come from the cache, so that no system is timed with the work of all.
        for mesh in self.meshes.values():
            samples_of(mesh, recipe.samples, options.resolution, self.settings.seed)

    def options(self) -> Row:
        """Return all that the figures of a system depend on."""
        return {
            "meshes": list(self.meshes),
            "resolution": self.settings.resolution,
            "steps": self._recipe.steps,
            "training_samples": self._recipe.samples,
            "batch": self._recipe.batch,
            "samples": self._samples,
        }

    def measure(self, codec: ImplicitCodec) -> tuple[Row, dict[str, Mesh]]:
        """Return the figures of a codec, means over all meshes and of each, and what the meshes came out as."""
        codec = replace(codec, recipe=self._recipe)
        start = time.perf_counter()
        coded = codec.compress(list(self.meshes.values()), self.settings)
        seconds = time.perf_counter() - start
        decoder = codec.open(coded.shared)
        errors, decoded, refused, sizes = {}, {}, {}, []
        for (name, mesh), one in zip(self.meshes.items(), coded.meshes, strict=True):
            if not isinstance(one, CodedMesh):
                refused[name] = one.reason
                continue
            decoded[name] = decoder.decode(one.payload)
            distance = in_rows(decoder.distance(one.payload))
            sizes.append(len(one.payload))
            errors[name] = {
                "surface_error": surface_error(mesh, distance, self._samples),
                "importance_error": importance_error(mesh, distance, self._samples),
                "mean_distance": surface_distance(mesh, decoded[name], self._samples)[0],
            }
        row = {
            "float32_bytes": coded.report["float32_bytes"],
            "bytes": mean(sizes),
            "seconds": seconds / len(self.meshes),
            **means(errors.values()),
            "refused": refused,
            "per_mesh": errors,
        }
        return row, decoded


def in_rows(distance: Callable[[Any], Any]) -> Callable[[NDArray[np.float64]], NDArray[np.floating[Any]]]:
    """Turn a decoder's distance of points (3, P) into one of points (P, 3), some at a time."""

    def of_rows(points: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        pieces = np.array_split(np.ascontiguousarray(points.T, dtype=np.float32), max(1, len(points) // 4096), axis=1)
        return np.concatenate([distance(np.ascontiguousarray(piece)) for piece in pieces])

    return of_rows


def means(errors: Sequence[Mapping[str, float]]) -> Row:
    """Return the mean of each error over meshes."""
    rows = list(errors)
    return {name: mean(row[name] for row in rows) for name in ERRORS}
