"""The table of docs/hostile.md, from the committed JSON."""

from __future__ import annotations

from benchmarks.tables.parts import Row, header
from benchmarks.tables.versions import provenance


def attacks(fuzz: Row, payloads: Row, flips: Row, kills: Row) -> str:
    """Return what mutated files, flipped bits and killed writers did."""
    refused = "archive refused"
    lines = header("what", "result", "by")
    for kind, told in (("archives", "mutated archives"), ("meshes", "mutated mesh files")):
        failed, cases = len(fuzz[kind]["open"]), fuzz[kind]["cases"]
        limits = "crashed, hung for more than 5 s or took more than 1 GiB"
        lines.append(f"| {told} | {failed:,} of {cases:,} {limits} | `robustness/fuzz.py` |")
    for codec, found in payloads["codecs"].items():
        slowest = f"{1e3 * found['slowest_seconds']:.0f} ms"
        lines.append(
            f"| mutated bytes of `{codec}`, without checksums around them | 0 of {found['cases']:,} crashed; {slowest} "
            "at most | `robustness/payloads.py` |"
        )
    lines.append(
        f"| one bit flipped in each byte of an archive of {flips['meshes']} meshes "
        f"| {flips['bytes'] - flips['not_found']:,} of {flips['bytes']:,} found | `robustness/flips.py` |"
    )
    for region, found in flips["regions"].items():
        outcomes = "; ".join(key for key in found if key == refused or key.endswith("lost"))
        lines.append(f"| of these in the {region}, {found['share']:.2%} of the file | {outcomes} | |")
    lines.append(
        f"| `compress`, `add`, `replace` and `remove` killed {kills['kills']} times | {kills['lost']} meshes lost, "
        f"{kills['unreadable']} archives unreadable | `robustness/kills.py` |"
    )
    return "\n".join([*lines, "", provenance(fuzz, payloads, flips, kills)])
