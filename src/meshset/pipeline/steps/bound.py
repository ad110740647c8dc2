"""How far meshes may be from their originals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeGuard

from meshset.codecs.protocol import Refusal
from meshset.errors import MeshsetError
from meshset.pipeline.steps.draft import Draft
from meshset.pipeline.steps.requirements import require_modules

MARGIN = 0.98
"""Share of a bound that a measured error may reach: other samples of the same surfaces give another mean, by up to
one or two percent."""

_PLACED = 0.99
"""What a search leaves of that for the mesh being placed by a rounded box."""

_SEEN = 0.9
"""Share of the largest distance at many points that is seen at few."""


@dataclass(frozen=True)
class Bound:
    """Bounds on both, each as a share of the bounding-box diagonal.

    Attributes:
        mean: of the mean symmetric surface distance.
        largest: of the largest distance from either surface to the other, inf for none.
    """

    mean: float
    largest: float = math.inf

    @classmethod
    def checked(cls, mean: float | None, largest: float | None, usual: float | None = None) -> Bound | None:
        """Return the bounds that a user gives, None for none.

        Args:
            mean, largest: as given; a mean is never above the largest, which bounds it where it is given alone.
            usual: bound on the mean where none is given.

        Raises:
            MeshsetError: one is not above 0.
            MissingExtraError: what meshes are coded by that miss it is not installed.
        """
        for what, value in ("error", mean), ("distance", largest):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise MeshsetError(f"the bound on the {what} must be above 0, not {value}")
        given = [value for value in (mean if mean is not None else usual, largest) if value is not None]
        if not given:
            return None
        require_modules("a bound on the error", "compress", ("fast_simplification",))
        return cls(min(given), math.inf if largest is None else largest)

    def kept_by(self, outcome: Draft | Refusal, times: float = 1.0) -> TypeGuard[Draft]:
        """Say whether a mesh keeps so many times the bounds, and all of its parts: small ones hardly show in a mean."""
        return (
            isinstance(outcome, Draft)
            and outcome.error <= MARGIN * times * self.mean
            and outcome.largest_error <= times * self.largest
            and not outcome.parts.lost
        )

    def in_cube(self, diagonal: float) -> Bound:
        """Return what a search aims at for a mesh of this diagonal, in the units of the cube."""
        return Bound(_PLACED * MARGIN * self.mean * diagonal, _SEEN * self.largest * diagonal)
