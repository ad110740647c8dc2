"""What else might make a set smaller: one change at a time to codec necgs, against its own curve.

python benchmarks/cost/levers.py sets/things sets/humans --out benchmarks/results/levers.json

None of these is in the codec; some take away what it has. Each is trained as long as the plain codec, whose curve over
lambda gives the bytes that it takes at the same distance (log bytes over log distance). The command goes on where it
was interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from meshset.codecs.common.stored_fields import make_fields
from meshset.codecs.common.tensors import QuantisedTensor
from meshset.codecs.necgs import network as networks
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.bitstream import SharedPart, fit_latent_models
from meshset.codecs.necgs.codec import NecgsDecoder
from meshset.codecs.necgs.network import SetNetwork
from meshset.codecs.necgs.packing import packed
from meshset.codecs.necgs.recipe import Plan, Recipe, architecture_for, recipe_for
from meshset.codecs.necgs.steering import Steering
from meshset.codecs.necgs.training import train
from meshset.codecs.protocol import Settings
from meshset.evaluation import Point, surface_distance
from meshset.geometry import Mesh
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import KeptRows, Row, command
from benchmarks.common.meshes import largest_clean, normalised
from benchmarks.cost.set_growth import bytes_at

RATE_WEIGHTS = (7e-7, 2e-6, 4e-6, 1e-5)
SAMPLES = 20_000

SHARED = {
    f"{block}.{part}": f"1.{part}"
    for block, parts in {2: ("kernel", "kernel_bias", "shuffle", "shuffle_bias"), 3: ("kernel", "kernel_bias")}.items()
    for part in parts
}
"""Tensors of later blocks that are those of block 1, where levels share weights."""


@dataclass(frozen=True)
class Tied(Architecture):
    """A decoder whose blocks from the second on share kernels, and all but the last what follows them."""

    def tensors(self) -> dict[str, tuple[int, ...]]:
        return {name: shape for name, shape in super().tensors().items() if name not in SHARED}


class OneMesh(Recipe):
    """Steps of one mesh."""

    def batch(self, meshes: int) -> int:
        return 1


@dataclass(frozen=True)
class Lever:
    """A change.

    Attributes:
        recipe: knobs of training that differ.
        shape: of the decoder, what differs.
        tied: whether levels share weights.
        single: whether a step sees one mesh.
        during: in place while training and packing.
    """

    recipe: dict[str, float] = field(default_factory=dict)
    shape: dict[str, object] = field(default_factory=dict)
    tied: bool = False
    single: bool = False
    during: Callable[[], AbstractContextManager[object]] = nullcontext

    def recipe_of(self, plain: Recipe) -> Recipe:
        changed = replace(plain, **self.recipe)
        return OneMesh(**vars(changed)) if self.single else changed

    def architecture_of(self, plain: Architecture) -> Architecture:
        changed = replace(plain, **self.shape)
        return Tied(**vars(changed)) if self.tied else changed


@contextmanager
def shared_levels() -> Iterator[None]:
    """Have a network use the tensors of block 1 again."""
    plain = SetNetwork.quantised_weights

    def quantised(self: SetNetwork) -> tuple[dict[str, Tensor], Tensor]:
        weights, bits = plain(self)
        return weights | {name: weights[source] for name, source in SHARED.items()}, bits

    with patch.object(SetNetwork, "quantised_weights", quantised):
        yield


@contextmanager
def noise(share: float) -> Iterator[None]:
    """Have uniform noise stand for rounding in a share of all calls of the quantiser."""
    plain = networks.quantise

    def quantise(values: Tensor, step: Tensor) -> Tensor:
        if torch.rand(()) < share:
            return values / step + torch.rand_like(values) - 0.5
        return plain(values, step)

    with patch.object(networks, "quantise", quantise):
        yield


@contextmanager
def dead_zone(width: float) -> Iterator[None]:
    """Round towards 0 up to 0.5 + `width`, in training and in the end."""

    def whole(scaled: Tensor) -> Tensor:
        return torch.sign(scaled) * torch.floor(scaled.abs() + 0.5 - width)

    def quantise(values: Tensor, step: Tensor) -> Tensor:
        scaled = values / step
        return scaled + (whole(scaled) - scaled).detach()

    def final(values: Tensor, step: Tensor) -> QuantisedTensor:
        step = step.float().cpu()
        return QuantisedTensor(whole(values.cpu() / step).int().numpy(), step.numpy())

    with patch.object(networks, "quantise", quantise), patch.object(networks, "_final", final):
        yield


@contextmanager
def rising_lambda() -> Iterator[None]:
    """Have lambda rise over 60 % of training, to 1.1 times what it would be."""
    plain = Steering.weight

    def weight(self: Steering, share: float, estimate: Callable[[], float]) -> float:
        return 1.1 * min(1.0, (share + 0.02) / 0.6) * plain(self, share, estimate)

    with patch.object(Steering, "weight", weight):
        yield


def no_margin() -> AbstractContextManager[object]:
    """Train expansion logits to be the odds at any weight of bits."""
    return patch.object(Recipe, "expansion_margin", 0.0)


LEVERS = {
    "whole kernels in all blocks": Lever(shape={"crosses": False}),
    "expansion logits at the odds": Lever(during=no_margin),
    "expansion weight 1": Lever({"expansion_weight": 1.0}),
    "expansion weight 0.1": Lever({"expansion_weight": 0.1}),
    "decoder and latents of large sets": Lever(shape={"widths": (64, 48, 32), "latent_channels": 16}),
    "hidden 48": Lever(shape={"hidden": 48}),
    "levels share weights, 40-40-40": Lever(shape={"widths": (40, 40, 40)}, tied=True, during=shared_levels),
    "one mesh a step": Lever(single=True),
    "noise for half of the rounding": Lever(during=lambda: noise(0.5)),
    "dead zone of 0.1": Lever(during=lambda: dead_zone(0.1)),
    "lambda rises": Lever(during=rising_lambda),
}


def measured(lever: Lever, meshes: Sequence[Mesh], fields: Sequence[Path], plain: Recipe, shape: Architecture) -> Row:
    """Return bytes of decoder and latents and the mean distance of the meshes that come back."""
    architecture = lever.architecture_of(shape)
    started = time.perf_counter()
    with lever.during(), showing_progress():
        network, report = train(fields, architecture, Plan(lever.recipe_of(plain)), "cpu", 0)
        found = packed(network)
        weights = network.final_weights()
        latents = [network.final_latent(i) for i in range(len(meshes))]
    seconds = time.perf_counter() - started
    if lever.tied:
        weights |= {name: weights[source] for name, source in SHARED.items()}
    models = fit_latent_models([latent.numbers for latent in latents])
    decoder = NecgsDecoder(SharedPart(architecture, weights, latents[0].step, models))
    decoded = [decoder.decode(payload) for payload in found.payloads]
    distances = [surface_distance(mesh, one, SAMPLES)[0] for mesh, one in zip(meshes, decoded, strict=True)]
    return {
        "bytes": found.size,
        "decoder_bytes": len(found.shared),
        "parameters": architecture.parameters,
        "mean_distance": mean(distances),
        "worst_mean_distance": max(distances),
        "field_error": report["field_error"],
        "seconds": seconds,
    }


def compared(lever: Lever, curve: Sequence[Row], *run: Any) -> Row:
    """Return what `measured` does with bytes over those of the plain codec's curve."""
    row = measured(lever, *run)
    return {**row, "over_plain": over_plain(row, curve)}


