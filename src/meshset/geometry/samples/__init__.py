"""A procedural set of meshes, for demonstrations and tests without any data.

Every mesh is closed, faces outward, has two faces at each edge, and has 2,000 to 30,000 faces.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from meshset.geometry.mesh import Mesh
from meshset.geometry.samples import creatures, mechanical, organic, turned
from meshset.geometry.samples._registry import FAMILIES

__all__ = ["FAMILIES", "creatures", "mechanical", "organic", "sample_meshes", "turned"]


def sample_meshes(count: int, seed: int = 0) -> Iterator[tuple[str, Mesh]]:
    """Yield `count` different meshes with their names, the families in turn: "gear-000", "bracket-000", ...

    A mesh depends on `seed` and its own name alone, so a larger count only adds meshes at the end.

    Args:
        count: number of meshes, 0 or more.
        seed: 0 or more; another seed gives other shapes under the same names.
    """
    families = list(FAMILIES.items())
    for position in range(count):
        number, index = divmod(position, len(families))
        name, build = families[index]
        yield f"{name}-{number:03d}", build(np.random.default_rng((seed, index, number)))
