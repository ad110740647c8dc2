"""OFF whose counts, vertices and faces do not keep to one line each."""

import re

import numpy as np
import pytest

from meshset.errors import MeshFileError
from step import FACES, POINTS, assert_solid, read

VERTICES = [" ".join(f"{c:g}" for c in point) for point in POINTS]
POLYGONS = ["3 {} {} {}".format(*face) for face in FACES]


def wrapped(words: str, width: int) -> str:
    """The words in lines of `width` words."""
    split = words.split()
    return "\n".join(" ".join(split[i : i + width]) for i in range(0, len(split), width))


def off(counts="12 20 0", vertices=None, polygons=None, header="OFF") -> str:
    """A file of these sections; vertices and polygons have a line each unless they are given."""
    return "\n".join([header, counts, vertices or "\n".join(VERTICES), polygons or "\n".join(POLYGONS), ""])


@pytest.mark.parametrize(
    "counts", ["12 20 0", "12 20", "12\n20\n0", "12\n20 0", "12 20\n0", "12 20 # faces\n# edges\n0", "12 20 30\n\n"]
)
@pytest.mark.parametrize("vertices", [0, 1, 2, 3, 4, 5, 36])
@pytest.mark.parametrize("polygons", [0, 1, 3, 4, 7, 80])
def test_sections_over_lines(tmp_path, counts, vertices, polygons):
    if counts == "12 20" and vertices == 1:
        return  # the first coordinate may as well be the number of edges
    text = off(
        counts,
        wrapped(" ".join(VERTICES), vertices) if vertices else None,
        wrapped(" ".join(POLYGONS), polygons) if polygons else None,
    )
    reading = read(tmp_path, "a.off", text)
    assert_solid(reading)
    assert reading.notes == ()


def test_everything_in_one_line(tmp_path):
    assert_solid(read(tmp_path, "a.off", off().replace("\n", " ")))


def test_comments_between(tmp_path):
    text = off(vertices=wrapped(" ".join(VERTICES), 5)).replace("\n", " # a comment 1 2 3\n#\n\n# another\n")
    assert_solid(read(tmp_path, "a.off", text))


def test_a_polygon_over_lines_beside_whole_ones(tmp_path):
    polygons = ["6 5 4 3\n2 1\n0", "6 6 7 8 9 10 11", *POLYGONS[8:]]
    assert_solid(read(tmp_path, "a.off", off("12 14 0", polygons="\n".join(polygons))))


def test_colours_of_faces_end_with_their_line(tmp_path):
    polygons = "\n".join(f"{polygon} {i} 0 255" for i, polygon in enumerate(POLYGONS))
    reading = read(tmp_path, "a.off", off(vertices=wrapped(" ".join(VERTICES), 7), polygons=polygons))
    assert_solid(reading)
    assert reading.notes == ("colours dropped",)


@pytest.mark.parametrize(
    ("header", "columns"),
    [("COFF", "255 0 0 255"), ("COFF", "1 0 0"), ("NOFF", "0 0 1"), ("STCNOFF", "0 0 1 1 2 3 4 5 6")],
)
def test_columns_of_vertices_over_lines(tmp_path, header, columns):
    vertices = wrapped(" ".join(f"{vertex} {columns}" for vertex in VERTICES), 5)
    assert_solid(read(tmp_path, "a.off", off(vertices=vertices, header=header)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (off(polygons="\n".join(POLYGONS[:-1])), "truncated: 12 vertices and 20 faces announced, 113 numbers present"),
        (off(vertices=wrapped(" ".join(VERTICES), 8))[:-7], "truncated"),
        (off(vertices=off().replace("\n", " ")), "truncated|cannot be told apart|a vertex with fewer|no vertex"),
        (off(vertices="\n".join(VERTICES).replace("4 1 0", "4 1", 1)), "a vertex with fewer than 3 coordinates"),
        (off(polygons="\n".join(POLYGONS).replace("3 0 2 1", "3 0 2", 1)), "a face with fewer corners"),
        (
            off(vertices=wrapped(" ".join(VERTICES), 8), polygons="\n".join([*POLYGONS, "1 2 3"])),
            "cannot be told apart",
        ),
    ],
)
def test_truncated_is_said_where_something_is_missing(tmp_path, text, reason):
    with pytest.raises(MeshFileError, match=reason):
        read(tmp_path, "a.off", text)


def test_a_lost_number_is_never_made_up_for(tmp_path):
    words = re.findall(r"\S+|\n", off(vertices=wrapped(" ".join(VERTICES), 8)))
    for place in np.flatnonzero([word != "\n" for word in words])[4:]:
        with pytest.raises(MeshFileError):
            read(tmp_path, "a.off", " ".join(words[:place] + words[place + 1 :]))
