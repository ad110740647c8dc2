"""The table of sample families, which the family modules fill when they are imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from meshset.geometry.mesh import Mesh

Family: TypeAlias = Callable[[np.random.Generator], Mesh]
"""Draws the parameters of one shape and builds it: closed, outward, edge-manifold."""

FAMILIES: dict[str, Family] = {}


def family(name: str) -> Callable[[Family], Family]:
    """Enter the decorated function into `FAMILIES` under `name`."""

    def enter(build: Family) -> Family:
        FAMILIES[name] = build
        return build

    return enter
