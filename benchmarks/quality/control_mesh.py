"""Control meshes beside Draco after simplification: bytes at equal mean distance, and where ours go.

python benchmarks/quality/control_mesh.py sets/humans --cache control-mesh.work \
    --out benchmarks/results/control_mesh_humans.json

Two comparisons. *Each mesh within a distance*: the smallest file of either kind whose distance is no larger. *At equal
slope*: for each trade-off mu the setting of each mesh with the least bytes + mu x distance, means over the meshes,
interpolated at the distances. Both kinds are measured by the same function on the same points. Distances are means of
both directions in 1e-3 of half the side of the cube; bytes are those of a mesh, without the archive around it. The
command goes on where it was interrupted, by what it keeps in the cache.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import meshset
from meshset.codecs.control_mesh.bitstream import decode
from meshset.codecs.control_mesh.fitting import Original
from meshset.codecs.control_mesh.search import EFFORTS, search
from meshset.codecs.control_mesh.surface import surface_of
from meshset.evaluation import compare
from meshset.progress import advance, stage
from meshset.progress.bars import showing_progress

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.control_meshes import bytes_by_part
from benchmarks.common.figures import Row, command, write_json
from benchmarks.common.meshes import manifest, normalised
from benchmarks.common.options import parsed
from benchmarks.common.peer_files import digest, peer_files
from benchmarks.common.thin import spread

DISTANCES = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
NORMALS = 20_000
"""Points a surface of the normal consistency."""

SLOPES = np.geomspace(2.0, 20_000.0, 120)
"""Bytes for a thousandth of distance."""

CODE = ("codecs/control_mesh", "coding")
"""Folders of meshset on which our payloads depend."""


def of_peer(original: Original, distances: Sequence[float], cache: Path) -> Row:
    """Return the bytes and distances of the peer's best files, and more of the one for each distance."""
    files = peer_files(original, cache)
    chosen: Row = {}
    for distance in distances:
        file = next((file for file in files if 1e3 * file.distance <= distance), None)
        if file is not None:
            chosen[f"{distance:g}"] = {
                "faces": file.faces,
                "bits": file.bits,
                "bytes": len(file.payload),
                "distance": 1e3 * file.distance,
                "nc": compare(original.mesh, file.decode(), NORMALS).nc,
            }
    return {"points": [[len(file.payload), 1e3 * file.distance] for file in files], "within": chosen}


def of_ours(original: Original, distance: float, effort: str) -> Row | None:
    """Return the figures of a control mesh within a distance, None where there is none."""
    start = time.perf_counter()
    found = search(original, distance / 1e3, EFFORTS[effort])
    seconds = time.perf_counter() - start
    if found is None:
        return None
    start = time.perf_counter()
    surface = surface_of(found.payload)
    decoding = time.perf_counter() - start
    control = decode(found.payload)
    return {
        "bytes": len(found.payload),
        "distance": 1e3 * original.distance(surface),
        "nc": compare(original.mesh, surface, NORMALS).nc,
        "vertices": len(control.points),
        "kind": ("creased" if control.sharp.any() else "smooth") if control.levels else "flat",
        "parts": bytes_by_part(found.payload),
        "encode_seconds": seconds,
        "decode_seconds": decoding,
        "payload": base64.b64encode(found.payload).decode(),
    }


def code_digest() -> str:
    """Return a name for the code that our payloads depend on."""
    told = hashlib.sha256()
    for folder in CODE:
        for path in sorted((Path(meshset.__file__).parent / folder).glob("*.*")):
            told.update(path.read_bytes())
    return told.hexdigest()


def measured(path: Path, distances: Sequence[float], effort: str, cache: Path, code: str) -> Row:
    """Return the figures of a mesh."""
    mesh = normalised(path)
    original = Original(mesh)
    peer = of_peer(original, distances, cache)
    advance(status=path.stem)
    ours: dict[str, Row] = {}
    for distance in distances:
        kept = cache / f"ours-{digest(mesh, [distance, effort, code])}.json"
        if not kept.exists():
            kept.write_text(json.dumps(of_ours(original, distance, effort)))
        found = json.loads(kept.read_text())
        if found is not None:
            del found["payload"]
            ours[f"{distance:g}"] = found
        advance(status=path.stem)
    points = [[row["bytes"], row["distance"]] for row in ours.values()]
    return {"faces": len(mesh.faces), "peer": peer, "ours": {"points": points, "within": ours}}


def smallest(points: Sequence[Sequence[float]], distance: float) -> float | None:
    """Return the fewest bytes within a distance."""
    return min((size for size, away in points if away <= distance), default=None)


