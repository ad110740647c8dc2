"""Mutants that `robustness/fuzz.py` found to break an earlier version; each is refused or read now, without a warning.

beyond-float32.mset: a decoder with steps near 10^6, whose activations overflowed with numpy's warnings on the screen.
"""

from pathlib import Path

import numpy as np
import pytest

import meshset
from meshset.errors import ArchiveError

FOUND = sorted((Path(__file__).parents[1] / "data" / "hostile").glob("*.mset"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_found_archive(path):
    with meshset.open(path) as archive:
        for name in archive:
            try:
                mesh = archive[name]
            except ArchiveError:
                continue
            assert np.isfinite(mesh.vertices).all()
            assert 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.vertices)
