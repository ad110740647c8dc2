"""Draw the README's tables from the committed JSON.

python benchmarks/readme.py            # rewrite the README
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- figures, drawn by benchmarks/readme.py from benchmarks/results/ -->", "<!-- end of figures -->"

SETS = {"things24": "24 printed parts and robot links", "demo": "24 generated shapes (`make demo`)"}


def results(name: str) -> dict[str, Any]:
    """Return one committed JSON file."""
    loaded: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return loaded


def sets_table() -> str:
    """Return the table of compressed sets."""
    lines = [
        "| set | OBJ | archive | ratio | latents of it | mean distance | max distance | CD | NC | F1-0.005 | F1-0.01 "
        "| time |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, label in SETS.items():
        row = results(name)
        lines.append(
            f"| {label} | {row['obj_bytes'] / 1e6:.1f} MB | {row['archive_bytes'] / 1e3:.0f} KB "
            f"| {row['ratio']:.0f}x | {row['latent_bytes'] / 1e3:.1f} KB | {1e3 * row['mean_distance']:.2f}e-3 "
            f"| {1e3 * row['max_distance']:.0f}e-3 | {1e3 * row['cd']:.2f}e-3 | {row['nc']:.3f} | {row['f1_005']:.3f} "
            f"| {row['f1_01']:.3f} | {row['compress_seconds'] / 60:.1f} min |"
        )
    commands = "\n".join(f"    {results(name)['command']}" for name in SETS)
    return "\n".join(lines) + f"\n\nK = 64, preset `fast`. Made by\n\n{commands}"


def speed_text() -> str:
    """Return what the narrow band gains, and how fast reading starts."""
    speed, start, memory = results("decoder_speed"), results("start_up"), results("memory")
    rows = [
        f"| {label} | {speed[key]['training_step_ratio']:.1f}x | {speed[key]['decode_ratio']:.1f}x "
        f"| {1e3 * speed[key]['decode_narrow_s']:.0f} ms |"
        for key, label in (("default", "decoder of meshset"), ("paper", "the paper's widths, with a head"))
    ]
    return "\n".join(
        [
            "Narrow band against the whole grid, same network, K = 128, one mesh "
            f"({speed['faces']:,} triangles, {speed['band_share']:.1%} of the grid in the band), in one run:",
            "",
            "| network | training step | decoding to triangles | decoding takes |",
            "|---|---|---|---|",
            *rows,
            "",
            f"From the shell: `list` of 500 meshes {start['list_500_s_read_only']:.2f} s, `extract` of one at K = 64 "
            f"{start['extract_one_k64_s_read_only']:.2f} s. A read-only install adds "
            f"{start['install_bytes'] / 1e6:.0f} MB to an empty environment. "
            f"Compressing {memory['meshes']} meshes at K = {memory['resolution']} takes "
            f"{memory['peak_memory_bytes'] / 1e9:.1f} GB at its peak.",
        ]
    )


def figures() -> str:
    """Return what stands between the marks in the README."""
    return f"{sets_table()}\n\n{speed_text()}"


def main() -> None:
    readme = ROOT / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n{figures()}\n{END}{after}")


if __name__ == "__main__":
    main()
