"""Draw the tables of the README, of docs/ and of the benchmarks' pages from the committed JSON.

python benchmarks/tables/draw.py            # rewrite them
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.tables import ablations, attacks, control_mesh, costs, curves, fields, front, groups, index, networks
from benchmarks.tables.versions import provenance

RESULTS, ATTACKS = ROOT / "benchmarks" / "results", ROOT / "robustness" / "results"
BEGIN, END = "<!-- drawn by benchmarks/tables/draw.py: {} -->", "<!-- end of {} -->"


def results(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Return one committed JSON file."""
    return {"file": name, **json.loads((folder / f"{name}.json").read_text())}


def attacked(name: str) -> dict[str, Any]:
    """Return one committed JSON file of robustness/."""
    return results(name, ATTACKS)


def measured(name: str) -> dict[str, Any] | None:
    """Return one committed JSON file, None if it was not made yet."""
    return results(name) if (RESULTS / f"{name}.json").exists() else None


def adding_one_table() -> str:
    """Return what one large mesh costs that joins a set, against compressing the set again."""
    found = results("adding_one")
    lines = ["| | error | bytes of the mesh | archive growth, bytes | time |", "|---|---|---|---|---|"]
    for way in ("frozen", "frozen, bounded", "updated", "compressed again"):
        row = found[way]
        lines.append(
            f"| {way} | {row['mean_error_of_diagonal']:.2%} | {row['bytes_a_mesh']:,} | {row['archive_grows_by']:,} "
            f"| {row['seconds']:.0f} s |"
        )
    made = (
        f"A mesh of {found['source_faces']:,} faces joins {found['meshes']} at K = {found['resolution']}, preset "
        f"`{found['preset']}`."
    )
    return "\n".join(lines) + f"\n\n{made}\n\n{provenance(found)}"