def over_plain(row: Row, curve: Sequence[Row]) -> float | None:
    """Return bytes over those of the plain codec at the same distance, None outside of its curve."""
    plain = bytes_at([Point(one["bytes"], one["mean_distance"]) for one in curve], row["mean_distance"])
    return None if plain is None else row["bytes"] / plain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", help="folders of meshes")
    parser.add_argument("--count", type=int, default=24, help="meshes of each: the clean ones with the most faces")
    parser.add_argument("--epochs", type=int, default=120, help="visits of each mesh")
    parser.add_argument("--levers", nargs="+", default=list(LEVERS), choices=list(LEVERS))
    parser.add_argument("--work", type=Path, required=True, help="where fields are kept")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    settings = Settings(resolution=64, preset="fast")
    plain = replace(recipe_for(settings), visits=0, epochs=options.epochs, rate_weight=4e-6)
    described = {"count": options.count, "epochs": options.epochs, "resolution": 64, "lambda": plain.rate_weight}
    kept = KeptRows(options.out, command(options.sets), described)
    for folder in options.sets:
        shape = architecture_for(settings, options.count)
        meshes = [normalised(path) for path in largest_clean(folder, options.count)]
        fields = kept_fields(meshes, settings, options.work / folder.name)
        plainly = {f"{folder.name}, lambda {weight:g}": Lever({"rate_weight": weight}) for weight in RATE_WEIGHTS}
        for name, lever in plainly.items():
            kept.add(name, partial(measured, lever, meshes, fields, plain, shape))
        curve = [kept.rows[name] for name in plainly]
        for name in options.levers:
            changed = partial(compared, LEVERS[name], curve, meshes, fields, plain, shape)
            kept.add(f"{folder.name}, {name}", changed)


def kept_fields(meshes: Sequence[Mesh], settings: Settings, folder: Path) -> list[Path]:
    """Return the stored fields of the meshes, made once."""
    names = folder / "fields.json"
    if not names.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with showing_progress():
            outcomes = make_fields(meshes, settings, folder)
        names.write_text(json.dumps([str(outcome[0]) for outcome in outcomes if isinstance(outcome, tuple)]))
    fields = [Path(path) for path in json.loads(names.read_text())]
    if len(fields) != len(meshes):
        raise SystemExit("a mesh was refused")
    return fields


if __name__ == "__main__":
    main()
