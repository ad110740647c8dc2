"""Byte order marks before text, and backslashes at the ends of OBJ lines."""

import pytest

from meshset.errors import MeshFileError
from step import FACES, POINTS, assert_solid, read

MARK = b"\xef\xbb\xbf"
V = [f"v {x:g} {y:g} {z:g}" for x, y, z in POINTS]
F = ["f {} {} {}".format(*face) for face in FACES + 1]


def text(suffix: str) -> str:
    corners = "".join(
        "facet normal 0 0 0\nouter loop\n"
        + "".join("vertex {} {} {}\n".format(*point) for point in POINTS[face])
        + "endloop\nendfacet\n"
        for face in FACES
    )
    rows = [line[2:] for line in V] + ["3 {} {} {}".format(*face) for face in FACES]
    header = "element vertex 12\nproperty float x\nproperty float y\nproperty float z\nelement face 20\n"
    return {
        "obj": "\n".join([*V, *F, ""]),
        "stl": f"solid step\n{corners}endsolid step\n",
        "ply": f"ply\nformat ascii 1.0\n{header}property list uchar int vertex_indices\nend_header\n"
        + "\n".join([*rows, ""]),
        "off": "\n".join(["OFF", "12 20 0", *rows, ""]),
    }[suffix]


@pytest.mark.parametrize("suffix", ["obj", "stl", "ply", "off"])
class TestByteOrderMarks:
    @pytest.mark.parametrize("marks", [0, 1, 2])
    def test_of_utf8_is_no_text(self, tmp_path, suffix, marks):
        reading = read(tmp_path, f"a.{suffix}", MARK * marks + text(suffix).encode())
        assert_solid(reading)
        assert not any("unreferenced" in note for note in reading.notes)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_other_encodings_are_refused_by_name(self, tmp_path, suffix, encoding):
        with pytest.raises(MeshFileError, match="UTF-16 or UTF-32 text, which meshset does not read"):
            read(tmp_path, f"a.{suffix}", text(suffix).encode(encoding))


@pytest.mark.parametrize("suffix", ["stl", "ply", "off"])
def test_zeros_that_fill_up_a_block_are_no_content(tmp_path, suffix):
    assert_solid(read(tmp_path, f"a.{suffix}", text(suffix).encode() + bytes(512)))
    with pytest.raises(MeshFileError, match="truncated"):
        read(tmp_path, f"a.{suffix}", text(suffix).encode()[:-40] + bytes(512))


def test_zeros_instead_of_the_rest_of_an_obj_file(tmp_path):
    # Nothing in an OBJ file says how long it is.
    with pytest.raises(MeshFileError, match="not a text file"):
        read(tmp_path, "a.obj", text("obj").encode()[:-40] + bytes(512))


def test_a_mark_before_the_first_vertex_hides_no_vertex(tmp_path):
    # With a spare vertex at the end, a lost first one would shift every face instead of failing.
    assert_solid(read(tmp_path, "a.obj", MARK + "\n".join([*V, "v 9 9 9", *F, ""]).encode()))


def test_joined_files_have_marks_within(tmp_path):
    one = MARK + text("obj").encode()
    other = (
        MARK
        + "\n".join([*(v.replace("v ", "v 1") for v in V), *("f {} {} {}".format(*f) for f in FACES - 12), ""]).encode()
    )
    assert_solid(read(tmp_path, "a.obj", one + other), faces=40, volume_=24, upper=(14, 3, 2))


def test_marks_before_binary_ply(tmp_path):
    header = text("ply").split("end_header\n")[0].replace("ascii", "binary_little_endian") + "end_header\n"
    body = POINTS.astype("<f4").tobytes() + b"".join(b"\3" + face.astype("<i4").tobytes() for face in FACES)
    assert_solid(read(tmp_path, "a.ply", MARK + header.encode() + body))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " \n"])
class TestBackslashes:
    @pytest.mark.parametrize(
        "line", ["# C:\\parts\\", "#\\", "usemtl C:\\mat\\", "g left\\", "o a\\", "mtllib x\\", "s\\"]
    )
    def test_a_path_does_not_swallow_the_next_line(self, tmp_path, end, line):
        lines = [line, *V[:5], line, *V[5:], line, *F[:3], line, *F[3:], ""]
        assert_solid(read(tmp_path, "a.obj", end.join(lines)))

    def test_a_comment_after_data_neither(self, tmp_path, end):
        lines = [f"{V[0]} # C:\\", *V[1:], f"{F[0]} #\\", *F[1:], ""]
        assert_solid(read(tmp_path, "a.obj", end.join(lines)))

    @pytest.mark.parametrize("join", [" \\{}", "\\{}", " \\{} \\{}  ", "\\\\{}"])
    def test_vertices_and_faces_are_continued(self, tmp_path, end, join):
        lines = [line.replace(" ", join.replace("{}", end)) for line in [*V, *F]]
        assert_solid(read(tmp_path, "a.obj", end.join([*lines, ""])))

    def test_free_form_lines_are_continued_too(self, tmp_path, end):
        lines = ["vp 0 \\", "1 2", "curv2 1 \\", "2", "bmat u 1 0 \\", "0 1", *V, *F, "l 1 2 \\", "3 4", ""]
        assert_solid(read(tmp_path, "a.obj", end.join(lines)))


def test_a_face_continued_into_nothing(tmp_path):
    with pytest.raises(MeshFileError, match="truncated"):
        read(tmp_path, "a.obj", text("obj") + "f 1 2 \\")
