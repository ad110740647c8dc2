"""What an archive says of how it was made: one record, or one for each archive that was merged into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


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


def reports(settings: dict[str, Any], codec: str) -> list[dict[str, Any]]:
    """Return what `codec` has reported for the sets in an archive, each different report once."""
    known: list[dict[str, Any]] = []
    for part in parts(settings):
        report = part.get("report")
        if part.get("codec") == codec and isinstance(report, dict) and report not in known:
            known.append(report)
    return known
