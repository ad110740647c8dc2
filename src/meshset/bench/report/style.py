"""How the page looks: one column on a phone, light or dark as the reader's system is."""

LIGHT = ("#1f5fbf", "#c8501e", "#2f8a3a", "#8a3fa8", "#8a6d00", "#0f8a94", "#b02a5c", "#555555")
DARK = ("#7fb0ff", "#ff9a66", "#7fd68a", "#d79bf0", "#e2c44a", "#66d5de", "#ff86b3", "#bbbbbb")
"""Colours of systems in their order; repeated from the ninth on, when the shape of marks differs."""

_BASE = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1c1f24; --soft: #5c636e; --rule: #d9dde3; --panel: #f5f6f8 }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1120px; padding: 1rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: .5rem 0 } h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem } h3 { font-size: 1rem }
p { max-width: 46rem; margin: .5rem 0 } .soft, figcaption { color: var(--soft); font-size: .875rem }
code { overflow-wrap: anywhere; background: var(--panel); padding: .1em .3em; border-radius: 3px }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 1rem }
figure { margin: 0 } .chart { width: 100%; height: auto } .chart text { fill: var(--soft); font-size: 12px }
.grid { stroke: var(--rule); stroke-width: 1 } .line { fill: none; stroke: var(--c); stroke-width: 2 }
.mark { fill: var(--c) } .loose { opacity: .35 } .key { width: 14px; height: 14px; vertical-align: -2px }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .4rem 0; padding: 0; list-style: none }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap }
th { font-weight: 600; color: var(--soft) } .text { text-align: left } .scale { height: 12px; border-radius: 3px }
.meshes { display: grid; margin-bottom: 1rem; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: .5rem }
.meshes img { width: 100%; height: auto; background: var(--panel); border-radius: 4px }
"""

_DARK = "--page: #14171c; --text: #e8eaee; --soft: #a4abb6; --rule: #333943; --panel: #22272f"


def style_sheet() -> str:
    """Return the CSS of the page."""
    dark = "".join(f" .s{i} {{ --c: {colour} }}" for i, colour in enumerate(DARK))
    light = "".join(f".s{i} {{ --c: {colour} }}\n" for i, colour in enumerate(LIGHT))
    return f"{_BASE}{light}@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} }}{dark} }}\n"
