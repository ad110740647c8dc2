"""The specification is enough to read control meshes, and names the tables that are shipped."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from meshset.codecs.control_mesh.bitstream import Surface, decode, encode
from meshset.codecs.control_mesh.residuals import Steps
from meshset.codecs.control_mesh.rounding import Nearest
from meshset.codecs.control_mesh.subdivision import Edges, refine
from tests.codecs.control_mesh import shapes, specified
from tests.codecs.control_mesh.golden import GOLDEN


def same(payload: bytes) -> None:
    back = decode(payload)
    points, faces = refine(back.points, back.faces, back.sharp, back.levels)
    specified_points, specified_faces = specified.read(payload)
    np.testing.assert_array_equal(points, specified_points)
    np.testing.assert_array_equal(faces, specified_faces)


@pytest.mark.parametrize("code", [0, 190])
@pytest.mark.parametrize("name", shapes.SHAPES)
def test_a_reader_of_the_specification_reads_the_same(name: str, code: int) -> None:
    points, faces = shapes.SHAPES[name]()
    points = points + np.random.default_rng(0).normal(0, 0.02, points.shape)
    edges = Edges.of(faces)
    sharp = edges.shared & (np.arange(len(edges.ends)) % 6 == 0)
    surface = Surface.of(faces)
    chooser = Nearest(points, surface.source, Steps.of(code, 5))
    same(encode(surface, chooser, 1, code, 5, surface.as_decoded(faces, sharp)))


def test_the_golden_payload() -> None:
    same(GOLDEN.read_bytes())


def test_the_specification_names_the_tables() -> None:
    text = (specified.ROOT / "docs" / "SPEC.md").read_text(encoding="utf-8")
    assert hashlib.sha256(specified.TABLES.read_bytes()).hexdigest() in text
