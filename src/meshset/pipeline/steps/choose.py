"""Each mesh by itself, by whatever takes the fewest bytes: within a bound, or in so many bytes together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from meshset.codecs.common.crossing import Crossing
from meshset.codecs.protocol import Refusal, Settings
from meshset.errors import MeshsetError
from meshset.pipeline.steps.bound import Bound
from meshset.pipeline.steps.draft import Draft, Outcome
from meshset.pipeline.steps.ladder import Alone, alone
from meshset.pipeline.steps.prepare import PreparedMesh
from meshset.progress import advance, stage
from meshset.workers import each_in_processes

_SAMPLE, _SAMPLE_BOUND = 6, 0.002
"""So many meshes are coded first, quickly, within such a share of the diagonal: they tell about how bytes go."""

_FALL = 1.3
"""Bytes fall with the bound to this power, about."""

_FINEST, _COARSEST = 1e-6, 0.1
"""Bounds that are tried to fill a size."""

_FULL, _PASSES = 0.97, 7
"""A size is filled from this share on; bounds are tried until then, at most so many."""


def each_alone(prepared: Sequence[PreparedMesh], bound: Bound, settings: Settings) -> list[Alone]:
    """Code meshes by themselves within a bound."""
    stage("coding each mesh", len(prepared))
    coded = []
    for one in each_in_processes(partial(alone, bound=bound, settings=settings), prepared):
        coded.append(one)
        advance()
    return coded


def would_take(coded: Sequence[Alone]) -> dict[str, int]:
    """Return for each candidate what all meshes would take by it, where it can keep the bound of each."""
    stored = [one for one in coded if isinstance(one.outcome, Draft)]
    names = dict.fromkeys(name for one in stored for name in one.takes)
    return {name: sum(one.takes[name] for one in stored) for name in names if all(name in one.takes for one in stored)}


def payload_bytes(outcomes: Sequence[Outcome]) -> int:
    """Return what the meshes take that can be stored."""
    return sum(len(one.payload) for one in outcomes if isinstance(one, Draft))


def smaller(one: Outcome, other: Outcome) -> Outcome:
    """Return the outcome of fewer bytes."""
    if isinstance(one, Refusal) or isinstance(other, Refusal):
        return other if isinstance(one, Refusal) else one
    return one if len(one.payload) < len(other.payload) else other


def filling(
    prepared: Sequence[PreparedMesh], budget: Callable[[Sequence[int], int], int], settings: Settings
) -> tuple[list[Alone], float]:
    """Code meshes by themselves, as exactly as a number of bytes allows: within a bound that is the same for all.

    What is left goes to meshes as a finer bound has them: to those that gain most for their bytes.

    Args:
        prepared: the meshes.
        budget: as in `Goal.budget`.
        settings: of the set.

    Returns:
        The meshes, and the bound that all of them keep.

    Raises:
        MeshsetError: the size is out of reach.
    """
    size = budget(range(len(prepared)), 0)
    crossing = Crossing(_FALL)
    passes: dict[float, list[Alone]] = {}
    bound = _first_bound(prepared, size, settings)
    while bound not in passes and len(passes) < _PASSES:
        passes[bound] = each_alone(prepared, Bound(bound), settings)
        crossing.add(math.log(bound), math.log(max(_bytes(passes[bound]), 1) / size))
        best, kept = _filled(passes, size)
        if best and _bytes(best) >= _FULL * size:
            break
        bound = min(max(math.exp(crossing.next()), _FINEST), _COARSEST)
    if not best:
        least = min(map(_bytes, passes.values()))
        budget(range(len(prepared)), least)  # tells that this is too much
        raise MeshsetError(f"these meshes take {least:,} bytes at least")
    return best, kept


def _bytes(coded: Sequence[Alone]) -> int:
    return payload_bytes([one.outcome for one in coded])


def _filled(passes: Mapping[float, Sequence[Alone]], size: int) -> tuple[list[Alone], float]:
    """Return the meshes within the finest bound that `size` allows, some as a finer one has them; none if none does."""
    fitting = [bound for bound, coded in passes.items() if _bytes(coded) <= size]
    if not fitting:
        return [], 0.0
    bound = min(fitting)
    chosen = list(passes[bound])
    for finer in sorted((one for one in passes if one < bound), reverse=True):
        chosen = _upgraded(chosen, passes[finer], size)
    return chosen, bound


def _first_bound(prepared: Sequence[PreparedMesh], size: int, settings: Settings) -> float:
    """Return about the bound within which meshes take `size` bytes."""
    step = -(-len(prepared) // _SAMPLE)
    sample = each_alone(prepared[::step], Bound(_SAMPLE_BOUND), replace(settings, preset="fast"))
    taken = _bytes(sample) * len(prepared) / len(sample)
    return min(max(_SAMPLE_BOUND * math.pow(taken / size, 1.0 / _FALL), _FINEST), _COARSEST)


def _upgraded(coarse: Sequence[Alone], fine: Sequence[Alone], size: int) -> list[Alone]:
    """Return the coarse ones, but the fine ones where they gain most for a byte, as far as `size` allows."""
    chosen = list(coarse)
    left = size - _bytes(coarse)
    gains = []
    for place, (one, other) in enumerate(zip(coarse, fine, strict=True)):
        if isinstance(one.outcome, Draft) and isinstance(other.outcome, Draft):
            more = len(other.outcome.payload) - len(one.outcome.payload)
            gains.append(((one.outcome.error - other.outcome.error) / max(more, 1), more, place))
    for gain, more, place in sorted(gains, reverse=True):
        if gain > 0 and more <= left:
            chosen[place] = fine[place]
            left -= more
    return chosen
