"""What a run measures: for each system a list of points, as data.

To add a system, write a function from settings to its points (or to `NotRun`, with the reason) and enter it in
`TRAINED` or `OTHERS`. To move along its curve, change the tuples below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from meshset.bench.coders import ArchiveCoder, Coder, ExternalCoder
from meshset.codecs.common.presets import epochs_for
from meshset.codecs.implicit.codec import DeepSdfMeshCodec, FfnCodec, ImplicitCodec, NiCodec, SirenCodec
from meshset.codecs.implicit.key_spheres import KeySpheres, KeySpheresCodec
from meshset.codecs.implicit.nglod import Nglod, NglodCodec
from meshset.codecs.implicit.perceptrons import DeepSdf, FourierFeatures, NeuralImplicit, Siren
from meshset.codecs.implicit.recipe import recipe_for as implicit_recipe_for
from meshset.codecs.latent_sdf.codec import QuantDeepSdfCodec
from meshset.codecs.latent_sdf.perceptrons import QuantDeepSdf
from meshset.codecs.latent_sdf.recipe import Recipe as SetRecipe
from meshset.codecs.latent_sdf.recipe import field_recipe
from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.necgs.recipe import Recipe, recipe_for
from meshset.codecs.necgs_paper.codec import NecgsPaperCodec
from meshset.codecs.necgs_paper.recipe import WIDTHS
from meshset.codecs.peers.draco import DracoCodec
from meshset.codecs.peers.external import (
    Gpcc,
    NotRun,
    Pcgcv2,
    PointCodec,
    Program,
    Vpcc,
    find_gpcc,
    find_pcgcv2,
    find_vpcc,
)
from meshset.codecs.peers.ply import PlyZstdCodec
from meshset.codecs.peers.qecd import BUDGET, QecdCodec
from meshset.codecs.protocol import Settings
from meshset.errors import MeshsetError

RATE_WEIGHTS = (2e-7, 7e-7, 2e-6, 4e-6, 1e-5, 2.5e-5)
"""Lambdas of necgs, from large files to small ones; 7e-7 is that of the presets."""

PAPER_SHARES = (0.5, 0.375, 0.3, 0.25, 0.1875)
"""Decoders of necgs-paper, as shares of the paper's widths: the paper moves along its curve by the decoder's size."""

DRACO_BITS = range(6, 15)

SIMPLIFIED_KEPT = (1.0, 0.5, 0.25, 0.1, 0.05, 0.025)
SIMPLIFIED_BITS = (7, 8, 9, 10)

QECD_BUDGETS = tuple(round(share * BUDGET) for share in (0.25, 0.5, 1, 2, 4))

GPCC_DEPTHS = (6, 7, 8, 9)

VPCC_DEPTHS = (8, 9, 10)
VPCC_RATES = (1, 3, 5)

PCGCV2_DEPTHS = (7, 8, 9)
PCGCV2_MODELS = ("r1_0.025bpp", "r3_0.10bpp", "r5_0.25bpp", "r7_0.4bpp")

IMPLICIT: dict[str, tuple[ImplicitCodec, ...]] = {
    "key-spheres": tuple(KeySpheresCodec(KeySpheres(width=width)) for width in (16, 32, 48)),
    "ni": tuple(NiCodec(NeuralImplicit(width=width)) for width in (16, 32, 48)),
    "siren": tuple(SirenCodec(Siren(width=width)) for width in (21, 42, 64)),
    "ffn": tuple(FfnCodec(FourierFeatures(width // 5 * 4, width=width)) for width in (20, 40, 60)),
    "deepsdf-mesh": tuple(DeepSdfMeshCodec(DeepSdf(width=width)) for width in (16, 32, 48)),
}
"""Networks of growing width, about 2,000, 7,500 and 17,000 weights of 8 bits each."""

NGLOD_LEVELS = (1, 2, 3)
"""Levels of detail, about 9,000, 19,000 and 55,000 weights; the next two have four and sixteen times as many."""

QUANT_DEEPSDF_WIDTHS = (32, 64, 128)
"""QuantDeepSDF moves along its curve by the width of its layers (NeCGS, supplement 3.2)."""

MEASURING_SECONDS = 1.5
"""A mesh, decoding included: 0.7 with 9,000 triangles, 2.4 with 40,000."""

DRACO_SECONDS = 0.02
SIMPLIFYING_SECONDS = 0.12
PLY_SECONDS = 0.1
GPCC_SECONDS = 15.0
VPCC_SECONDS = 100.0
PCGCV2_SECONDS = 40.0
"""A mesh, the conversions included: of G-PCC 13 to 19, depths 6 to 9; of the other two guesses, for neither was run."""

FIELD_SECONDS = {32: 1.0, 64: 2.5, 128: 6.0, 256: 25.0}
"""A field of necgs by K."""

STEP_SECONDS = {32: 0.03, 64: 0.055, 128: 0.16, 256: 0.6}
"""A step of its training by K; K = 256 is extrapolated. All of these are of one core of a server from 2023 with nothing
else to do, and of meshes with 5,000 to 25,000 triangles; they serve to tell minutes from days."""

PAPER_VISIT_SECONDS = {32: 0.04, 64: 0.33, 128: 2.5, 256: 20.0}
"""A mesh in a step of necgs-paper at the paper's widths in bfloat16, by K; from 128 on extrapolated. Same core, which
has matrix units; without them it takes as long as in float32."""

FLOAT32_TIMES = 2.5
"""How many times as long a step takes in float32."""

SAMPLE_SECONDS = 1e-5
"""A sample of an implicit network: its distance and its side."""

WEIGHT_SECONDS = 2.2e-10
"""A weight of an implicit network, at a sample in a step, where many meshes are trained together."""

SET_WEIGHT_SECONDS = 1.5e-10
"""A weight of QuantDeepSDF at a point in a visit: six operations."""

_PEERS = Settings()
"""Peers take no settings; with fixed ones their points are kept whatever the run is made with."""


@dataclass(frozen=True)
class PlannedPoint:
    """One setting of a system.

    Attributes:
        label: what tells it from the other points of its system, for people.
        coder: makes it.
        expected: about how many seconds it takes to make for a number of meshes, on a CPU.
    """

    label: str
    coder: Coder
    expected: Callable[[int], float]


@dataclass(frozen=True)
class System:
    """A system and the points of its curve."""

    name: str
    points: tuple[PlannedPoint, ...]


Points = tuple[PlannedPoint, ...] | NotRun


def plan_systems(
    names: Iterable[str], settings: Settings, trained_points: int | None = None, epochs: int | None = None
) -> tuple[System | NotRun, ...]:
    """Return the points of each system, in the order of `names`; a system that cannot run says why.

    Args:
        names: of systems.
        settings: what every codec understands.
        trained_points: of the systems that train, which take long, only so many points, evenly spaced along the curve.
        epochs: visits of each mesh in their training; None for those of the preset.

    Raises:
        MeshsetError: there is no system of that name, or it does not know the settings.
    """
    planned: list[System | NotRun] = []
    for name in dict.fromkeys(names):
        if name not in SYSTEMS:
            raise MeshsetError(f"the benchmark knows no codec {name!r}, only {', '.join(SYSTEMS)}")
        points = TRAINED[name](settings, epochs) if name in TRAINED else OTHERS[name](settings)
        if name in TRAINED and trained_points and not isinstance(points, NotRun):
            points = tuple(points[i] for i in spread(len(points), trained_points))
        planned.append(NotRun(name, points.reason) if isinstance(points, NotRun) else System(name, points))
    return tuple(planned)


def spread(count: int, chosen: int) -> list[int]:
    """Return `chosen` of the numbers below `count`, evenly spaced, both ends among them; all if there are no more."""
    return sorted({round(position) for position in np.linspace(0, count - 1, min(chosen, count))})


def expected_seconds(point: PlannedPoint, meshes: int) -> float:
    """Return about how long a point takes for a set of this many meshes, made and measured."""
    return point.expected(meshes) + MEASURING_SECONDS * meshes


def _length(settings: Settings, epochs: int | None) -> str:
    return settings.preset if epochs is None else f"{epochs} epochs"


def _necgs(settings: Settings, epochs: int | None) -> Points:
    recipe = recipe_for(settings)
    if epochs is not None:
        recipe = replace(recipe, visits=0, epochs=epochs)
    recipes = [replace(recipe, rate_weight=weight) for weight in RATE_WEIGHTS]
    return tuple(
        PlannedPoint(
            f"{_length(settings, epochs)}, rate weight {recipe.rate_weight:g}",
            ArchiveCoder(NecgsCodec(recipe), settings),
            partial(_training_seconds, recipe, settings.resolution),
        )
        for recipe in recipes
    )


def _training_seconds(recipe: Recipe, resolution: int, meshes: int) -> float:
    return FIELD_SECONDS[resolution] * meshes + STEP_SECONDS[resolution] * recipe.steps(meshes)


def paper_widths(share: float) -> tuple[int, ...]:
    """Return the paper's widths times a share."""
    return tuple(round(share * width) for width in WIDTHS)


