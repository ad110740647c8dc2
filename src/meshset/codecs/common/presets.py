"""What presets mean: how often codecs that learn a decoder for a set look at its meshes."""

from __future__ import annotations

from dataclasses import dataclass

from meshset.codecs.protocol import Settings
from meshset.vocabulary import Preset


@dataclass(frozen=True)
class Length:
    """How long a set is trained.

    Attributes:
        visits: how many times a mesh is visited, over all meshes, at least.
        epochs: how many times each mesh is visited, at least.
    """

    visits: int
    epochs: int


LENGTHS: dict[Preset, Length] = {
    "fast": Length(visits=10_000, epochs=100),
    "balanced": Length(visits=30_000, epochs=200),
    "best": Length(visits=90_000, epochs=400),
}


def epochs_for(settings: Settings, meshes: int) -> int:
    """Return how many times a preset visits each mesh of a set of this size.

    The 400 epochs of the NeCGS paper with preset "best" from 225 meshes on; its own sets have 500 and more, and a small
    set would get too few steps from 400.
    """
    length = LENGTHS[settings.preset]
    return max(length.epochs, -(-length.visits // meshes))
