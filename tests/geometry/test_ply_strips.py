"""PLY triangle strips, alone and beside faces, in text and both byte orders."""

import struct

import numpy as np
import pytest

from meshset.errors import MeshFileError
from step import FACES, POINTS, VOLUME, assert_solid, read

ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
WALLS = [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 0, 6]
WALLS_TURNED = [6, 0, 7, 1, 8, 2, 9, 3, 10, 4, 11, 5, 6, 0]
CAPS = [[int(i) for i in face] for face in FACES[:8]]


def ply(kind, strips, faces=(), types=("int", "int"), name="vertex_indices", unsigned=False) -> bytes:
    order = ORDERS[kind]
    lines = ["ply", f"format {kind} 1.0", "element vertex 12", *(f"property float {axis}" for axis in "xyz")]
    if faces:
        lines += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    lines += [f"element tristrips {len(strips)}", f"property list {' '.join(types)} {name}", "end_header", ""]
    if not order:
        rows = [*POINTS.tolist(), *([len(row), *row] for row in (*faces, *strips))]
        return ("\n".join(lines) + "\n".join(" ".join(map(str, row)) for row in rows) + "\n").encode()
    body = POINTS.astype(order + "f4").tobytes()
    body += b"".join(struct.pack(f"{order}B{len(face)}i", len(face), *face) for face in faces)
    code = "I" if types[1] == "uint" else "i"
    for strip in strips:
        values = [i % 2**32 for i in strip] if code == "I" else strip
        body += struct.pack(f"{order}i{len(strip)}{code}", len(strip), *values)
    return "\n".join(lines).encode() + body


def joined(*strips) -> list[int]:
    """Strips in one list, each ended by -1."""
    return [i for strip in strips for i in (*strip, -1)]


@pytest.mark.parametrize("kind", ORDERS)
class TestStrips:
    def test_alone(self, tmp_path, kind):
        reading = read(tmp_path, "a.ply", ply(kind, [joined(WALLS_TURNED[::-1], *CAPS)]))
        assert_solid(reading)
        assert reading.notes == ()

    def test_beside_faces(self, tmp_path, kind):
        reading = read(tmp_path, "a.ply", ply(kind, [joined(WALLS_TURNED[::-1])], CAPS))
        assert_solid(reading)
        assert reading.notes == ()

    def test_each_strip_in_a_row_of_its_own(self, tmp_path, kind):
        assert_solid(read(tmp_path, "a.ply", ply(kind, [WALLS_TURNED[::-1], [], *CAPS])))

    def test_turns_begin_anew_in_each_strip(self, tmp_path, kind):
        # An odd number of indices before, and ends in a row.
        strips = joined([0], CAPS[0], [], [3, 4], *CAPS[1:], [], WALLS_TURNED[::-1])
        assert_solid(read(tmp_path, "a.ply", ply(kind, [strips])))

    def test_triangles_without_area_join_strips(self, tmp_path, kind):
        halves = WALLS[:7], WALLS[5:]
        bridged = [*halves[0], halves[0][-1], halves[1][0], halves[1][0], *halves[1]]
        plain = [*WALLS[:2], *WALLS[2:]]
        for strip in (bridged[::-1] if len(bridged) % 2 == 0 else bridged, plain):
            reading = read(tmp_path, "a.ply", ply(kind, [strip], CAPS))
            assert len({tuple(sorted(face)) for face in reading.mesh.faces.tolist()}) == 20
            assert not any("degenerate" in note for note in reading.notes)

    @pytest.mark.parametrize("types", [("int", "uint"), ("uint", "int")])
    @pytest.mark.parametrize("name", ["vertex_index", "strip"])
    def test_types_and_names(self, tmp_path, kind, types, name):
        assert_solid(read(tmp_path, "a.ply", ply(kind, [joined(WALLS_TURNED[::-1], *CAPS)], types=types, name=name)))

    def test_index_out_of_range(self, tmp_path, kind):
        for index in (12, -2):
            with pytest.raises(MeshFileError, match=f"face indices out of range: {index}"):
                read(tmp_path, "a.ply", ply(kind, [[0, 1, index]]))

    def test_cut_off(self, tmp_path, kind):
        with pytest.raises(MeshFileError, match="truncated"):
            read(tmp_path, "a.ply", ply(kind, [joined(WALLS, *CAPS)])[:-9])


@pytest.mark.parametrize("strip", [[], [0], [0, 1], [-1, -1, -1], [0, 1, -1, 2, 3, -1]])
def test_strips_without_a_triangle(tmp_path, strip):
    assert_solid(read(tmp_path, "a.ply", ply("ascii", [strip], FACES.tolist())))
    with pytest.raises(MeshFileError, match="no faces, only 12 points"):
        read(tmp_path, "a.ply", ply("ascii", [strip]))


def test_a_long_strip_turns_every_second_triangle(tmp_path):
    strip = read(tmp_path, "a.ply", ply("binary_little_endian", [WALLS_TURNED[::-1]], CAPS))
    assert_solid(strip, volume_=VOLUME)
    assert np.array_equal(np.sort(np.unique(strip.mesh.faces)), np.arange(12))
