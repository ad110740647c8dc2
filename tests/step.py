"""A solid whose volume and bounds show at once what a reader lost, moved or turned over: an L, 2 high."""

import numpy as np
import pytest

from meshset.geometry import Reading, read_mesh

OUTLINE = [(0, 0), (4, 0), (4, 1), (1, 1), (1, 3), (0, 3)]
CAP = [(0, 1, 2), (0, 2, 3), (0, 3, 5), (3, 4, 5)]
POINTS = np.array([(x, y, z) for z in (0, 2) for x, y in OUTLINE], float)
FACES = np.array(
    [(a, c, b) for a, b, c in CAP]
    + [(a + 6, b + 6, c + 6) for a, b, c in CAP]
    + [face for a in range(6) for b in [(a + 1) % 6] for face in ((a, b, b + 6), (a, b + 6, a + 6))]
)
VOLUME, LOWER, UPPER = 12.0, (0, 0, 0), (4, 3, 2)


def volume(reading: Reading) -> float:
    """What the surface encloses; negative if it is inside out."""
    a, b, c = np.moveaxis(reading.mesh.triangles, 1, 0)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def assert_solid(reading: Reading, *, faces=20, volume_=VOLUME, lower=LOWER, upper=UPPER) -> None:
    """Assert faces, volume and bounds, by default those of the solid as it is."""
    assert len(reading.mesh.faces) == faces
    assert volume(reading) == pytest.approx(volume_, rel=1e-5)
    assert np.allclose(reading.mesh.bounds, (lower, upper), atol=1e-5)


def read(tmp_path, name: str, content: str | bytes) -> Reading:
    """Read a file of this name and content."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_mesh(path)