def engines_table() -> str:
    """Return the engines of codec necgs-paper side by side."""
    found = results("engines")
    lines = [
        "| engine | archive | decoder | mean distance | worst mesh | compress, over `dense` |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in found["engines"].items():
        lines.append(
            f"| `{name}` | {row['archive_bytes']:,} | {row['decoder_bytes']:,} | {1e3 * row['mean_distance']:.1f}e-3 "
            f"| {1e3 * row['worst_mean_distance']:.1f}e-3 "
            f"| {row['compress_seconds'] / found['engines']['dense']['compress_seconds']:.2f} |"
        )
    return "\n".join(lines) + f"\n\n{provenance(found)}"


def rates_table() -> str:
    """Return what batch size and learning rate do to codec necgs-paper where visits are few."""
    found = results("paper_rates")
    lines = ["| batch | peak rate | archive | mean distance | worst mesh |", "|---|---|---|---|---|"]
    for row in found["rows"]:
        lines.append(
            f"| {row['batch']} | {row['rate']:g} | {row['archive_bytes']:,} | {1e3 * row['mean_distance']:.2f}e-3 "
            f"| {1e3 * row['worst_mean_distance']:.1f}e-3 |"
        )
    return "\n".join(lines) + f"\n\n{found['visits']:,} visits each.\n\n{provenance(found)}"


def adding_table() -> str:
    """Return what becomes of meshes that join a set, in each way of adding them."""
    found = results("adding")
    kinds = ("same kind", "other kind")
    together = found["trained together"]
    ways = {way: [found[f"added, {kind}"][way] for kind in kinds] for way in ("frozen", "frozen, bounded", "updated")}
    ways["trained together"] = [{**together[kind], "seconds": together["seconds"]} for kind in kinds]
    lines = [
        "| | same kind: error | bytes per mesh | time | other kind: error | bytes per mesh | time |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, rows in ways.items():
        cells = [f"{r['mean_error_of_diagonal']:.2%} | {r['bytes_a_mesh']:,} | {r['seconds']:.0f} s" for r in rows]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    before, updated = found["set"], found["added, same kind"]["updated"]
    after = updated["the set"]
    told = (
        f"{updated['meshes']} meshes of each kind join {found['meshes']} at K = {found['resolution']}, preset "
        f"`{found['preset']}`; errors are means over them as shares of the diagonal, *bounded* is `--max-error "
        f"{100 * found['max_error_of_diagonal']:g}%`, *updated* `--update-decoder`; one thread of a busy machine. "
        f"The set itself: {before['mean_error_of_diagonal']:.3%}, trained in {before['seconds']:.0f} s. After the "
        f"update with the same kind its archive states {after['stated_mean_error_of_diagonal']:.3%}, the originals say "
        f"{after['measured_mean_error_of_diagonal']:.3%}, and the file is {updated['archive_grows_by'] / 1e3:.1f} KB "
        "larger."
    )
    return "\n".join(lines) + f"\n\n{told}\n\n{provenance(found)}"


def ablation(name: str) -> str:
    """Return the table of one ablation."""
    return ablations.ablation(measured(f"ablation_{name}"))


def control_meshes(table: Callable[[Iterable[dict[str, Any] | None]], str]) -> str:
    """Return a table of control meshes, of all sets that were measured."""
    return table(measured(f"control_mesh_{name}") for name in CONTROL_MESHES)


GROWN = ("humans", "humans_balanced", "animals", "things")
GROWN_BY_DEFAULT = ("humans", "animals", "things")
TIMED = ("humans", "things")
CONTROL_MESHES = ("humans", "animals", "things", "classics")
GROUPED = ("humans", "animals")
ABLATIONS = ("resolutions", "resolutions-paper", "autoencoder", "ssim", "quantisation")
TABLES: dict[str, Callable[[], str]] = {
    "three": lambda: front.three(results("demo")),
    "default growth": lambda: front.default_growth(measured(f"default_growth_{name}") for name in GROWN_BY_DEFAULT),
    "when": lambda: front.when(measured("when")),
    "claim": lambda: front.claim(results("things24")),
    "sets": lambda: front.sets(results(name) for name in front.SETS),
    "speed": lambda: front.speed(results("decoder_speed")),
    "start up": lambda: front.start_up(results("start_up")),
    "memory": lambda: front.memory(results("memory"), results("memory_by_count")),
    "data loading": lambda: front.data_loading(measured("data_loading")),
    "table 2": lambda: fields.table_2(results("fields")),
    "objectives": lambda: fields.objectives(results("objectives")),
    "every mesh": lambda: fields.every_mesh(results("every_mesh")),
    "adding": adding_table,
    "adding one": adding_one_table,
    "engines": engines_table,
    "rates": rates_table,
    "times": lambda: fields.times(results("fit_times")),
    "table 1": lambda: ablations.table_1(measured("table1")),
    "differences": lambda: curves.differences(measured("curves")),
    "curves": lambda: curves.points(measured("curves")),
    **{name: partial(ablation, name) for name in ABLATIONS},
    "curves of others": lambda: curves.points(measured("other_curves")),
    "growth": lambda: costs.growth(measured(f"growth_{name}") for name in GROWN),
    "time to error": lambda: costs.time_to_error(measured(f"time_to_error_{name}") for name in TIMED),
    "bounded": lambda: costs.bounded(measured("bounded")),
    "targets": lambda: costs.targets(measured("targets")),
    "levers": lambda: costs.levers(measured("levers")),
    "over http": lambda: costs.over_http(measured("over_http")),
    "index bytes": lambda: costs.index_bytes(measured("index_bytes")),
    "implicit table 1": lambda: networks.table_1(measured("implicit")),
    "network sizes": lambda: networks.sizes(measured("network_sizes")),
    "sphere counts": lambda: networks.spheres(measured("sphere_counts")),
    "batched training": lambda: networks.batched(measured("batched_training")),
    "weight bits": lambda: networks.weight_bits(measured("weight_bits")),
    "lgcl": lambda: networks.lgcl(measured("lgcl")),
    "gpcc": lambda: curves.beside_draco(measured("gpcc"), "gpcc"),
    **{
        f"control mesh, {name}": partial(control_meshes, table)
        for name, table in (
            ("against the peer", control_mesh.against_peer),
            ("parts", control_mesh.parts),
            ("kinds", control_mesh.kinds),
            ("sizes", control_mesh.sizes),
        )
    },
    "control mesh, training": lambda: control_mesh.training(measured("control_mesh_tables")),
    "groups": lambda: groups.groups(measured(f"groups_{name}") for name in GROUPED),
    "sequence": lambda: groups.sequence(measured("sequence")),
    "attacks": lambda: attacks.attacks(*map(attacked, ("fuzz", "payloads", "flips", "kills"))),
    "figures": lambda: index.commands(index.FIGURES, results),
    "figures of attacks": lambda: index.commands(index.ATTACKS, attacked),
}
DOCUMENTS = (
    "README.md",
    "docs/benchmarks.md",
    "docs/training.md",
    "docs/fields.md",
    "docs/necgs.md",
    "docs/necgs-paper.md",
    "docs/ablations.md",
    "docs/curves.md",
    "docs/costs.md",
    "docs/implicit.md",
    "docs/latent_sdf.md",
    "docs/lgcl.md",
    "docs/control-mesh.md",
    "docs/mesh-group.md",
    "docs/peers.md",
    "docs/hostile.md",
    "docs/web.md",
    "benchmarks/README.md",
    "robustness/README.md",
)


def drawn(text: str) -> str:
    """Return a document with what stands between its marks drawn anew."""
    for name, table in TABLES.items():
        begin, end = BEGIN.format(name), END.format(name)
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        text = pattern.sub(lambda _, table=table, begin=begin, end=end: f"{begin}\n{table()}\n{end}", text)
    return text


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for name in DOCUMENTS:
        path = ROOT / name
        path.write_text(drawn(path.read_text()))


if __name__ == "__main__":
    main()
