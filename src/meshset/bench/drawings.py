"""Pictures of a few meshes beside what each system makes of them, for the report."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from meshset.bench.coders import Coder
from meshset.evaluation.pictures import picture_of_error, picture_of_mesh
from meshset.pipeline.steps.prepare import PreparedMesh

SIDE = 320
"""Pixels along each side."""

SCALE = 0.01
"""Distance in the cube [-1, 1]^3 at which the colours of errors end: half a percent of the longest side."""

SHOWN = 3
"""Meshes of a set that are drawn."""

UP: Literal["y", "z"] = "y"
"""Most published sets stand along y; parts for printing have no side that must be up."""


def draw(
    meshes: Sequence[PreparedMesh], shown: Mapping[str, Mapping[str, Any]], made: Mapping[str, tuple[Coder, Path]]
) -> list[dict[str, Any]]:
    """Return pictures of meshes evenly spaced in the set, each PNG in base64.

    Args:
        meshes: of the set.
        shown: for each system the figures of the point that is drawn.
        made: for each system the coder and the folder of that point.

    Returns:
        For each mesh: name, original, and decoded: system, mean_distance, png.
    """
    return [
        {
            "name": mesh.name,
            "original": _text(picture_of_mesh(mesh.load(), SIDE, UP)),
            "decoded": [_decoded(mesh, name, *made[name], shown[name]) for name in shown],
        }
        for mesh in _evenly(meshes)
    ]


def _evenly(meshes: Sequence[PreparedMesh]) -> Sequence[PreparedMesh]:
    if len(meshes) <= SHOWN:
        return meshes
    return [meshes[(2 * i + 1) * len(meshes) // (2 * SHOWN)] for i in range(SHOWN)]


def _decoded(mesh: PreparedMesh, system: str, coder: Coder, folder: Path, figures: Mapping[str, Any]) -> dict[str, Any]:
    name = mesh.name
    with coder.decoded(folder) as decoded:
        found = mesh.placement.normalise(decoded[name])
    return {
        "system": system,
        "mean_distance": figures["per_mesh"][name]["mean_distance"],
        "png": _text(picture_of_error(mesh.load(), found, SIDE, UP, SCALE)),
    }


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
