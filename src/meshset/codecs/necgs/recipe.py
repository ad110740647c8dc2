"""How large a decoder is and how long it is trained, for each preset."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from meshset.codecs.common.presets import LENGTHS
from meshset.codecs.necgs.architecture import Architecture, bare_architecture
from meshset.codecs.protocol import NO_GOAL, Goal, Settings
from meshset.vocabulary import Preset

_LARGE_SET = 200
"""Number of meshes from which a set has room for a larger decoder."""

_SET_OVER_BATCH = 24
_LARGEST_BATCH = 8
"""A step sees one mesh in 24, from 2 to 8: small sets gain from more steps, large ones from calmer ones."""

_USUAL_WEIGHT = 7e-7
"""Lambda of most presets."""

_WIDTHS = (64, 48, 32, 24, 16)
_SMALL_WIDTHS = (64, 32, 16, 12, 8)
"""Of large sets, and of small ones, whose files are nearly all decoder."""

_LATENT_CHANNELS = 8


@dataclass(frozen=True)
class Recipe:
    """The knobs of training.

    Attributes:
        visits: how many times a mesh is visited, over all meshes, at least.
        epochs: how many times each mesh is visited, at least.
        rate_weight: lambda, weight of the bits of a mesh (its latent and its share of the decoder) in the loss.
        matrix_rate: peak learning rate of the decoder's matrices (Muon, scaled to the updates of Adam).
        rate: peak learning rate of biases (Adam).
        latent_travel: peak learning rate of latents (Adam) times visits of each mesh. Adam moves a number by about its
            rate each visit, so this is how far a latent can go, however few visits it gets.
        step_rate: peak learning rate of the logarithms of the quantisation steps (Adam).
        expansion_weight: weight of the cross-entropy of the expansion logits.
        near_weight: extra weight of grid points in the band (lambda_1 of NeCGS Eq. 3).
        deformation_weight: weight of the deformation beside the TSDF. Its unit is half a voxel and that of the TSDF
            two voxels, so 0.25 weighs equal distances equally; 0.5 was best (docs/fields.md).
    """

    visits: int
    epochs: int
    rate_weight: float
    matrix_rate: float = 0.005
    rate: float = 0.003
    latent_travel: float = 10.0
    step_rate: float = 0.01
    expansion_weight: float = 0.3
    near_weight: float = 5.0
    deformation_weight: float = 0.5

    @property
    def expansion_margin(self) -> float:
        """How much lower expansion logits are trained to be than the odds are.

        A voxel left out is a hole; one expanded by mistake has children that were never trained and may hold a surface
        far from the mesh. At the weight of bits of the presets the first is worse, at ten times that the second.
        """
        return min(math.log10(max(self.rate_weight / _USUAL_WEIGHT, 1.0)), 1.0)

    def steps(self, meshes: int) -> int:
        """Return the number of optimiser steps for a set of this size."""
        return -(-max(self.visits, self.epochs * meshes) // self.batch(meshes))

    def batch(self, meshes: int) -> int:
        """Return how many meshes a step sees, for a set of this size."""
        return min(max(meshes // _SET_OVER_BATCH, 2), _LARGEST_BATCH, meshes)

    def latent_rate(self, meshes: int) -> float:
        """Return the peak learning rate of latents for a set of this size."""
        return self.latent_travel * meshes / max(self.visits, self.epochs * meshes)


@dataclass(frozen=True)
class Plan:
    """How to train one set.

    Attributes:
        recipe: the knobs, with the weight of bits that `goal` asks for.
        goal: how long, and who may end it.
        target: bytes that the decoder and all latents shall take, None for whatever the weight of bits leads to.
    """

    recipe: Recipe
    goal: Goal = NO_GOAL
    target: int | None = None


_WEIGHTS: dict[Preset, float] = {"fast": _USUAL_WEIGHT, "balanced": _USUAL_WEIGHT, "best": 5e-7}

PRESETS = {name: Recipe(length.visits, length.epochs, _WEIGHTS[name]) for name, length in LENGTHS.items()}

ADDING = Recipe(visits=300, epochs=0, rate_weight=_USUAL_WEIGHT, latent_travel=5.0)
"""Latents fitted to a decoder that is frozen: a few hundred steps settle them."""

REFINING = Recipe(visits=1000, epochs=0, rate_weight=0.0, latent_travel=5.0)
"""Latents that go on where they are, the decoder frozen, because they miss a bound on the error: bits do not count."""


RETRAINING = Recipe(
    visits=3_000,
    epochs=40,
    rate_weight=_USUAL_WEIGHT,
    matrix_rate=0.002,
    rate=0.001,
    latent_travel=1.25,
    step_rate=0.003,
)
"""A decoder that starts where it is and learns a few meshes more: calmer than from random weights."""


def recipe_for(settings: Settings) -> Recipe:
    """Return the recipe of a preset."""
    return PRESETS[settings.preset]


def architecture_for(settings: Settings, meshes: int, target: int | None = None) -> Architecture:
    """Return the decoder for a resolution, a number of meshes and the bytes wanted; presets only change its rate.

    More bytes than a small decoder has weights are of no use to it.
    """
    bare = replace(bare_architecture(settings), hidden=64, latent_channels=_LATENT_CHANNELS, crosses=True)
    small = replace(bare, widths=_SMALL_WIDTHS[: bare.blocks - 1])
    if meshes >= _LARGE_SET or (target is not None and target > small.parameters):
        return replace(bare, widths=_WIDTHS[: bare.blocks - 1])
    return small
