"""How a mesh came to be stored under a bound on its error, as a note that the archive keeps (docs/SPEC.md)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

SET = "set"
"""Coded as every mesh of its set."""

REFINED = "refined"
"""Coded with the set's shared part, by more work on the mesh's own payload."""

DRACO = "draco"
PLY_ZSTD = "ply-zstd"
"""Coded by itself with the ordinary codec of that name."""

_NOTE = re.compile(rf"rung: ({SET}|{REFINED}|{DRACO}|{PLY_ZSTD}), max error ([0-9.e+-]{{1,24}})%")


@dataclass(frozen=True)
class Rung:
    """A step of the ladder, and what it was climbed for.

    Attributes:
        name: one of the constants above.
        bound: largest mean error that was asked for, as a share of the bounding-box diagonal.
    """

    name: str
    bound: float

    @property
    def alone(self) -> bool:
        """Whether the mesh is coded apart from its set."""
        return self.name in (DRACO, PLY_ZSTD)

    def note(self) -> str:
        """Return the note that says so, such as "rung: refined, max error 0.2%"."""
        return f"rung: {self.name}, max error {100 * self.bound:.6g}%"


def rung_of(notes: Iterable[str]) -> Rung | None:
    """Return what the notes of a mesh say about its rung, None where they say nothing."""
    for note in notes:
        found = _NOTE.fullmatch(note)
        if found:
            with suppress(ValueError):  # a forged note
                bound = float(found[2]) / 100
                if 0 < bound < math.inf:
                    return Rung(found[1], bound)
    return None