def within(meshes: Mapping[str, Row], distance: float) -> Row:
    """Return the comparison of each mesh within a distance, over those that both can keep within it."""
    pairs = {
        name: [smallest(mesh[who]["points"], distance) for who in ("peer", "ours")] for name, mesh in meshes.items()
    }
    both = {name: pair for name, pair in pairs.items() if None not in pair}
    peer, ours = (statistics.fmean(pair[k] for pair in both.values()) for k in range(2))
    ratios = {name: pair[0] / pair[1] for name, pair in both.items()}
    worst = min(ratios, key=ratios.__getitem__)
    key = f"{distance:g}"
    normals = [
        [mesh[who]["within"][key]["nc"] for who in ("peer", "ours")]
        for mesh in meshes.values()
        if all(key in mesh[who]["within"] for who in ("peer", "ours"))
    ]
    return {
        "meshes": len(both),
        "peer_bytes": peer,
        "our_bytes": ours,
        "ratio": peer / ours,
        "ratio_of_a_mesh": statistics.geometric_mean(ratios.values()),
        "no_larger": sum(ratio >= 1.0 for ratio in ratios.values()),
        "worst": worst,
        "worst_ratio": ratios[worst],
        "peer_nc": statistics.fmean(pair[0] for pair in normals),
        "our_nc": statistics.fmean(pair[1] for pair in normals),
    }


def envelope(meshes: Mapping[str, Row], who: str) -> list[list[float]]:
    """Return distance and bytes, means over all meshes, at each slope."""
    rows = [np.array(mesh[who]["points"]) for mesh in meshes.values()]
    chosen = [[row[np.argmin(row[:, 0] + slope * row[:, 1])] for row in rows] for slope in SLOPES]
    found = {tuple(np.mean(points, axis=0)[::-1].tolist()) for points in chosen}
    return [list(point) for point in sorted(found)]


def at(curve: Sequence[Sequence[float]], distance: float) -> float | None:
    """Return the bytes of an envelope at a distance, None beyond its ends."""
    away, size = np.log(np.array(curve)).T
    if not away[0] <= np.log(distance) <= away[-1]:
        return None
    return float(np.exp(np.interp(np.log(distance), away, size)))


def slopes(meshes: Mapping[str, Row], distances: Sequence[float]) -> Row:
    """Return the comparison at equal slope, at each distance that both reach."""
    curves = {who: envelope(meshes, who) for who in ("peer", "ours")}
    found: Row = {}
    for distance in distances:
        peer, ours = (at(curves[who], distance) for who in ("peer", "ours"))
        if peer is not None and ours is not None:
            found[f"{distance:g}"] = {"peer_bytes": peer, "our_bytes": ours, "ratio": peer / ours}
    return found


def summary(meshes: Mapping[str, Row], distances: Sequence[float]) -> Row:
    """Return what is compared, and what ours are like at each distance."""
    described: Row = {}
    for key in (f"{distance:g}" for distance in distances):
        rows = [mesh["ours"]["within"][key] for mesh in meshes.values() if key in mesh["ours"]["within"]]
        kinds = [row["kind"] for row in rows]
        described[key] = {
            "vertices": statistics.fmean(row["vertices"] for row in rows),
            "kinds": {kind: kinds.count(kind) for kind in ("flat", "smooth", "creased")},
            "parts": {part: statistics.fmean(row["parts"][part] for row in rows) for part in rows[0]["parts"]},
            "encode_seconds": statistics.fmean(row["encode_seconds"] for row in rows),
            "decode_seconds": statistics.fmean(row["decode_seconds"] for row in rows),
        }
    compared = {f"{distance:g}": within(meshes, distance) for distance in distances}
    return {"within": compared, "at_equal_slope": slopes(meshes, distances), "ours": described}


def chosen(folder: Path, count: int) -> list[Path]:
    """Return `count` meshes of a folder, evenly spaced in the order of their names, or all if there are no more."""
    paths = sorted(folder / row["file"] for row in manifest(folder))
    return spread(paths, min(count, len(paths)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of meshes")
    parser.add_argument("--count", type=int, default=24, help="meshes, evenly spaced in the order of their names")
    parser.add_argument("--distances", type=float, nargs="+", default=DISTANCES, help="in 1e-3")
    parser.add_argument("--effort", choices=list(EFFORTS), default="balanced")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what need not be made again")
    options = parsed(parser)
    paths, code = chosen(options.folder, options.count), code_digest()
    meshes: dict[str, Any] = {}
    with showing_progress():
        stage(options.folder.name, len(paths) * (1 + len(options.distances)))
        for path in paths:
            meshes[path.stem] = measured(path, options.distances, options.effort, options.cache, code)
    found = summary(meshes, options.distances)
    for key, row in found["within"].items():
        equal = found["at_equal_slope"].get(key, {}).get("ratio", float("nan"))
        print(f"{key}: {row['ratio']:.2f} within, {equal:.2f} at equal slope, {row['no_larger']} of {row['meshes']}")
    described = {"set": options.folder.name, "effort": options.effort, "distances": list(options.distances)}
    write_json(options.out, command([options.folder]), {**described, **found, "meshes": meshes})


if __name__ == "__main__":
    main()
