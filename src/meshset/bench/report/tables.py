"""The tables of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

Figures = Mapping[str, Any]

_METRICS = ("mean_distance", "max_distance", "cd", "nc", "f1_005", "f1_01", "giou")
_METRIC_TITLES = ("mean distance", "max distance", "CD", "NC", "F1-0.005", "F1-0.01", "gIoU")
_LENGTHS = 3
"""The first of them are lengths, the others shares."""

_SMALL = 1e-6


def curve_table(one: Figures) -> str:
    """Return every point of every curve, and the sampling floor."""
    rows = [
        [system["name"], point["label"], *_size(point), *_metrics(point["mean"])]
        for system, point in _points(one)
        if point["label"] in system["curve"]
    ]
    rows.append(["every mesh against itself", "", "", "", "", *_metrics(one["floor"])])
    return html_table(["system", "point", "KB", "ratio", "to PLY", *_METRIC_TITLES], rows, texts=2)


def time_table(one: Figures) -> str:
    """Return times and ratios at the shown points: Table 1 of the paper."""
    rows = [
        [
            system["name"],
            point["label"],
            f"{point['ratio']:.1f}",
            f"{point['coding_seconds']:.2f}",
            f"{1000 * point['decoding_seconds']:.1f}",
            length(point["mean"]["mean_distance"]),
            f"{point['shared_bytes'] / point['bytes']:.0%}",
        ]
        for system, point in _points(one)
        if one["shown"].get(system["name"]) == point["label"]
    ]
    titles = ["system", "point", "ratio", "coding, s", "decoding a mesh, ms", "mean distance", "shared part"]
    return html_table(titles, rows, texts=2)


def difference_table(one: Figures) -> str:
    """Return BD-rates; empty if there is no anchor."""
    rows = [
        [
            row["system"],
            row["anchor"],
            row.get("refused") or f"{row['percent']:+.1f} %",
            "" if "refused" in row else f"{length(row['finest'])} to {length(row['coarsest'])}",
            "" if "refused" in row else f"{row['share']:.0%}",
        ]
        for row in one["differences"]
    ]
    return html_table(["system", "against", "bytes", "over distances", "of the range"], rows, texts=3) if rows else ""


def missing_list(one: Figures) -> str:
    """Return what has no figures, and why; empty if nothing is missing."""
    lines = [f"{line}: left out of the set" for line in one["left_out"]]
    lines += [f"{s['name']}: not run, {s['not_run']}" for s in one["systems"] if s["not_run"]]
    for system in one["systems"]:
        for point in system["points"]:
            where = f"{system['name']}, {point['label']}"
            if "error" in point:
                lines.append(f"{where}: {point['error']}")
            elif point["failures"]:
                subject, reason = point["failures"][0]
                # A page is passed on: where files lay on this machine is nobody's business.
                lacks = f"{len(point['failures'])} meshes ({Path(subject).name}: {reason})"
                lines.append(f"{where}: not on the curve, it lacks {lacks}")
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else ""


def facts_table(facts: Figures) -> str:
    """Return names and values."""
    return html_table(["", ""], [[str(name), str(value)] for name, value in facts.items()], texts=2)


def html_table(titles: Sequence[str], rows: Sequence[Sequence[str]], texts: int) -> str:
    """Return a table that scrolls sideways where it is too wide; the first `texts` columns are not numbers."""
    head = "".join(_cell("th", title, i < texts) for i, title in enumerate(titles))
    body = "".join("<tr>" + "".join(_cell("td", c, i < texts) for i, c in enumerate(row)) + "</tr>" for row in rows)
    header = f"<thead><tr>{head}</tr></thead>" if any(titles) else ""
    return f'<div class="wide"><table>{header}<tbody>{body}</tbody></table></div>'


def _cell(tag: str, content: str, is_text: bool) -> str:
    kind = ' class="text"' if is_text else ""
    return f"<{tag}{kind}>{escape(content)}</{tag}>"


def _points(one: Figures) -> Iterator[tuple[Figures, Figures]]:
    for system in one["systems"]:
        for point in sorted((p for p in system["points"] if "error" not in p), key=lambda p: -p["ratio"]):
            yield system, point


def _size(point: Figures) -> list[str]:
    return [f"{point['bytes'] / 1000:.1f}", f"{point['ratio']:.1f}", f"{point['ply_ratio']:.1f}"]


def _metrics(mean: Figures) -> list[str]:
    return [length(mean[key]) if i < _LENGTHS else f"{mean[key]:.4f}" for i, key in enumerate(_METRICS)]


def length(value: float) -> str:
    """Return three digits of a distance in thousandths, or that it is as good as nothing."""
    return "below 1e-6" if value < _SMALL else f"{1000 * value:.3g}e-3"
