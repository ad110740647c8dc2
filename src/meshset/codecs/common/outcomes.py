"""Meshes one after the other: one that a codec cannot take becomes a refusal in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from meshset.codecs.protocol import Refusal
from meshset.errors import MeshFileError
from meshset.progress import advance, stage

Made = TypeVar("Made")
Result = TypeVar("Result")


def make_each(doing: str, places: Sequence[int], make: Callable[[int], Made]) -> list[Made | Refusal]:
    """Make something of each mesh of a set, and report each.

    Args:
        doing: what the user is told is being done.
        places: of the meshes in the set.
        make: is given one of these; that it raises MeshFileError refuses the mesh.
    """
    made: list[Made | Refusal] = []
    stage(doing, len(places))
    for place in places:
        try:
            made.append(make(place))
        except MeshFileError as error:
            made.append(Refusal(str(error)))
        advance()
    return made


def usable(made: Sequence[Made | Refusal]) -> list[Made]:
    """Return what was made of the meshes that were not refused."""
    return [one for one in made if not isinstance(one, Refusal)]


def joined(made: Sequence[Made | Refusal], results: Iterable[Result]) -> tuple[Result | Refusal, ...]:
    """Return the results of all that is `usable`, and the refusals in their places."""
    left = iter(results)
    return tuple(one if isinstance(one, Refusal) else next(left) for one in made)
