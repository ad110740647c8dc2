"""What a payload gives back."""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshset.codecs.control_mesh import bitstream, surface
from meshset.codecs.control_mesh.bitstream import ControlMesh, Header, Surface, code_header, decode, encode
from meshset.codecs.control_mesh.codec import ControlMeshDecoder
from meshset.codecs.control_mesh.residuals import GRID, Expected, Point, Residuals, Steps, Whole
from meshset.codecs.control_mesh.rounding import Nearest
from meshset.codecs.control_mesh.subdivision import Edges
from meshset.coding.adaptive import Reader, Writer
from meshset.errors import ArchiveError
from tests.codecs.control_mesh import shapes
from tests.codecs.control_mesh.golden import GOLDEN, digest
from tests.codecs.decoding import assert_takes_noise

CODE, RATIO = 200, 4


class Noting(Nearest):
    """Notes how far from where they should be vertices come to lie, in steps along the frame."""

    def __init__(self, points: np.ndarray, source: np.ndarray, steps: Steps) -> None:
        super().__init__(points, source, steps)
        self.goals, self.source, self.steps = np.round(points * GRID), source, steps
        self.missed: list[np.ndarray] = []
        self.placed_at: dict[int, Point] = {}
        self._expected: Expected | None = None

    def residual(self, vertex: int, expected: Expected, residuals: Residuals) -> Whole:
        self._expected = expected
        return super().residual(vertex, expected, residuals)

    def point(self, vertex: int) -> Point:
        self._expected = None
        return super().point(vertex)

    def placed(self, vertex: int, point: Point) -> None:
        frame = np.array(self._expected.frame) if self._expected else np.eye(3)
        scale = [self.steps.normal, *[self.steps.plane if self._expected else self.steps.normal] * 2]
        goal = int(self.source[vertex])
        self.missed.append(frame @ (np.array(point) - self.goals[goal]) / scale)
        self.placed_at[goal] = point


def coded(shape: shapes.Shape, code: int = CODE, levels: int = 0) -> tuple[bytes, Noting]:
    points, faces = shape
    walked, steps = Surface.of(faces), Steps.of(code, RATIO)
    chooser = Noting(points, walked.source, steps)
    return encode(walked, chooser, levels, code, RATIO), chooser


def triangles(points: np.ndarray, faces: np.ndarray) -> Counter[tuple[tuple[int, ...], ...]]:
    """Return each face as the places of its corners, the first of them first."""
    corners = points[faces].astype(np.int64).tolist()
    turns = ([tuple(face[k]), tuple(face[(k + 1) % 3]), tuple(face[(k + 2) % 3])] for face in corners for k in range(3))
    every = [tuple(turn) for turn in turns]
    return Counter(min(every[at : at + 3]) for at in range(0, len(every), 3))


@pytest.mark.parametrize("code", [0, 150, CODE])
@pytest.mark.parametrize("name", shapes.SHAPES)
def test_a_mesh_comes_back(name: str, code: int) -> None:
    points, faces = shapes.SHAPES[name]()
    payload, chooser = coded((points, faces), code)
    back = decode(payload)
    assert back.levels == 0
    assert not back.sharp.any()
    room = Steps.of(code, RATIO).normal
    assert np.abs(chooser.missed).max() <= 0.5 + 1.0 / room  # a position is rounded to the grid, too
    stored = np.zeros_like(points)
    for vertex, point in chooser.placed_at.items():
        stored[vertex] = point
    assert triangles(back.points, back.faces) == triangles(stored, faces)
    assert len(back.points) == len(np.unique(faces))  # copies are one vertex again
    assert sorted(np.bincount(back.faces.ravel())) == sorted(np.bincount(faces.ravel())[np.unique(faces)])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 16), vertices=st.integers(3, 15), faces=st.integers(1, 40))
def test_a_soup_comes_back(seed: int, vertices: int, faces: int) -> None:
    points, corners = shapes.soup(vertices, faces, seed)
    back = decode(coded((points, corners))[0])
    assert (len(back.points), len(back.faces)) == (len(np.unique(corners)), faces)
    assert sorted(np.unique(Edges.of(back.faces).of_side, return_counts=True)[1]) == sorted(
        np.unique(Edges.of(corners).of_side, return_counts=True)[1]
    )


def test_finer_steps_take_more_bytes() -> None:
    sizes = [len(coded(shapes.torus(), code)[0]) for code in (100, 150, 200)]
    assert sizes[0] > 1.2 * sizes[1] > 1.4 * sizes[2]


def test_the_same_bytes_every_time() -> None:
    assert coded(shapes.torus())[0] == coded(shapes.torus())[0]


@pytest.mark.parametrize("name", ["sphere", "soup", "moebius", "few holes", "sheet"])
def test_creases_come_back_at_their_edges(name: str) -> None:
    points, faces = shapes.SHAPES[name]()
    edges = Edges.of(faces)
    sharp = edges.shared & (np.random.default_rng(0).random(len(edges.ends)) < 0.2)
    walked, steps = Surface.of(faces), Steps.of(0, 2)
    payload = encode(walked, Nearest(points, walked.source, steps), 1, 0, 2, walked.as_decoded(faces, sharp))
    back = decode(payload)
    found = np.sort(back.points[Edges.of(back.faces).ends[back.sharp]].sum(axis=1), axis=0)
    wanted = np.sort((points[edges.ends[sharp]] * GRID).sum(axis=1), axis=0)
    assert back.sharp.sum() == sharp.sum() > 0
    assert back.levels == 1
    np.testing.assert_allclose(found, wanted, atol=6)


