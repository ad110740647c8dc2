"""STL as writers vary it: payloads between triangles, wrong counts, spellings and padding of text."""

import numpy as np
import pytest

from meshset.errors import MeshFileError
from step import FACES, LOWER, POINTS, UPPER, VOLUME, assert_solid, read

HEADER = b"a header that says nothing".ljust(80)


def binary(count=20, attributes=None, payloads=None, header=HEADER, tail=b"") -> bytes:
    """A binary file; attributes are zeros unless given, or the lengths of payloads."""
    data = header + int(count).to_bytes(4, "little")
    for i, face in enumerate(FACES):
        payload = payloads[i] if payloads else b""
        attribute = attributes[i] if attributes else len(payload)
        data += bytes(12) + POINTS[face].astype("<f4").tobytes() + attribute.to_bytes(2, "little") + payload
    return data + tail


def facet(face) -> str:
    vertices = "".join("  vertex {:e} {:e} {:e}\n".format(*point) for point in POINTS[face])
    return f"facet normal 0 0 0\n outer loop\n{vertices} endloop\nendfacet\n"


TEXT = "solid step\n" + "".join(map(facet, FACES)) + "endsolid step\n"


class TestPayloads:
    @pytest.mark.parametrize(
        "payloads",
        [
            [b"\1\2\3\4"] * 20,
            [bytes(range(i)) for i in range(20)],
            [b"", b"x" * 50] * 10,
            [b"\xff" * 50] * 20,
            [b"\0" * 65535] + [b""] * 19,
            [b""] * 19 + [b"last"],
        ],
        ids=["equal", "growing", "every-other", "as-long-as-a-facet", "longest", "only-the-last"],
    )
    @pytest.mark.parametrize("count", [20, 0])
    def test_are_stepped_over(self, tmp_path, payloads, count):
        reading = read(tmp_path, "a.stl", binary(count, payloads=payloads))
        assert_solid(reading)
        assert "attributes between triangles dropped" in reading.notes
        assert ("20 triangles read, 0 announced by the header" in reading.notes) == (count == 0)

    def test_colours_are_no_payload(self, tmp_path):
        reading = read(tmp_path, "a.stl", binary(attributes=[31 + i for i in range(20)]))
        assert_solid(reading)
        assert "colours (attribute bytes) dropped" in reading.notes

    def test_colours_before_trailing_bytes_are_no_payload(self, tmp_path):
        reading = read(tmp_path, "a.stl", binary(attributes=[0x7FFF] * 20, tail=b"\n\n\n"))
        assert_solid(reading)
        assert "3 bytes after the last triangle ignored" in reading.notes

    @pytest.mark.parametrize("cut", [1, 30, 60])
    def test_cut_off_are_refused(self, tmp_path, cut):
        with pytest.raises(MeshFileError, match="fit no layout"):
            read(tmp_path, "a.stl", binary(payloads=[b"\1\2\3\4"] * 20)[:-cut])


class TestCounts:
    @pytest.mark.parametrize("count", [0, 1, 19])
    @pytest.mark.parametrize("colour", [0, 0x7FFF])
    def test_too_small(self, tmp_path, count, colour):
        reading = read(tmp_path, "a.stl", binary(count, attributes=[colour] * 20))
        assert_solid(reading)
        assert f"20 triangles read, {count} announced by the header" in reading.notes

    @pytest.mark.parametrize("count", [21, 10**6, 2**32 - 1])
    def test_too_large(self, tmp_path, count):
        with pytest.raises(MeshFileError, match="truncated"):
            read(tmp_path, "a.stl", binary(count))

    def test_none_and_odd_bytes(self, tmp_path):
        with pytest.raises(MeshFileError, match="0 triangles announced, but the 1,007 bytes beyond fit no layout"):
            read(tmp_path, "a.stl", binary(0, tail=b"1234567"))

    @pytest.mark.parametrize("tail", [b"made by hand".ljust(50, b"z"), b"\xff" * 100, b"x"])
    def test_bytes_that_are_no_triangles(self, tmp_path, tail):
        reading = read(tmp_path, "a.stl", binary(tail=tail))
        assert_solid(reading)
        assert any("after the last triangle ignored" in note for note in reading.notes)

    def test_a_header_that_begins_like_text(self, tmp_path):
        assert_solid(read(tmp_path, "a.stl", binary(0, header=b"solid step".ljust(80, b"\0"))))


class TestText:
    @pytest.mark.parametrize(
        "changes",
        [
            {"endsolid step": "end solid step"},
            {"endsolid step": "endsolidStep"},
            {"endsolid step": "endsolid"},
            {"endsolid step": "END  SOLID"},
            {"endsolid": "end_solid"},
            {"endloop": "end loop"},
            {"endfacet": "end facet"},
            {"endloop": "end loop", "endfacet": "end facet", "endsolid": "end solid"},
            {"outer loop": "outerloop"},
            {"solid step\n": "solid vertex 1 2 3 end solid facets endloop\n"},
            {"solid step\n": "solid\n"},
            {"solid step\nfacet": "solidStep\nfacet"},
            {"\n": "\r"},
            {"\n": "\r\n"},
            {"\n": " "},
            {"\n": "\n\n\t"},
            {" ": "\n", "solid\nstep": "solid step", "facet\nnormal": "facet normal"},
            {"solid step\nfacet": "solid step" + "\0" * 69 + "\nfacet"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("padding", ["", "\0" * 512, "\0\n\0", "\x1a", " \t\n"])
    def test_spellings(self, tmp_path, changes, padding):
        text = TEXT
        for old, new in changes.items():
            text = text.replace(old, new)
        reading = read(tmp_path, "a.stl", text + padding)
        assert_solid(reading)
        assert any("zero byte" in note for note in reading.notes) == ("\0" in text + padding)

    def test_solids_with_spaces_add_up(self, tmp_path):
        text = TEXT.replace("endsolid", "end solid")
        moved = text.replace("vertex ", "vertex 1")
        reading = read(tmp_path, "a.stl", text + moved)
        assert_solid(reading, faces=40, volume_=2 * VOLUME, lower=LOWER, upper=np.array(UPPER) + np.array((10, 0, 0)))
        assert "2 solids joined into one mesh" in reading.notes

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (TEXT.replace("endsolid step", ""), "truncated: a solid has no endsolid"),
            (TEXT.replace("endsolid", "end solid") + TEXT[:400], "truncated: a solid has no endsolid"),
            (TEXT.replace("vertex 0.000000e+00", "vertex", 1), "a vertex without 3 coordinates"),
            (TEXT.replace("endloop", "", 1), "19 facets with 60 vertices"),
            (TEXT.removeprefix("solid step\n")[:70], "neither text nor binary STL"),
        ],
    )
    def test_truncated_is_said_where_something_is_missing(self, tmp_path, text, reason):
        with pytest.raises(MeshFileError, match=reason):
            read(tmp_path, "a.stl", text)
