"""The paper's settings (NeCGS section 4.1), and those of the released code where the paper is silent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshset.codecs.necgs.architecture import Architecture, bare_architecture
from meshset.codecs.protocol import Settings
from meshset.errors import MeshsetError

ENGINES = ("dense", "dense-mixed", "narrow-band")
"""How the network is trained: on every grid point, as the paper does it; the same with its layers in bfloat16, which
processors with matrix units and GPUs run several times faster; or near the surface only."""

WIDTHS = (64, 48, 32, 24, 16, 8)
"""Channels after each block: five blocks at K = 128, one fewer for each halving of K; the sixth is for K = 256."""


LONG_VISITS = 40_000
"""Visits, of all meshes together, from which training is as released; the paper's sets of 500 meshes get 200,000."""

SHORT_RATE = 3e-3
"""Learning rate for fewer."""


@dataclass(frozen=True)
class Recipe:
    """The knobs of training.

    Attributes:
        epochs: how many times each mesh is visited.
        batch: meshes a step.
        rate: peak learning rate of Adam, for weights and latents alike.
        last_rate: learning rate at the end of the cosine.
        warm_up: share of the epochs in which the rate rises from a tenth of its peak.
        near_weight: lambda_1 of Eq. 3, of the grid points in the band.
        ssim_weight: lambda_2 of Eq. 3.
        latent_weight: of the mean magnitude of the latents.
        expansion_weight: of the cross-entropy of the expansion logits, which only the narrow-band engine has.
    """

    epochs: int
    batch: int = 4
    rate: float = 1e-3
    last_rate: float = 1e-5
    warm_up: float = 0.2
    near_weight: float = 5.0
    ssim_weight: float = 10.0
    latent_weight: float = 0.1
    expansion_weight: float = 1.0


def training_recipe(epochs: int, meshes: int) -> Recipe:
    """Return how to train: as released for as many visits as the paper's sets get, else for the few steps there are.

    Few visits in batches of 4 at a rate of 1e-3 end far from what the same visits reach one by one and faster
    (docs/necgs-paper.md), and what is to be beaten must be good.
    """
    if epochs * meshes >= LONG_VISITS:
        return Recipe(epochs=epochs)
    return Recipe(epochs=epochs, batch=1, rate=SHORT_RATE)


def paper_architecture(settings: Settings, engine: str, widths: tuple[int, ...]) -> Architecture:
    """Return the decoder for a resolution; widths beyond its blocks are left off, as the paper does it.

    Raises:
        MeshsetError: unknown resolution or field, or too few widths.
    """
    bare = bare_architecture(settings)
    if len(widths) < bare.blocks:
        raise MeshsetError(f"resolution {bare.resolution} needs {bare.blocks} widths, not {len(widths)}")
    return replace(bare, widths=widths[: bare.blocks], expands=engine == "narrow-band")
