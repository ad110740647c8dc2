"""The tables of the README and of the pages about using archives, from the committed JSON."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.tables.parts import NOT_MEASURED, Row, header
from benchmarks.tables.versions import provenance

SETS = {"things24": "24 printed parts and robot links", "demo": "24 generated shapes (`make demo`)"}

_LOADED = {
    "archive, draco": "archive, codec `draco`",
    "obj": "OBJ",
    "ply": "PLY, binary",
    "glb": "GLB",
    "npz": ".npz, compressed",
    "archive, necgs": "archive, codec `necgs`",
}


def data_loading(found: Row | None) -> str:
    """Return meshes a second through a DataLoader, from an archive and from files."""
    if found is None:
        return NOT_MEASURED
    lines = header("from", "bytes a mesh", "faces a mesh", "one worker", "two workers")
    for name, label in _LOADED.items():
        if (row := found["rows"].get(name)) is not None:
            rates = row["meshes_per_second"]
            lines.append(
                f"| {label} | {row['bytes'] / row['meshes']:,.0f} | {row['faces'] / row['meshes']:,.0f} "
                f"| {rates['1']:.0f} | {rates['2']:.0f} |"
            )
    told = (
        f"{found['count']} generated meshes, those of `necgs` are others; meshes a second, the best of several passes."
    )
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])


_WAYS = {
    "zstd": ("zstd -19 of each file", "everything", "by file"),
    "draco": ("Draco", "triangles; attributes if asked for", "by file"),
    "draco-simplified": ("simplification, then Draco", "shape", "by file"),
    "auto": ("**meshset**", "shape", "by name, from disk or the web"),
    "necgs": ("meshset, `--codec necgs`", "shape", "by name, from disk or the web"),
}
_SHOWN = (1, 24, 200)


def when(found: Row | None) -> str:
    """Return when to use what: what is kept, how a mesh is reached, bytes at equal error, time to decode."""
    if found is None:
        return NOT_MEASURED
    sets = [row for row in found["sets"] if row["meshes"] in _SHOWN]
    times = found["decode_milliseconds"]
    titles = (
        f"{row['meshes']} {'body' if row['meshes'] == 1 else 'bodies'} at {row['mean_error_of_diagonal']:.2%}"
        for row in sets
    )
    lines = header("", "keeps", "random access", *titles, "decode one")
    for key, (label, keeps, access) in _WAYS.items():
        if key not in times:
            continue
        cells = (_size(row["bytes"][key]) for row in sets)
        lines.append(f"| {label} | {keeps} | {access} | {' | '.join(cells)} | {times[key]:.1f} ms |")
    return "\n".join([*lines, f"\n{provenance(found)}"])


def _size(count: float | None) -> str:
    if count is None:
        return "out of range"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} KB"


def _included(found: Row) -> str:
    return "decoder and index" if found["decoder_bytes"] else "names and index"


def claim(found: Row) -> str:
    """Return the sentence that the README opens with."""
    return (
        f"{SETS[found['file']]}, {found['obj_bytes'] / 1e6:.1f} MB as OBJ text, become **one file of "
        f"{found['archive_bytes'] / 1e3:.0f} KB**, {found['ratio']:.0f} times smaller, {_included(found)} included. "
        f"The mean error is {found['mean_error_of_diagonal']:.2%} of the diagonal of a mesh."
    )


def sets(found: Iterable[Row]) -> str:
    """Return the table of compressed sets."""
    lines = header(
        "set",
        "OBJ",
        "archive",
        "ratio",
        "payloads",
        "mean distance",
        "max distance",
        "CD",
        "NC",
        "F1-0.005",
        "F1-0.01",
        "time",
    )
    rows = list(found)
    for row in rows:
        lines.append(
            f"| {SETS[row['file']]} | {row['obj_bytes'] / 1e6:.1f} MB | {row['archive_bytes'] / 1e3:.0f} KB "
            f"| {row['ratio']:.0f}x | {row['latent_bytes'] / 1e3:.1f} KB | {1e3 * row['mean_distance']:.2f}e-3 "
            f"| {1e3 * row['max_distance']:.0f}e-3 | {1e3 * row['cd']:.2f}e-3 | {row['nc']:.3f} | {row['f1_005']:.3f} "
            f"| {row['f1_01']:.3f} | {row['compress_seconds'] / 60:.1f} min |"
        )
    return "\n".join([*lines, f"\n{provenance(*rows)}"])


def speed(found: Row) -> str:
    """Return what the narrow band gains."""
    lines = header("network", "training step", "decoding to triangles", "decoding takes")
    for key, label in (("default", "decoder of meshset"), ("paper", "the paper's widths, with a head")):
        row = found[key]
        lines.append(
            f"| {label} | {row['training_step_ratio']:.1f}x | {row['decode_ratio']:.1f}x "
            f"| {1e3 * row['decode_narrow_s']:.0f} ms |"
        )
    told = (
        f"K = 128, one mesh of {found['faces']:,} triangles, {found['band_share']:.1%} of the grid in the band, all in "
        "one run."
    )
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])


_STARTED = {
    "python_pass_s": "`python -c pass`",
    "import_meshset_s": "`python -c 'import meshset'`",
    "list_one_s": "`meshset list`, one mesh",
    "list_500_s": "`meshset list`, 500 meshes",
    "extract_one_k64_s": "`meshset extract`, one mesh of 500, K = 64",
}


def start_up(found: Row) -> str:
    """Return what it takes to start: installing, importing, listing, extracting."""
    lines = header("", "read-only install", "with all extras")
    for key, label in _STARTED.items():
        lines.append(
            f"| {label} | {1e3 * found['read-only'][key]:,.0f} ms | {1e3 * found['all extras'][key]:,.0f} ms |"
        )
    made = found["install"]
    told = (
        f"From a nearby package index, `pip install` of the wheel ({made['wheel_bytes'] / 1e3:.0f} KB) takes "
        f"{made['pip_install_s']:.0f} s and adds {made['install_bytes'] / 1e6:.0f} MB to an empty environment; "
        f"{made['pip_to_first_mesh_s']:.0f} s after its start the first mesh is on disk."
    )
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])


def memory(found: Row, by_count: Row) -> str:
    """Return how peak memory grows with the size of a set."""
    lines = header("generated meshes, K = 32", "compressing", "extracting")
    for row in by_count["sets"]:
        peaks = (f"{row[task]['peak_memory_bytes'] / 1e6:,.0f} MB" for task in ("compress", "extract"))
        lines.append(f"| {row['meshes']:,} | {' | '.join(peaks)} |")
    told = (
        f"Compressing keeps up to 1 GiB of prepared fields in memory. {found['meshes']} real meshes at "
        f"K = {found['resolution']} take {found['peak_memory_bytes'] / 1e9:.1f} GB at their peak."
    )
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found, by_count)}"])


def three(found: Row) -> str:
    """Return the same meshes by the default, by codec necgs, and by Draco after simplification."""
    lines = header("24 generated shapes", "bytes", "ratio", "mean error", "normal consistency", "time")
    for name, label in (
        ("default", "`meshset compress`"),
        ("--codec necgs", "`--codec necgs`, 45 s of training"),
        ("simplified Draco", "simplification, then Draco"),
    ):
        row = found["rows"][name]
        measured = "<= 0.1% | | |"
        if "nc" in row:
            measured = f"{row['mean_error_of_diagonal']:.3%} | {row['nc']:.3f} | {row['compress_seconds']:.0f} s |"
        ratio = row["obj_bytes"] / row["archive_bytes"]
        lines.append(f"| {label} | {row['archive_bytes']:,} | {ratio:.0f} | {measured}")
    return "\n".join([*lines, f"\n{provenance(found)}"])


def default_growth(found: Iterable[Row | None]) -> str:
    """Return archives of the default by number of meshes, beside the default before at equal mean distance."""
    made = [one for one in found if one is not None]
    if not made:
        return NOT_MEASURED
    lines = header(
        "set",
        "mean error",
        "default, B",
        "`--codec necgs`, B",
        "simplified Draco without index, B",
        "seconds a mesh",
    )
    for one in made:
        for row in one["rows"].values():
            lines.append(
                f"| {row['meshes']} {one['options']['set']} | {row['mean_error_of_diagonal']:.2%} "
                f"| {row['archive_bytes']:,} | {_count(row['necgs_bytes'])} | {_count(row['draco_bytes'])} "
                f"| {row['seconds'] / row['meshes']:.1f} |"
            )
    return "\n".join([*lines, f"\n{provenance(*made)}"])


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