def paper_seconds(settings: Settings, codec: NecgsPaperCodec, meshes: int) -> float:
    """Return about how long necgs-paper takes on a CPU."""
    visit = PAPER_VISIT_SECONDS[settings.resolution] * codec.widths[0] / WIDTHS[0]
    if codec.engine == "dense":
        visit *= FLOAT32_TIMES
    epochs = codec.epochs or epochs_for(settings, meshes)
    return (FIELD_SECONDS[settings.resolution] + epochs * visit) * meshes


def _necgs_paper(settings: Settings, epochs: int | None) -> Points:
    """Return points of shrinking decoders, all trained equally long, and as long as necgs."""
    codecs = {share: NecgsPaperCodec(paper_widths(share), epochs=epochs) for share in PAPER_SHARES}
    return tuple(
        PlannedPoint(
            f"{_length(settings, epochs)}, {share:g} of the widths",
            ArchiveCoder(codec, settings),
            partial(paper_seconds, settings, codec),
        )
        for share, codec in codecs.items()
    )


def _quant_deepsdf(settings: Settings, epochs: int | None) -> Points:
    """Return points of growing widths, all trained equally long, and as long as necgs."""
    networks = [QuantDeepSdf(width=width) for width in QUANT_DEEPSDF_WIDTHS]
    recipe = None if epochs is None else replace(field_recipe(settings, 1), epochs=epochs)
    return tuple(
        PlannedPoint(
            f"{_length(settings, epochs)}, width {network.width}",
            ArchiveCoder(QuantDeepSdfCodec(network=network, recipe=recipe), settings),
            partial(quant_deepsdf_seconds, settings, network, recipe),
        )
        for network in networks
    )


