"""Simplified versions of a mesh, each made once."""

from __future__ import annotations

import numpy as np

from meshset.codecs.peers.simplification import simplify, thinned
from meshset.geometry import Mesh

_FINER, _DETOUR = (4_000, 20_000, 100_000), 5
"""Few faces are made of so many, which are made once, where there are at least this many times fewer."""

_MANY = 20_000
"""So many faces are still too many for it to matter which of a mesh of more are left."""


class Coarse:
    """Simplified versions of a mesh, of which faces that are there twice are left out: they add no surface.

    Attributes:
        mesh: each face once.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh, self._notes = _each_face_once(mesh)
        self._made: dict[int, tuple[Mesh, tuple[str, ...]]] = {}
        self._thin: dict[int, Mesh] = {}

    def of(self, faces: int) -> tuple[Mesh, tuple[str, ...]]:
        """Return the mesh with about so many faces, or with those it has, and what was done to its topology."""
        if faces not in self._made:
            finer, before = self.mesh, self._notes
            for count in _FINER:
                if _DETOUR * faces <= count < len(self.mesh.faces) // 2:
                    finer, before = self._thinned(count) if count >= _MANY else self.of(count)
                    break
            simple, notes = simplify(finer, min(faces / len(finer.faces), 1.0))
            self._made[faces] = _compact(simple), (*before, *(note for note in notes if note not in before))
        return self._made[faces]

    def _thinned(self, faces: int) -> tuple[Mesh, tuple[str, ...]]:
        if faces not in self._thin:
            self._thin[faces] = _compact(thinned(self.mesh, faces))
        return self._thin[faces], self._notes


def _each_face_once(mesh: Mesh) -> tuple[Mesh, tuple[str, ...]]:
    _, first = np.unique(np.sort(mesh.faces, axis=1), axis=0, return_index=True)
    twice = len(mesh.faces) - len(first)
    if not twice:
        return mesh, ()
    return Mesh(mesh.vertices, mesh.faces[np.sort(first)]), (f"faces that were there already dropped: {twice:,}",)


def _compact(mesh: Mesh) -> Mesh:
    faces = mesh.faces[(mesh.faces != np.roll(mesh.faces, 1, axis=1)).all(axis=1)]
    used, renumbered = np.unique(faces, return_inverse=True)
    return Mesh(mesh.vertices[used], renumbered.reshape(-1, 3).astype(np.int32))
