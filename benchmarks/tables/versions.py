"""Which version made a figure, and what has changed since in the code that it describes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from benchmarks.tables.parts import Row, commands


class Change(NamedTuple):
    """A commit after which figures come out otherwise.

    Attributes:
        commit: short hash.
        date: of the commit, ISO 8601, which orders it among the versions that made figures.
        what: came with it.
    """

    commit: str
    date: str
    what: str


CHANGES = {
    "field": (
        Change("319ac14", "2026-11-21T14:43:32+00:00", "complete cells around points that change sides"),
        Change("27ec902", "2026-11-28T05:20:28+00:00", "no pockets where parts overlap"),
    ),
    "necgs": (
        Change("8234ecf", "2026-11-21T11:48:55+00:00", "fields with deformations"),
        Change("c2b0ef6", "2026-11-21T21:28:59+00:00", "cross-shaped kernels after the first block"),
        Change("ea7f1bb", "2026-11-21T22:15:39+00:00", "a smaller decoder for small sets"),
        Change("4b6db67", "2026-11-22T01:07:23+00:00", "latents that learn eight times as fast"),
    ),
    "control mesh": (Change("990f748", "2026-11-28T07:00:14+00:00", "tables of control meshes from more meshes"),),
    "target size": (Change("d0c8fe9", "2026-11-22T01:38:30+00:00", "the larger decoder for a large target"),),
    "readers": (
        Change("3557026", "2026-11-21T18:31:35+00:00", "codecs of one network per mesh"),
        Change("43960b3", "2026-11-21T19:04:01+00:00", "codecs of one network per set"),
        Change("c2b0ef6", "2026-11-21T21:28:59+00:00", "cross-shaped kernels of necgs"),
    ),
}
"""By what figures describe: the changes of what it makes of the same input. A commit that makes one adds it here."""

DESCRIBED = {
    **dict.fromkeys(
        (
            *("ablation_resolutions", "adding", "adding_one", "bounded", "curves", "decoder_speed", "demo"),
            *("growth_animals", "growth_humans", "growth_humans_balanced", "growth_things", "levers", "memory"),
            *("memory_by_count", "other_curves", "table1", "things24", "time_to_error_humans", "time_to_error_things"),
        ),
        ("field", "necgs"),
    ),
    **dict.fromkeys(("things24", "demo"), ("field", "necgs", "control mesh")),
    "targets": ("field", "necgs", "target size"),
    **dict.fromkeys(("every_mesh", "fields", "fit_times", "objectives"), ("field",)),
    "fuzz": ("readers",),
}
"""What the figures of a JSON file depend on that has changed, by the file's name."""


def provenance(*found: Row) -> str:
    """Return the commands that made figures, as a block of code, and the line of `made_with`."""
    return f"{commands(found)}\n\n{made_with(found)}"


def changes_since(found: Row) -> Iterator[Change]:
    """Yield what has changed since figures were made; committed ones have the name of their JSON file as `file`."""
    made = found["made_by"]
    if "date" in made:
        for described in DESCRIBED.get(found.get("file", ""), ()):
            for change in CHANGES[described]:
                if datetime.fromisoformat(made["date"]) < datetime.fromisoformat(change.date):
                    yield change


def made_with(found: Sequence[Row]) -> str:
    """Return one line: the versions that made figures, and what they are older than."""
    versions: dict[str, list[str]] = {}
    for one in found:
        commits = versions.setdefault(one["made_by"]["meshset"], [])
        if (commit := one["made_by"].get("commit")) not in (None, *commits):
            commits.append(commit)
    told = "; ".join(
        f"meshset {version}" + (f" at {_list(commits)}" if commits else "") for version, commits in versions.items()
    )
    since = dict.fromkeys(change for one in found for change in changes_since(one))
    if not since:
        return f"Made by {told}."
    changed = _list([f"{change.what} (`{change.commit}`)" for change in sorted(since, key=lambda change: change.date)])
    return f"Made by {told}, **an earlier state of the code**; new since then: {changed}."


def _list(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
