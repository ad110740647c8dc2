"""The tables of docs/control-mesh.md, from the committed JSON."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from benchmarks.tables.parts import NOT_MEASURED, Row, header
from benchmarks.tables.versions import provenance

PARTS = ("connectivity", "normal", "tangential", "start", "creases", "header")


def against_peer(found: Iterable[Row | None]) -> str:
    """Return the bytes of control meshes and of the peer at equal distance, a table for each set."""
    rows = [row for row in found if row is not None]
    if not rows:
        return NOT_MEASURED
    lines = header(
        *("set", "distance", "peer, B", "control mesh, B", "ratio", "of a mesh", "at equal slope"),
        *("no larger than the peer's", "worst mesh", "NC of the peer", "NC"),
    )
    for one in rows:
        for key, row in one["within"].items():
            slope = one["at_equal_slope"].get(key)
            equal = f"{slope['ratio']:.2f}" if slope else ""
            lines.append(
                f"| {one['set']} | {key}e-3 | {row['peer_bytes']:,.0f} | {row['our_bytes']:,.0f} | {row['ratio']:.2f} "
                f"| {row['ratio_of_a_mesh']:.2f} | {equal} | {row['no_larger']} of {row['meshes']} "
                f"| {row['worst_ratio']:.2f} | {row['peer_nc']:.3f} | {row['our_nc']:.3f} |"
            )
    counts = ", ".join(f"{len(one['meshes'])} {one['set']}" for one in rows)
    told = (
        f"{counts}; means over the meshes, distances in the cube of side 2. *Ratio*: peer over control mesh, of the "
        "smallest files within the distance, mesh by mesh, all bytes together; *of a mesh*: the geometric mean over "
        "them, each alike; *at equal slope*: of means over settings with the same "
        "trade-off; *worst mesh*: the lowest ratio of one. NC: normal consistency."
    )
    return "\n".join([*lines, f"\n{told}\n\n{provenance(*rows)}"])


def parts(found: Iterable[Row | None]) -> str:
    """Return where the bytes go."""
    rows = [row for row in found if row is not None]
    if not rows:
        return NOT_MEASURED
    lines = header("set", "distance", "bytes", "vertices", "bits a vertex", *PARTS)
    for one in rows:
        for key, row in one["ours"].items():
            total = sum(row["parts"].values())
            shares = " | ".join(f"{row['parts'][part] / total:.0%}" for part in PARTS)
            lines.append(
                f"| {one['set']} | {key}e-3 | {total:,.0f} | {row['vertices']:,.0f} "
                f"| {8 * total / row['vertices']:.1f} | {shares} |"
            )
    return "\n".join([*lines, f"\nMeans over the meshes.\n\n{provenance(*rows)}"])


def kinds(found: Iterable[Row | None]) -> str:
    """Return which kinds of surface were chosen, and how long it took."""
    rows = [row for row in found if row is not None]
    if not rows:
        return NOT_MEASURED
    lines = header("set", "distance", "flat", "smooth", "creased", "encode", "decode")
    for one in rows:
        for key, row in one["ours"].items():
            chosen = " | ".join(str(row["kinds"][kind]) for kind in ("flat", "smooth", "creased"))
            lines.append(
                f"| {one['set']} | {key}e-3 | {chosen} | {row['encode_seconds']:.1f} s "
                f"| {1e3 * row['decode_seconds']:.0f} ms |"
            )
    efforts = ", ".join(dict.fromkeys(f"`{one['effort']}`" for one in rows))
    told = f"Meshes of each kind, and mean times with one thread at preset {efforts}."
    return "\n".join([*lines, f"\n{told}\n\n{provenance(*rows)}"])


SIZES = (100, 200, 500, 1000, 2000, 5000, 1 << 20)
"""Vertices up to which control meshes are in a row."""


def sizes(found: Iterable[Row | None]) -> str:
    """Return how long control meshes take to encode and decode by their vertices, over all sets and distances."""
    made = [one for one in found if one is not None]
    if not made:
        return NOT_MEASURED
    rows = [row for one in made for mesh in one["meshes"].values() for row in mesh["ours"]["within"].values()]
    lines = header("vertices", "control meshes", "bytes", "encode", "decode", "decode a thousand vertices")
    for low, high in zip((0, *SIZES), SIZES, strict=False):
        group = [row for row in rows if low < row["vertices"] <= high]
        if group:
            vertices, size, encode, decode = (
                fmean(row[key] for row in group) for key in ("vertices", "bytes", "encode_seconds", "decode_seconds")
            )
            lines.append(
                f"| {vertices:,.0f} | {len(group)} | {size:,.0f} | {encode:.1f} s | {1e3 * decode:.0f} ms "
                f"| {1e6 * decode / vertices:.0f} ms |"
            )
    return "\n".join([*lines, f"\nMeans, one thread of a machine with other work.\n\n{provenance(*made)}"])


def training(found: Row | None) -> str:
    """Return what the tables that ship were made of, and what other beginnings would cost."""
    if found is None:
        return NOT_MEASURED
    costs, held = found["bytes_of_decisions_held_out_by_limit"], found["held_out"]
    lines = header("how sure contexts begin", *(f"limit {limit}" for limit in costs))
    for name in next(iter(costs.values())):
        label = "as costs least, each" if name == "chosen" else name
        lines.append(f"| {label} | {' | '.join(f'{row[name]:,}' for row in costs.values())} |")
    told = (
        f"Made from {found['meshes']} control meshes; the bytes are those of all decisions of {held['meshes']} others, "
        "from other sources of files. *Limit*: a decision moves a probability by one part in so many, "
        f"at least. With what even numbers take, these meshes have {held['bytes']:,} bytes, "
        f"{held['bytes_with_the_tables_before']:,} with the tables before."
    )
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])
