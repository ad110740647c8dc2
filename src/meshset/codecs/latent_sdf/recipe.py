"""How long set networks are trained, for each preset, and how."""

from __future__ import annotations

from dataclasses import dataclass

from meshset.codecs.common.presets import epochs_for
from meshset.codecs.common.schedules import warmed_cosine
from meshset.codecs.protocol import Settings

HALVED_AFTER = 2 / 3
"""Share of the epochs after which learning rates are halved: 200 of 300 (LGCL, section 4.1)."""

WARM_UP = 0.05
LAST_RATE = 0.01


@dataclass(frozen=True)
class Recipe:
    """The knobs of training.

    Attributes:
        epochs: how many times each mesh is visited.
        points: of each mesh in a visit.
        batch: meshes in a step.
        rate: learning rate of Adam for the weights.
        latent_rate: the same for the latents.
        cosine: whether learning rates rise for a twentieth of the steps, then fall along half a cosine; else they are
            halved once.
        latent_weight: lambda_reg of Eq. 8, of the length of a latent.
        samples: points of each kind that are kept for a mesh.
        rounded: share of the steps, at the end, in which weights and latents are seen as they will be stored.
    """

    epochs: int
    points: int = 2_048
    batch: int = 8
    rate: float = 5e-4
    latent_rate: float = 1e-3
    cosine: bool = False
    latent_weight: float = 1e-3
    samples: int = 100_000
    rounded: float = 0.2

    def steps(self, meshes: int) -> int:
        """Return the number of steps for a set of this size."""
        return -(-self.epochs * meshes // min(self.batch, meshes))

    def learning_share(self, done: float) -> float:
        """Return the learning rates, as a share of what they are at most, after a share of all steps."""
        if not self.cosine:
            return 1.0 if done < HALVED_AFTER else 0.5
        return warmed_cosine(done, WARM_UP, LAST_RATE)


PUBLISHED = Recipe(epochs=300, points=16_384, samples=300_000)
"""300 epochs, rates of 5e-4 and 1e-3 halved after 200 (LGCL, section 4.1); DeepSDF's points a visit."""


def recipe_for(settings: Settings, meshes: int) -> Recipe:
    """Return the recipe of a preset: as many visits as codec necgs makes, and LGCL's learning rates.

    Raises:
        MeshsetError: unknown preset.
    """
    return Recipe(epochs=epochs_for(settings, meshes))


def field_recipe(settings: Settings, meshes: int) -> Recipe:
    """Return the recipe for QuantDeepSDF, trained as long as codec necgs and by its kind of schedule.

    Raises:
        MeshsetError: unknown preset.
    """
    return Recipe(epochs_for(settings, meshes), points=4_096, rate=1e-3, cosine=True, latent_weight=1e-4)
