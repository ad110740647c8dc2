"""What an archive says of how it was made: one record, or one for each archive that was merged into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meshset.codecs.table import CODECS


def parts(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records of an archive; more than one if it was merged."""
    merged = settings.get("merged")
    return [part for part in merged.values() if isinstance(part, dict)] if isinstance(merged, dict) else [settings]


def merged(settings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the records of all archives, numbered; those of archives that were merged before stay apart."""
    known: list[dict[str, Any]] = []
    for one in settings:
        known += [part for part in parts(one) if part not in known]
    return known[0] if len(known) == 1 else {"merged": {str(number): part for number, part in enumerate(known, 1)}}


def parameters_of(settings: dict[str, Any], codec: str) -> list[dict[str, Any]]:
    """Return the parameters of `codec` for the sets in an archive, all that differ; those of format 1.0 are reports."""
    known: list[dict[str, Any]] = []
    for part in parts(settings):
        parameters = part.get("parameters", part.get("report"))
        if part.get("codec") == codec and isinstance(parameters, dict) and parameters not in known:
            known.append(parameters)
    return known


def chosen_bound(settings: dict[str, Any]) -> tuple[float, float | None] | None:
    """Return the bounds within which each mesh takes whatever is smallest: on the mean and the largest distance.

    Those of the first record that says so; None for archives whose codec was asked for by name.
    """
    for part in parts(settings):
        report, parameters = part.get("report"), part.get("parameters")
        if isinstance(report, dict) and "would_take" in report:
            reached = parameters.get("error") if isinstance(parameters, dict) else None
            mean, largest = part.get("max_error", reached), part.get("max_distance")
            if isinstance(mean, int | float):
                return float(mean), float(largest) if isinstance(largest, int | float) else None
    return None


def foreign_codec(settings: dict[str, Any]) -> str:
    """Return the name of the first codec in the records that is not one of ours, "" if all are."""
    names = (part.get("codec") for part in parts(settings))
    return next((name for name in names if isinstance(name, str) and name not in CODECS), "")
