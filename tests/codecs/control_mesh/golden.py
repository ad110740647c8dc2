"""Makes the golden payload: python -m tests.codecs.control_mesh.golden

To be run again only where the format or the tables change on purpose, before any release that writes them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from meshset.codecs.control_mesh.bitstream import Surface, decode, encode
from meshset.codecs.control_mesh.residuals import Steps
from meshset.codecs.control_mesh.rounding import Nearest
from meshset.codecs.control_mesh.subdivision import Edges, refine
from tests.codecs.control_mesh import shapes

GOLDEN = Path(__file__).parents[2] / "data" / "control_mesh" / "golden.bin"


def payload() -> bytes:
    """Return a payload with splits, joins, holes, copies, creases and two levels."""
    parts = [shapes.two_handles(), shapes.book(), shapes.punctured(0.3)]
    points = np.concatenate([points * 0.3 + 0.3 * k for k, (points, _) in enumerate(parts)]) - 0.3
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])
    faces = np.concatenate([part + start for (_, part), start in zip(parts, starts[:-1], strict=True)])
    edges = Edges.of(faces)
    sharp = edges.shared & (np.arange(len(edges.ends)) % 5 == 0)
    surface = Surface.of(faces)
    chooser = Nearest(points, surface.source, Steps.of(170, 5))
    return encode(surface, chooser, 2, 170, 5, surface.as_decoded(faces, sharp))


def digest(data: bytes) -> str:
    """Return the SHA-256 of all whole numbers that a payload gives: control mesh and surface, as little-endian i64."""
    back = decode(data)
    points, faces = refine(back.points, back.faces, back.sharp, back.levels)
    numbers = (back.points, back.faces, back.sharp, points, faces)
    return hashlib.sha256(b"".join(part.astype("<i8").tobytes() for part in numbers)).hexdigest()


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_bytes(payload())
    GOLDEN.with_suffix(".sha256").write_text(digest(GOLDEN.read_bytes()) + "\n")
