"""The page: what was measured, how, where and with which command."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from meshset.bench.report.chart import marker, tick_label
from meshset.bench.report.charts import (
    LEAST_DISTANCE,
    distance_chart,
    error_histogram,
    f_score_chart,
    left_off,
    shown_point,
)
from meshset.bench.report.style import LIGHT, style_sheet
from meshset.bench.report.tables import (
    curve_table,
    difference_table,
    facts_table,
    length,
    missing_list,
    time_table,
)
from meshset.evaluation.pictures import error_colours

Figures = Mapping[str, Any]

_INTRODUCTION = (
    "Bytes are those of the file on disk, decoder and index included; ratios are to the same meshes as OBJ text. "
    "Distances are in the cube [-1, 1]\u00b3 that every mesh is scaled to, means over the meshes of a set, on the same "
    "samples for every system. A curve is the lower envelope of all points of a system; points off the curve are faint."
)
_SCALE_STEPS = 9

TITLE = "<title>Compression of mesh sets</title>"
"""Tells the page from others."""


def page(result: Figures) -> str:
    """Return the HTML of a bench.json. All of its text is escaped, so that a mesh name cannot add markup."""
    names = list(dict.fromkeys(system["name"] for one in result["sets"] for system in one["systems"]))
    styles = {name: i % len(LIGHT) for i, name in enumerate(names)}
    body = [
        "<h1>Compression of mesh sets</h1>",
        f"<p>{escape(_INTRODUCTION)}</p>",
        f'<p class="soft">meshset {escape(result["meshset"])}: <code>{escape(result["command"])}</code></p>',
        *(_set(one, styles, result["picture_scale"]) for one in result["sets"]),
        "<h2>How it was measured</h2>",
        "<h3>Machine</h3>",
        facts_table(result["machine"]),
        "<h3>Versions</h3>",
        facts_table(result["versions"]),
        "<h3>Settings and samples</h3>",
        facts_table({**result["settings"], **{f"{key} samples": value for key, value in result["samples"].items()}}),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{TITLE}<style>{style_sheet()}</style></head>\n"
        f"<body>{''.join(body)}</body></html>\n"
    )


def _set(one: Figures, styles: Mapping[str, int], scale: float) -> str:
    faces = sum(mesh["faces"] for mesh in one["meshes"])
    missing = missing_list(one)
    parts = [
        f"<section><h2>{escape(one['name'])}</h2>",
        f"<p>{len(one['meshes'])} meshes ({escape(one['rule'])}), {faces:,} triangles, "
        f"{one['obj_bytes'] / 1e6:.1f} MB as OBJ text, {one['ply_bytes'] / 1e6:.1f} MB as binary PLY.</p>",
        _legend(one, styles),
        '<div class="pair">',
        _figure(distance_chart(one, styles), _distance_caption(one)),
        _figure(f_score_chart(one, styles), "F1-0.005 against ratio; higher and further right is better."),
        _figure(error_histogram(one, styles), f"Meshes by mean distance, each system near {one['shown_ratio']:.0f}x."),
        "</div>",
        _pictures(one, scale),
        "<h3>Curves</h3>",
        curve_table(one),
        f"<h3>Times near {one['shown_ratio']:.0f}x</h3>",
        time_table(one),
        f"<h3>Bytes at equal mean distance (BD-rate)</h3>{difference_table(one)}" if one["differences"] else "",
        f"<h3>Not in the figures</h3>{missing}" if missing else "",
        "</section>",
    ]
    return "".join(parts)


def _legend(one: Figures, styles: Mapping[str, int]) -> str:
    rows = []
    for system in one["systems"]:
        note = " (not run)" if system["not_run"] else ""
        rows.append(f"<li>{marker(styles[system['name']])} {escape(system['name'] + note)}</li>")
    return f'<ul class="legend">{"".join(rows)}</ul>'


def _distance_caption(one: Figures) -> str:
    caption = "Mean surface distance against ratio; lower and further right is better."
    names = left_off(one)
    return f"{caption} Left off below {LEAST_DISTANCE:g}: {', '.join(names)}." if names else caption


def _figure(content: str, caption: str) -> str:
    return f"<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>" if content else ""


def _pictures(one: Figures, scale: float) -> str:
    if not one["pictures"]:
        return ""
    rows = "".join(_row(one, mesh) for mesh in one["pictures"])
    return f"<h3>Where the errors are, each system near {one['shown_ratio']:.0f}x</h3>{_scale(scale)}{rows}"


def _row(one: Figures, mesh: Figures) -> str:
    cells = [_image(mesh["original"], mesh["name"], "original")]
    for decoded in mesh["decoded"]:
        ratio = shown_point(one, decoded["system"])["ratio"]
        detail = f"{ratio:.1f}x, {length(decoded['mean_distance'])}"
        cells.append(_image(decoded["png"], decoded["system"], detail))
    return f'<div class="meshes">{"".join(cells)}</div>'


def _image(content: str, title: str, detail: str) -> str:
    caption = f"<figcaption>{escape(title)}<br>{escape(detail)}</figcaption>"
    return (
        f'<figure><img src="data:image/png;base64,{escape(content)}" alt="{escape(f"{title}, {detail}")}">'
        f"{caption}</figure>"
    )


def _scale(scale: float) -> str:
    colours = ", ".join(
        f"rgb({', '.join(str(round(255 * channel)) for channel in colour)})" for colour in error_colours(_SCALE_STEPS)
    )
    return (
        f'<div class="scale" style="background: linear-gradient(to right, {colours})"></div>'
        f'<p class="soft">Distance of the decoded surface to the original: 0 on the left, {tick_label(scale)} and more '
        "on the right.</p>"
    )
