"""Fewer faces before an ordinary codec: what anybody would do who wants a smaller file.

Quadric error metrics (Garland and Heckbert 1997), by libigl, which always takes the cheapest edge of all. It needs a
manifold and keeps its topology. Where that is not given, or not enough, fast-simplification does the rest: it takes
any edge below a rising threshold, so it is worse at the same number of faces, the more so the faster the threshold
rises.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from meshset.errors import MissingExtraError
from meshset.geometry import Mesh

FEWEST_FACES = 4
"""A closed surface has no fewer."""

REACHED = 1.02
"""A result with this share of the faces asked for counts as reached."""

AGGRESSIVENESS = (1, 2, 3, 4, 5, 6, 7)
"""How fast the threshold of fast-simplification rises; 7 is its default, slower is better and may stop too early."""

_STEADY = 3
"""The lowest aggressiveness that reaches a tenth of many faces."""

FORCED = "simplified beyond what its topology allows"


def simplify(mesh: Mesh, kept: float) -> tuple[Mesh, tuple[str, ...]]:
    """Reduce `mesh` to a share `kept` of its faces, or as near to it as can be.

    Returns:
        The simplified mesh, vertices float64, and a note where its topology may have changed.

    Raises:
        MissingExtraError: libigl or fast-simplification is not installed.
    """
    target = max(FEWEST_FACES, round(kept * len(mesh.faces)))
    if target >= len(mesh.faces):
        return mesh, ()
    if _is_oriented_manifold(mesh):
        mesh = _cheapest_edge_first(mesh, target)
    if len(mesh.faces) <= REACHED * target:
        return mesh, ()
    return _by_threshold(mesh, target), (FORCED,)


def thinned(mesh: Mesh, faces: int) -> Mesh:
    """Reduce many faces to `faces`, ten times sooner than `simplify`; a manifold stays one, of more faces if need be.

    Raises:
        MissingExtraError: libigl or fast-simplification is not installed.
    """
    thin = _by_threshold(mesh, faces, _STEADY)
    if _is_oriented_manifold(mesh) and not _is_oriented_manifold(thin):
        return _cheapest_edge_first(mesh, faces)
    return thin


def _is_oriented_manifold(mesh: Mesh) -> bool:
    """Whether libigl can simplify `mesh`; on others it gives up, or never returns."""
    starts = mesh.faces.astype(np.int64)
    edges = starts * len(mesh.vertices) + np.roll(starts, -1, axis=1)
    if len(np.unique(edges)) != edges.size:
        return False
    # A vertex that no face uses does not count as manifold.
    used = np.unique(mesh.faces)
    return bool(_igl().is_vertex_manifold(starts)[used].all())


def _cheapest_edge_first(mesh: Mesh, target: int) -> Mesh:
    vertices = np.asfortranarray(mesh.vertices, dtype=np.float64)
    found, faces, _, _ = _igl().qslim(vertices, np.asfortranarray(mesh.faces, dtype=np.int32), target)
    return Mesh(found, faces.astype(np.int32))


def _by_threshold(mesh: Mesh, target: int, least: int = AGGRESSIVENESS[0]) -> Mesh:
    """Simplify by fast-simplification as gently as reaches the target, else as far as it gets."""
    try:
        from fast_simplification import simplify as reduce
    except ImportError as error:
        raise MissingExtraError("simplification", "bench") from error
    results = []
    for aggressiveness in range(least, AGGRESSIVENESS[-1] + 1):
        vertices, faces = reduce(mesh.vertices.astype(np.float64), mesh.faces, target_count=target, agg=aggressiveness)
        results.append(Mesh(vertices, faces.astype(np.int32)))
        if len(faces) <= REACHED * target:
            break
    return min(results, key=lambda result: len(result.faces))


def _igl() -> Any:
    try:
        import igl
    except ImportError as error:
        raise MissingExtraError("simplification", "bench") from error
    return igl
