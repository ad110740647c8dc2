"""Which of the meshes that join a set are clearly less exact than it, and who is told so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from meshset.archive import MeshEntry
from meshset.pipeline.steps.draft import Draft, Outcome
from meshset.progress import tell

FACTOR = 2.0
"""How many times the worst error of the set a mesh must have to be clearly less exact: meshes of one set differ by
about as much."""


def worst_error(entries: Iterable[MeshEntry]) -> float | None:
    """Return the largest mean error of meshes as a share of their diagonals, None where none was measured.

    Meshes that were found to be less exact than their set do not count, or each would make room for a worse one.
    """
    errors = [entry.mean_error_of_diagonal for entry in entries if not entry.less_exact]
    return max((error for error in errors if error is not None), default=None)


def mark_less_exact(outcomes: Sequence[Outcome], worst: float | None) -> list[Outcome]:
    """State for each mesh whether it is clearly less exact than the `worst` of its set."""
    limit = math.inf if worst is None else FACTOR * worst
    return [
        outcome.stating(less_exact=outcome.error > limit) if isinstance(outcome, Draft) else outcome
        for outcome in outcomes
    ]


def tell_less_exact(kept: Iterable[Draft], worst: float | None) -> None:
    """Tell the user of each mesh that is clearly less exact than its set."""
    for one in kept:
        if worst is not None and one.entry.less_exact:
            tell(
                f"{one.entry.name}: less exact than its set, with a mean error of {one.error:.3%} of the "
                f"diagonal where the worst of the set has {worst:.3%}; --max-error bounds it"
            )
