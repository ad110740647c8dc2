"""What every decoder must do with bytes that nobody wrote."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from meshset.codecs.protocol import MeshDecoder
from meshset.errors import ArchiveError


def assert_refuses_in_little_memory(decoder: MeshDecoder, payload: bytes) -> None:
    """The payload asks for more numbers than any mesh needs; less than 3 GiB are taken before that is noticed."""
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match="more numbers"):
            decoder.decode(payload)
        assert tracemalloc.get_traced_memory()[1] < 3 << 30
    finally:
        tracemalloc.stop()


def assert_takes_noise(decoder: MeshDecoder) -> None:
    """Bits that were never written decode to some mesh, or are refused, but nothing else happens."""
    generator = np.random.default_rng(0)
    for _ in range(5):
        try:
            mesh = decoder.decode(generator.bytes(4 * generator.integers(1, 100)))
        except ArchiveError:
            continue
        assert np.isfinite(mesh.vertices).all()
