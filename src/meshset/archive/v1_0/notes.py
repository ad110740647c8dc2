"""What version 1.0 says of a mesh in lines of text, which version 1.1 has fields for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from meshset.archive.entries import MAX_U32, Rung, to_float32

_RUNGS: dict[str, Rung] = {"set": "set", "refined": "refined", "draco": "alone", "ply-zstd": "alone"}
_RUNG = re.compile(rf"rung: ({'|'.join(_RUNGS)}), max error ([0-9.e+-]{{1,24}})%")
_OPEN = re.compile(r"comes back open, with ([0-9]{1,10}) boundary edges")
_AGAIN = "coded again from its stored form when the decoder was updated; its errors are those stored plus the change"
_LESS_EXACT = "less exact than its set: more than twice the worst error of the meshes before it"


class State(NamedTuple):
    """Fields of `MeshEntry` that version 1.0 has no columns for; the notes are those that are left."""

    notes: tuple[str, ...]
    rung: Rung | None = None
    bound: float | None = None
    generation: int = 0
    less_exact: bool = False
    open_edges: int = 0


def state_of(notes: Iterable[str]) -> State:
    """Return what the notes of a mesh say of its state. A line that is no such sentence, or a forged one, stays."""
    state, left = State(()), []
    for note in notes:
        told = _told(note, state)
        if told is None:
            left.append(note)
        else:
            state = told
    return state._replace(notes=tuple(left))


def _told(note: str, state: State) -> State | None:
    if note == _AGAIN:
        return state._replace(generation=1)
    if note == _LESS_EXACT:
        return state._replace(less_exact=True)
    found = _OPEN.fullmatch(note)
    if found and int(found[1]) <= MAX_U32:
        return state._replace(open_edges=int(found[1]))
    found = _RUNG.fullmatch(note)
    if found and state.rung is None:
        with suppress(ValueError):
            bound = to_float32(float(found[2]) / 100)
            if 0 < bound < math.inf:
                return state._replace(rung=_RUNGS[found[1]], bound=bound)
    return None
