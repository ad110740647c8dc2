"""Which of the meshes that join a set are clearly less exact than it, and who is told so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from meshset.archive import MeshEntry
from meshset.pipeline.steps.store import MeasuredMesh, Outcome
from meshset.pipeline.summary import error_of_diagonal
from meshset.progress import tell

FACTOR = 2.0
"""How many times the worst error of the set a mesh must have to be clearly less exact: meshes of one set differ by
about as much."""

LESS_EXACT = "less exact than its set: more than twice the worst error of the meshes before it"


def worst_error(entries: Iterable[MeshEntry]) -> float | None:
    """Return the largest mean error of meshes as a share of their diagonals, None where none was measured.

    Meshes that were told to be less exact than their set do not count, or each would make room for a worse one.
    """
    errors = [error_of_diagonal(entry) for entry in entries if LESS_EXACT not in entry.notes]
    return max((error for error in errors if error is not None), default=None)


def told_apart(outcomes: Sequence[Outcome], worst: float | None) -> list[Outcome]:
    """Give a note to each mesh that is clearly less exact than the `worst` of its set."""
    limit = math.inf if worst is None else FACTOR * worst
    return [
        outcome.noting(LESS_EXACT) if isinstance(outcome, MeasuredMesh) and outcome.error > limit else outcome
        for outcome in outcomes
    ]


def tell_less_exact(meshes: Iterable[MeasuredMesh], worst: float | None) -> None:
    """Tell the user of each mesh that has the note."""
    for mesh in meshes:
        if worst is not None and LESS_EXACT in mesh.coded.notes:
            tell(
                f"{mesh.source.source.name}: less exact than its set, with a mean error of {mesh.error:.3%} of the "
                f"diagonal where the worst of the set has {worst:.3%}; --max-error bounds it"
            )