def test_an_order_names_every_vertex_once() -> None:
    for name in ("sphere", "book", "soup", "many holes"):
        _, faces = shapes.SHAPES[name]()
        assert sorted(Surface.of(faces).order) == np.unique(faces).tolist()


@pytest.mark.parametrize("vertices", [2, 3, 4, 65535, 65536, 65537, 1 << 20])
def test_headers_come_back(vertices: int) -> None:
    header = Header(3, True, False, 255, 17, vertices)
    writer = Writer()
    code_header(writer, header)
    assert code_header(Reader(writer.to_bytes()), Header(0, False, False, 0, 2, 2)) == header


def test_a_header_of_too_many_vertices_is_refused() -> None:
    with pytest.raises(ArchiveError, match="too many vertices"):
        code_header(Writer(), Header(0, False, False, 0, 2, (1 << 20) + 1))
    with pytest.raises(ArchiveError, match="impossible number"):
        code_header(Writer(), Header(0, False, False, 0, 2, 1))


def test_steps_double_sixteen_codes_on() -> None:
    assert [Steps.of(code, 2).normal for code in (0, 1, 16, 24, 255)] == [1.0, 1.0625, 2.0, 3.0, 63488.0]
    assert Steps.of(16, 5).plane == 5.0


def test_levels_are_stated_or_asked_for() -> None:
    payload = coded(shapes.sphere(), levels=2)[0]
    decoder = ControlMeshDecoder()
    counts = {level: len(decoder.decode_at(payload, level).faces) for level in (0, 1, 3)}
    assert counts == {0: 320, 1: 320 * 4, 3: 320 * 64}
    assert len(decoder.decode(payload).faces) == 320 * 16
    with pytest.raises(ValueError, match="levels 0 to 3"):
        decoder.decode_at(payload, 4)
    flat = coded(shapes.sphere(), levels=0)[0]
    assert len(decoder.decode_at(flat, 2).faces) == 320


def test_surfaces_that_are_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = coded(shapes.sphere(), levels=2)[0]
    monkeypatch.setattr(surface, "MOST_FACES", 5000)
    with pytest.raises(ArchiveError, match="more faces"):
        ControlMeshDecoder().decode(payload)


# Bytes that nobody wrote


def decodes(payload: bytes) -> bool:
    """Return whether a payload gives a mesh; anything but a sound one or an ArchiveError fails the test."""
    try:
        back: ControlMesh = decode(payload)
    except ArchiveError:
        return False
    assert 0 <= back.faces.min() <= back.faces.max() < len(back.points)
    assert (back.faces != np.roll(back.faces, 1, axis=1)).all()
    mesh = ControlMeshDecoder().decode_at(payload, min(back.levels, 1))
    assert np.isfinite(mesh.vertices).all()
    assert mesh.vertices.dtype == np.float32
    return True


PAYLOADS = {
    "pillow": coded(shapes.SHAPES["pillow"](), levels=1)[0],
    "annulus": coded(shapes.annulus(), levels=1)[0],
    "book": coded(shapes.book(), levels=1)[0],
    "soup": coded(shapes.soup(8, 14, 2), levels=1)[0],
    "sheet": coded(shapes.grid(4, 6), levels=2)[0],
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_damaged_payloads(name: str) -> None:
    payload = PAYLOADS[name]
    rng = np.random.default_rng(0)
    for bit in range(8 * len(payload)):
        content = bytearray(payload)
        content[bit // 8] ^= 1 << bit % 8
        decodes(bytes(content))
    for length in range(len(payload)):
        decodes(payload[:length])
        decodes(payload[:length] + rng.bytes(len(payload) - length))
    assert decodes(payload)


def test_noise() -> None:
    assert_takes_noise(ControlMeshDecoder())
    rng = np.random.default_rng(1)
    for _ in range(1500):
        decodes(rng.bytes(int(rng.integers(1, 60))))


@pytest.mark.parametrize("payload", [b"", b"\0", bytes(4096), b"\xff" * 4096, b"\x55" * 999])
def test_payloads_of_one_byte_repeated(payload: bytes) -> None:
    decodes(payload)


@pytest.mark.parametrize("vertices", [1000, 1 << 20])
def test_a_few_bytes_ask_for_little(vertices: int) -> None:
    writer = Writer()
    code_header(writer, Header(3, True, True, 0, 2, vertices))
    payload = writer.to_bytes().ljust(10, b"\0")
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(ArchiveError, match="more vertices than its bytes"):
            decode(payload)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 2


def test_payloads_are_long_enough_for_their_vertices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bitstream, "MOST_A_BYTE", 1)
    payload = coded(shapes.grid(30, 30))[0]
    assert len(payload) == 901  # and the middle of the hole
    assert len(decode(payload).points) == 900


def test_the_golden_payload_decodes_as_ever() -> None:
    payload = Path(GOLDEN).read_bytes()
    assert digest(payload) == Path(GOLDEN).with_suffix(".sha256").read_text().strip()
