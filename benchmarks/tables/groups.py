"""The table of docs/mesh-group.md, from the committed JSON."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.tables.parts import NOT_MEASURED, Row, header
from benchmarks.tables.versions import provenance


def groups(found: Iterable[Row | None]) -> str:
    """Return the bytes of sets that share connectivity, beside those of each mesh by itself and of the peer."""
    rows = [row for row in found if row is not None]
    if not rows:
        return NOT_MEASURED
    lines = header(
        *("set", "meshes", "in groups", "distance", "bytes a mesh", "of these shared", "by itself", "peer", "ratio"),
        *("time", "decode"),
    )
    for one in rows:
        for row in one["rows"].values():
            count = row["meshes"]
            ours, peer = row["archive_bytes"] / count, row["peer_bytes_a_mesh"]
            lines.append(
                f"| {one['options']['set']} | {count} | {row['rungs'].get('mesh-group', 0)} "
                f"| {1e3 * row['mean_distance']:.1f}e-3 | {ours:,.0f} | {row['shared_bytes'] / count:,.0f} "
                f"| {row['alone_bytes'] / count:,.0f} | {peer:,.0f} | {peer / ours:.2f} "
                f"| {row['seconds'] / 60:.1f} min | {1e3 * row['decode_seconds']:.0f} ms |"
            )
    told = (
        "Bytes of the archive, names and index included, over its meshes. *By itself*: payloads of control meshes "
        "within the same bounds, without an index. *Peer*: Draco after the better simplifier, each mesh's smallest "
        "file within its bound, 24 meshes at most, without an index. *Ratio*: peer over ours."
    )
    return "\n".join([*lines, f"\n{told}\n\n{provenance(*rows)}"])


def sequence(found: Row | None) -> str:
    """Return the bytes of the frames of an animation."""
    if found is None:
        return NOT_MEASURED
    row = found["sequence"]
    frames = row["frames"]
    lines = header(
        "frames", "distance", "bytes a frame", "of these index", "by itself", "peer", "ratio", "time", "one frame"
    )
    lines.append(
        f"| {frames} | {1e3 * row['mean_distance']:.1f}e-3 | {row['archive_bytes'] / frames:,.0f} "
        f"| {row['index_bytes'] / frames:,.0f} | {row['alone_bytes'] / frames:,.0f} | {row['peer_bytes_a_frame']:,.0f} "
        f"| {row['peer_bytes_a_frame'] * frames / row['archive_bytes']:.2f} | {row['seconds'] / 60:.1f} min "
        f"| {1e3 * row['one_frame_seconds']:.0f} ms |"
    )
    told = (
        f"An animated GLB file through {len(found['poses'])} poses of a registered body, on straight lines between "
        "them. Columns as above; *one frame*: the time to read it first, with all that it refers to."
    )
    return "\n".join([*lines, f"\n{told}\n\n{provenance(found)}"])
