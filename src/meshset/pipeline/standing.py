"""Which of the meshes that join a set are clearly less exact than it, and who is told so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshset.archive import MeshEntry
from meshset.pipeline.storing import MeasuredMesh, Outcome
from meshset.pipeline.summary import error_of_diagonal
from meshset.progress import Progress

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


def told_apart(outcomes: Sequence[Outcome], worst: float | None, progress: Progress) -> list[Outcome]:
    """Give a note to each mesh that is clearly less exact than the `worst` of its set, and tell the user."""
    if worst is None:
        return list(outcomes)
    told: list[Outcome] = []
    for outcome in outcomes:
        if isinstance(outcome, MeasuredMesh) and outcome.error > FACTOR * worst:
            progress.note(
                f"{outcome.source.source.name}: less exact than its set, with a mean error of {outcome.error:.3%} of "
                f"the diagonal where the worst of the set has {worst:.3%}; --max-error bounds it"
            )
            outcome = outcome.noting(LESS_EXACT)
        told.append(outcome)
    return told