def quant_deepsdf_seconds(settings: Settings, network: QuantDeepSdf, recipe: SetRecipe | None, meshes: int) -> float:
    """Return about how long QuantDeepSDF takes on a CPU."""
    recipe = recipe or field_recipe(settings, meshes)
    visit = recipe.points * network.multiplications * SET_WEIGHT_SECONDS
    return (FIELD_SECONDS[settings.resolution] + recipe.epochs * visit) * meshes


def _implicit(name: str, settings: Settings) -> Points:
    """Return points of growing networks, all trained as long as the preset says."""
    return tuple(
        PlannedPoint(
            f"{settings.preset}, {codec.network.parameters({}):,} parameters",
            ArchiveCoder(codec, settings),
            partial(implicit_seconds, settings, codec),
        )
        for codec in IMPLICIT[name]
    )


def _nglod(settings: Settings) -> Points:
    codecs = {levels: NglodCodec(Nglod(levels)) for levels in NGLOD_LEVELS}
    return tuple(
        PlannedPoint(
            f"{settings.preset}, level {levels}",
            ArchiveCoder(codec, settings),
            partial(implicit_seconds, settings, codec),
        )
        for levels, codec in codecs.items()
    )


def implicit_seconds(settings: Settings, codec: ImplicitCodec, meshes: int) -> float:
    """Return about how long a codec of one network a mesh takes on a CPU."""
    recipe = codec.recipe or implicit_recipe_for(settings)
    training = recipe.steps * recipe.batch * codec.network.multiplications({}) * WEIGHT_SECONDS
    return (recipe.samples * SAMPLE_SECONDS + training) * meshes


