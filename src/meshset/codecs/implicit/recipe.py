"""How long the networks are trained, for each preset."""

from __future__ import annotations

from dataclasses import dataclass

from meshset.codecs.protocol import Settings
from meshset.vocabulary import Preset


@dataclass(frozen=True)
class Recipe:
    """The knobs of training, the same for every network.

    Attributes:
        steps: optimiser steps of each mesh.
        samples: points around each mesh.
        batch: samples of each mesh in a step.
        warm_up: share of the steps in which the learning rate rises from 0 to the network's.
        last_rate: learning rate at the end of the cosine, as a share of its peak.
        rounded: share of the steps, at the end, in which the network sees its weights as they will be stored.
    """

    steps: int
    samples: int = 1_000_000
    batch: int = 256
    warm_up: float = 0.05
    last_rate: float = 0.01
    rounded: float = 0.2


PRESETS: dict[Preset, Recipe] = {
    "fast": Recipe(steps=12_000, samples=250_000),
    "balanced": Recipe(steps=40_000),
    "best": Recipe(steps=160_000),
}


def recipe_for(settings: Settings) -> Recipe:
    """Return the recipe of a preset."""
    return PRESETS[settings.preset]
