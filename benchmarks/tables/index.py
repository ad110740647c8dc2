"""The tables of benchmarks/README.md and robustness/README.md: which command makes which figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.tables.parts import Row, header


class Shown(NamedTuple):
    """Where the figures of a JSON file are shown, and about how long its command takes on two cores."""

    page: str
    time: str


FIGURES = {
    "when": Shown("README.md", "10 min, after `growth_humans.json` and `default_growth_humans.json`"),
    "things24": Shown("README.md, docs/benchmarks.md", "5 min"),
    "demo": Shown("README.md, docs/benchmarks.md", "3 min"),
    "decoder_speed": Shown("docs/benchmarks.md", "2 min"),
    "start_up": Shown("docs/benchmarks.md", "5 min"),
    "memory": Shown("docs/benchmarks.md", "12 min"),
    "memory_by_count": Shown("docs/benchmarks.md", "10 min"),
    "curves": Shown("docs/benchmarks.md, docs/curves.md", "4 h"),
    "other_curves": Shown("docs/curves.md", "1 h"),
    "gpcc": Shown("docs/peers.md", "40 min"),
    "fields": Shown("docs/fields.md", "1 h"),
    "objectives": Shown("docs/fields.md", "15 min"),
    "fit_times": Shown("docs/fields.md", "20 min"),
    "every_mesh": Shown("docs/fields.md", "40 min"),
    "adding": Shown("docs/necgs.md", "15 min"),
    "adding_one": Shown("docs/necgs.md", "10 min, with demo/models packed by `--codec necgs`"),
    "default_growth_humans": Shown("docs/costs.md", "10 min, after `growth_humans.json`"),
    "default_growth_animals": Shown("docs/costs.md", "2 min, after `growth_animals.json`"),
    "default_growth_things": Shown("docs/costs.md", "10 min, after `growth_things.json`"),
    "growth_humans": Shown("docs/costs.md", "30 min"),
    "growth_humans_balanced": Shown("docs/costs.md", "30 min"),
    "growth_animals": Shown("docs/costs.md", "10 min"),
    "growth_things": Shown("docs/costs.md", "30 min"),
    "time_to_error_humans": Shown("docs/costs.md", "10 min"),
    "time_to_error_things": Shown("docs/costs.md", "10 min"),
    "bounded": Shown("docs/costs.md", "20 min"),
    "targets": Shown("docs/costs.md", "8 min"),
    "levers": Shown("docs/costs.md", "40 min"),
    "data_loading": Shown("docs/training.md", "2 min, with demo/models packed by `--codec necgs`"),
    "over_http": Shown("docs/web.md", "3 min, with demo/models packed by `--codec necgs`"),
    "index_bytes": Shown("docs/costs.md", "5 min"),
    "ablation_resolutions": Shown("docs/ablations.md", "10 min"),
    "ablation_resolutions-paper": Shown("docs/ablations.md", "30 min"),
    "ablation_autoencoder": Shown("docs/ablations.md", "30 min"),
    "ablation_ssim": Shown("docs/ablations.md", "15 min"),
    "ablation_quantisation": Shown("docs/ablations.md", "40 min"),
    "table1": Shown("docs/ablations.md", "40 min"),
    "engines": Shown("docs/necgs-paper.md", "20 min"),
    "paper_rates": Shown("docs/necgs-paper.md", "20 min"),
    "implicit": Shown("docs/implicit.md", "45 min"),
    "network_sizes": Shown("docs/implicit.md", "10 min"),
    "sphere_counts": Shown("docs/implicit.md", "10 min"),
    "batched_training": Shown("docs/implicit.md", "5 min"),
    "weight_bits": Shown("docs/implicit.md", "5 min"),
    "lgcl": Shown("docs/lgcl.md", "15 min"),
    "control_mesh_humans": Shown("docs/control-mesh.md", "20 min"),
    "control_mesh_animals": Shown("docs/control-mesh.md", "20 min"),
    "control_mesh_things": Shown("docs/control-mesh.md", "40 min"),
    "control_mesh_classics": Shown("docs/control-mesh.md", "30 min"),
    "groups_humans": Shown("docs/mesh-group.md", "60 min"),
    "groups_animals": Shown("docs/mesh-group.md", "3 min"),
    "sequence": Shown("docs/mesh-group.md", "15 min"),
    "control_mesh_tables": Shown("docs/control-mesh.md", "8 min"),
}
ATTACKS = {
    "fuzz": Shown("docs/hostile.md", "some hours"),
    "payloads": Shown("docs/hostile.md", "3 h"),
    "flips": Shown("docs/hostile.md", "1 h"),
    "kills": Shown("docs/hostile.md", "15 min"),
    "formats": Shown("here", "1 min"),
}


def commands(shown: dict[str, Shown], results: Callable[[str], Row]) -> str:
    """Return one row for each JSON file: its command, the page that shows it, the time, and the version."""
    lines = header("figures", "made by", "shown in", "takes about", "version")
    for name, (page, time) in shown.items():
        found = results(name)
        made, command = found["made_by"], "<br>".join(f"`{line}`" for line in found["command"].split("\n"))
        version = " ".join(["meshset", made["meshset"], *(["at", made["commit"]] if "commit" in made else [])])
        lines.append(f"| `{name}.json` | {command} | {page} | {time} | {version} |")
    return "\n".join(lines)