def _draco(settings: Settings) -> Points:
    return tuple(
        PlannedPoint(f"{bits} bits", ArchiveCoder(DracoCodec(bits), _PEERS), lambda n: DRACO_SECONDS * n)
        for bits in DRACO_BITS
    )


def _draco_simplified(settings: Settings) -> Points:
    return tuple(
        PlannedPoint(
            f"{kept:.3g} of the faces, {bits} bits",
            ArchiveCoder(DracoCodec(bits, kept), _PEERS),
            lambda n: (DRACO_SECONDS + SIMPLIFYING_SECONDS) * n,
        )
        for kept in SIMPLIFIED_KEPT
        for bits in SIMPLIFIED_BITS
    )


def _qecd(settings: Settings) -> Points:
    return tuple(
        PlannedPoint(
            f"{budget:,} parameters",
            ArchiveCoder(QecdCodec(budget), _PEERS),
            lambda n: (PLY_SECONDS + SIMPLIFYING_SECONDS) * n,
        )
        for budget in QECD_BUDGETS
    )


def _ply_zstd(settings: Settings) -> Points:
    return (PlannedPoint("zstd 19", ArchiveCoder(PlyZstdCodec(), _PEERS), lambda n: PLY_SECONDS * n),)


def _external(program: Program | NotRun, codecs: Callable[[Program], Sequence[PointCodec]], seconds: float) -> Points:
    if isinstance(program, NotRun):
        return program
    return tuple(PlannedPoint(codec.label(), ExternalCoder(codec), lambda n: seconds * n) for codec in codecs(program))


def _gpcc(settings: Settings) -> Points:
    return _external(find_gpcc(), lambda program: [Gpcc(program, depth) for depth in GPCC_DEPTHS], GPCC_SECONDS)


def _vpcc(settings: Settings) -> Points:
    def codecs(program: Program) -> list[Vpcc]:
        return [Vpcc(program, depth, rate) for depth in VPCC_DEPTHS for rate in VPCC_RATES]

    return _external(find_vpcc(), codecs, VPCC_SECONDS)


def _pcgcv2(settings: Settings) -> Points:
    def codecs(program: Program) -> list[Pcgcv2]:
        return [Pcgcv2(program, depth, model) for depth in PCGCV2_DEPTHS for model in PCGCV2_MODELS]

    return _external(find_pcgcv2(), codecs, PCGCV2_SECONDS)


TRAINED: dict[str, Callable[[Settings, int | None], Points]] = {
    "necgs": _necgs,
    "necgs-paper": _necgs_paper,
    "quant-deepsdf": _quant_deepsdf,
}
"""Systems that train for as many epochs as they are told to."""

OTHERS: dict[str, Callable[[Settings], Points]] = {
    **{name: partial(_implicit, name) for name in IMPLICIT},
    "nglod": _nglod,
    "draco": _draco,
    "draco-simplified": _draco_simplified,
    "qecd": _qecd,
    "ply-zstd": _ply_zstd,
    "gpcc": _gpcc,
    "v-pcc": _vpcc,
    "pcgcv2": _pcgcv2,
}

SYSTEMS = (*TRAINED, *OTHERS)
"""Every system that can be asked for, in the order of tables."""
