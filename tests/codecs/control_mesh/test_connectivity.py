"""What is grown from what is told has the faces that were there."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshset.codecs.control_mesh import connectivity
from meshset.codecs.control_mesh import contexts as at
from meshset.codecs.control_mesh.connectivity import BorderVertex, NewVertex, Region, grow
from meshset.codecs.control_mesh.manifold import Manifold, following
from meshset.codecs.control_mesh.valences import Guide, Walk, mesh_faces
from meshset.coding.adaptive import Contexts, Reader, Writer
from meshset.errors import ArchiveError
from tests.codecs.control_mesh import shapes


def turned(faces: np.ndarray) -> Counter[tuple[int, ...]]:
    """Return each face, its smallest corner first, and how often it is there."""
    first = faces.argmin(axis=1)
    rolled = np.take_along_axis(faces, (first[:, None] + np.arange(3)) % 3, axis=1)
    return Counter(map(tuple, rolled.tolist()))


class Counting(Guide):
    """Counts what is told."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.told: Counter[str] = Counter()

    def third(self, region: Region, node: int) -> NewVertex | BorderVertex:
        found = super().third(region, node)
        if isinstance(found, BorderVertex):
            self.told["join" if found.loop else "split"] += 1
        else:
            self.told["hole" if found.hole else "vertex"] += 1
        return found


def there_and_back(faces: np.ndarray) -> tuple[Region, Counter[str]]:
    """Write and read faces, check that they come back, and return what was grown and what was told."""
    manifold = Manifold.of(faces)
    walk, writer = Walk(manifold), Writer()
    size = len(manifold.source), len(manifold.faces)
    grow(Guide(writer, Contexts.blank(at.COUNT), walk), *size)
    reader = Reader(writer.to_bytes())
    guide = Counting(reader, Contexts.blank(at.COUNT))
    region = grow(guide, *size)
    back = manifold.source[np.array(walk.vertices)][mesh_faces(region)]
    assert turned(back) == turned(faces)
    twin = np.array(region.twin)
    np.testing.assert_array_equal(twin[twin], np.arange(len(twin)))
    corners = np.array(region.corners)
    np.testing.assert_array_equal(corners, corners[following(twin)])
    np.testing.assert_array_equal(np.bincount(corners), region.valence)
    return region, guide.told


@pytest.mark.parametrize("name", shapes.SHAPES)
def test_faces_come_back(name: str) -> None:
    there_and_back(shapes.SHAPES[name]()[1])


@settings(max_examples=150, deadline=None)
@given(
    faces=st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3, unique=True), min_size=1, max_size=40),
)
def test_any_faces_come_back(faces: list[list[int]]) -> None:
    there_and_back(np.array(faces))


def test_every_way_to_go_on_is_gone() -> None:
    told: Counter[str] = Counter()
    for name in ("torus", "two handles", "many holes", "soup"):
        told += there_and_back(shapes.SHAPES[name]()[1])[1]
    assert told["split"] >= 3
    assert told["join"] >= 3
    assert told["hole"] >= 3
    assert told["vertex"] > 100


def test_a_regular_surface_is_told_by_its_vertices_alone() -> None:
    assert set(there_and_back(shapes.sphere()[1])[1]) == {"vertex"}


def test_a_manifold_is_closed_and_keeps_its_faces() -> None:
    for make in shapes.SHAPES.values():
        _, faces = make()
        manifold = Manifold.of(faces)
        twin = manifold.twin
        np.testing.assert_array_equal(twin[twin], np.arange(len(twin)))
        assert (twin != np.arange(len(twin))).all()
        np.testing.assert_array_equal(manifold.source[manifold.faces[: manifold.real]], faces)
        assert ((manifold.source[manifold.faces] < 0).sum(axis=1)[manifold.real :] == 1).all()


def test_a_moebius_strip_is_cut_and_an_annulus_is_not() -> None:
    assert (Manifold.of(shapes.annulus()[1]).source < 0).sum() == 2
    assert len(Manifold.of(shapes.annulus()[1]).source) == 24 + 2
    assert (Manifold.of(shapes.moebius()[1]).source >= 0).sum() > 18


class Told:
    """Says what it was made with, and then that a new vertex comes."""

    def __init__(self, seed: tuple[int, int, int], *thirds: NewVertex | BorderVertex) -> None:
        self._seed: tuple[NewVertex, ...] | None = tuple(NewVertex(valence, False) for valence in seed)
        self._thirds = list(thirds)

    def seed(self, region: Region) -> tuple[NewVertex, ...] | None:
        seed, self._seed = self._seed, None
        return seed

    def third(self, region: Region, node: int) -> NewVertex | BorderVertex:
        return self._thirds.pop(0) if self._thirds else NewVertex(6, False)


@pytest.mark.parametrize(
    ("guide", "reason"),
    [
        (Told((6, 6, 6)), "more vertices than it states"),
        (Told((1, 6, 6)), "a single edge"),
        (Told((2, 2, 3)), "contradicts itself"),
        (Told((6, 6, 6), BorderVertex(1, 0, 0)), "contradicts itself"),
        (Told((6, 6, 6), BorderVertex(0, 5, 0)), "contradicts itself"),
        (Told((6, 6, 6), BorderVertex(0, 0, 5)), "contradicts itself"),
    ],
)
def test_what_is_no_surface_is_refused(guide: Told, reason: str) -> None:
    with pytest.raises(ArchiveError, match=reason):
        grow(guide, 50, 200)  # type: ignore[arg-type]


def test_loops_that_are_walked_over_too_often_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectivity, "_WALK", 0)
    monkeypatch.setattr(connectivity, "_WALK_AT_LEAST", 10)
    with pytest.raises(ArchiveError, match="too long to follow"):
        there_and_back(shapes.two_handles()[1])
