"""What the index states of a mesh, in words: messages are made from state, never the other way round."""

from __future__ import annotations

from meshset.archive import MeshEntry
from meshset.codecs import codec_label

_USUAL = "set", "control-mesh", "mesh-group"
"""Rungs that are no news."""


def rung_label(entry: MeshEntry) -> str | None:
    """Return how a mesh came to be stored under its bound, in one word; None if it has no bound."""
    return codec_label(entry.codec_id) if entry.rung == "alone" else entry.rung


def remarks(entry: MeshEntry) -> tuple[str, ...]:
    """Return what a user should know of a mesh, one line each: its notes, and what its state means."""
    edges = entry.open_edges
    state = (
        (edges, f"comes back open, with {edges} boundary {'edge' if edges == 1 else 'edges'}"),
        (
            entry.bound and rung_label(entry) not in _USUAL,
            f"rung: {rung_label(entry)}, max error {100 * (entry.bound or 0):.6g}%",
        ),
        (not entry.within_bound, "as exact as float32 allows, which misses the bound"),
        (entry.less_exact, "less exact than its set: more than twice the worst error of the meshes before it"),
        (entry.generation, "coded again from its stored form when the decoder was updated; its errors add up"),
    )
    return (*entry.notes, *(line for present, line in state if present))
