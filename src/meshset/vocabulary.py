"""The choices and conventions that all rooms share, each in one place; importable without numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

Resolution = Literal[32, 64, 128, 256]
"""K, grid points along each side of the cube [-1, 1]^3."""

FieldKind = Literal["tsdf", "tsdf-def"]
"""Whether grid points may move, which keeps thin and sharp parts."""

Objective = Literal["project", "render"]
"""What a TSDF-Def is fitted by: distances between surfaces, or silhouettes and depth images (NeCGS Algorithm 1)."""

Preset = Literal["fast", "balanced", "best"]
"""How long to train."""

DeviceChoice = Literal["auto", "cpu", "cuda"]
"""Where to train, for the command line; Python takes any torch device string."""

AUTO = "auto"
"""In place of a codec: whatever codes each mesh in the fewest bytes."""

MESH_GROUP = "mesh-group"
"""The codec of meshes that share connectivity."""

FEWEST_FRAMES = 6
"""From so many on, meshes of one connectivity with numbers at the end of their names are frames of a sequence."""

MeshFormat = Literal["obj", "ply", "stl", "off", "glb"]
"""Mesh files that can be written."""

RESOLUTIONS: tuple[Resolution, ...] = get_args(Resolution)
FIELD_KINDS: tuple[FieldKind, ...] = get_args(FieldKind)
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
PRESETS: tuple[Preset, ...] = get_args(Preset)
MESH_FORMATS: tuple[MeshFormat, ...] = get_args(MeshFormat)

LONGEST_SIDE = 1.99
"""Longest side of a normalised bounding box; the released NeCGS code leaves the same margin in the cube."""


def either(words: Sequence[object]) -> str:
    """Return choices for a message, such as "32, 64 or 128".

    >>> either(["tsdf", "tsdf-def"])
    'tsdf or tsdf-def'
    """
    *most, last = map(str, words)
    return f"{', '.join(most)} or {last}" if most else last
