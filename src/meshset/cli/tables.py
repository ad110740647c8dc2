"""Results as tables and lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from meshset.archive import MeshEntry
from meshset.cli.text import counted, duration, figure, printable, share, size, table
from meshset.codecs import codec_label
from meshset.pipeline.steps.remarks import remarks
from meshset.pipeline.summary import ArchiveSummary

if TYPE_CHECKING:
    from meshset.evaluation import Metrics
    from meshset.pipeline.add import GrowResult
    from meshset.pipeline.check import CheckedMesh, CheckResult
    from meshset.pipeline.compress import CompressResult


def mesh_table(meshes: Sequence[MeshEntry]) -> str:
    """Return the listing of an archive."""
    header = ["name", "codec", "bytes", "faces", "mean error", "max error", "of diagonal", "notes"]
    rows = [
        [
            mesh.name,
            codec_label(mesh.codec_id),
            str(mesh.length),
            str(mesh.faces),
            figure(mesh.mean_distance),
            figure(mesh.max_distance),
            share(mesh.mean_error_of_diagonal),
            "; ".join(remarks(mesh)),
        ]
        for mesh in meshes
    ]
    return table(header, rows, [False, False, True, True, True, True, True, False])


def summary_table(summary: ArchiveSummary) -> str:
    """Return the totals of an archive and the settings that it was made with."""
    rows = [
        ("meshes", str(summary.meshes)),
        ("archive", size(summary.archive_bytes)),
        ("as OBJ text", size(summary.source_bytes)),
        ("ratio", f"{summary.ratio:.1f}"),
        ("shared parts", size(summary.shared_bytes)),
        ("meshes alone", size(summary.payload_bytes)),
        ("index", size(summary.index_bytes) + (", stored twice" if summary.index_copies == 2 else "")),
        ("mean error", figure(summary.mean_error)),
        ("max error", figure(summary.max_error)),
        ("memory to decode", size(summary.peak_memory)),
        ("format", summary.format_version),
    ]
    if summary.unused_bytes:
        rows.append(("unused", f"{size(summary.unused_bytes)}: meshset remove --compact reclaims it"))
    if summary.torn_bytes:
        rows.append(("torn bytes", f"{summary.torn_bytes}: an append was interrupted, or the end is damaged"))
    rows += [(f"settings: {path}", value) for path, value in _flat(summary.settings)]
    return table(("what", "value"), rows, [False, False]).partition("\n")[2]


def metrics_table(metrics: Mapping[str, Metrics], mean: Metrics) -> str:
    """Return the figures of every mesh and, last, their mean."""
    header = ["name", "CD", "NC", "F1 0.005", "F1 0.01", "mean error", "max error"]
    rows = [
        [
            name,
            figure(one.cd),
            f"{one.nc:.4f}",
            f"{one.f1_005:.4f}",
            f"{one.f1_01:.4f}",
            figure(one.mean_distance),
            figure(one.max_distance),
        ]
        for name, one in [*metrics.items(), ("mean", mean)]
    ]
    return table(header, rows, [False] + [True] * 6)


def compress_line(result: CompressResult) -> str:
    """Return the one line that sums up a compression."""
    ratio = result.source_bytes / result.archive_bytes
    return (
        f"{printable(str(result.path))}: {len(result.entries)} meshes, {size(result.source_bytes)} as OBJ text in "
        f"{size(result.archive_bytes)}, ratio {ratio:.1f}, {duration(result.seconds)}"
    )


def grow_line(result: GrowResult, done: str) -> str:
    """Return the one line that sums up what was `done`: "added" or "replaced"."""
    known = [entry.mean_distance for entry in result.entries if entry.mean_distance is not None]
    error = f", mean error {figure(sum(known) / len(known))}" if known else ""
    return (
        f"{printable(str(result.path))}: {counted(len(result.entries), 'mesh', 'meshes')} {done} in "
        f"{size(result.payload_bytes)}{error}; {result.meshes} in all, {size(result.archive_bytes)}, "
        f"{duration(result.seconds)}"
    )


def check_table(result: CheckResult) -> str:
    """Return the verdicts, then one line for each finding, then the totals.

    What reading dropped is one line a mesh, however much it is: it is seldom what the user looks for.
    """
    header = ["name", "faces", "closed", "parts", "verdict"]
    rows = [
        [
            mesh.name,
            str(mesh.diagnosis.faces),
            "yes" if mesh.diagnosis.watertight else "no",
            str(mesh.diagnosis.components),
            mesh.verdict,
        ]
        for mesh in result.meshes
    ]
    notes = [printable(f"{mesh.name}: {note}") for mesh in result.meshes for note in _check_notes(mesh)]
    blocks = [table(header, rows, [False, True, False, True, False]), "\n".join(notes), _check_line(result)]
    return "\n\n".join(filter(None, blocks))


def _check_line(result: CheckResult) -> str:
    """Return the one line that sums up a check, such as "146 meshes: 120 clean, 25 usable, 1 refused"."""
    verdicts = Counter(mesh.verdict for mesh in result.meshes)
    line = f"{counted(len(result.meshes), 'mesh', 'meshes')}: " + ", ".join(
        f"{verdicts[verdict]} {verdict}" for verdict in ("clean", "usable", "refused")
    )
    unread = len(result.failures) - verdicts["refused"]
    return f"{line}; files that cannot be used: {unread}" if unread else line


def _check_notes(mesh: CheckedMesh) -> tuple[str, ...]:
    reading = (f"read with changes: {'; '.join(mesh.reading)}",) if mesh.reading else ()
    return (*reading, *mesh.findings)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as dotted paths with their values as text."""
    rows = []
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, value if isinstance(value, str) else json.dumps(value)))
    return rows
