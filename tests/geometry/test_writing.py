"""Files that `write_mesh` makes, and the size of the text that `obj_size` counts."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from meshset.errors import MeshFileError
from meshset.geometry import Mesh, obj_size, read_mesh, write_mesh
from meshset.vocabulary import MESH_FORMATS

TETRAHEDRON = Mesh(
    np.array([[0.1, 0.2, 0.3], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32),
)
EXPORTER_BYTES = 37

finite32 = st.floats(-(2.0**90), 2.0**90, width=32)
finite64 = st.floats(-1e30, 1e30)


def float_meshes(dtype, numbers):
    """Triangle fans over distinct positions, with enough extent to be readable."""

    def build(points):
        points = np.concatenate([np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0]], dtype), points + 0.0])
        points = points[np.sort(np.unique(points, axis=0, return_index=True)[1])]
        ring = np.arange(2, len(points))
        faces = np.stack([np.zeros_like(ring), np.ones_like(ring), ring], axis=1).astype(np.int32)
        return Mesh(points, faces)

    shapes = st.integers(1, 6).map(lambda n: (n, 3))
    return hnp.arrays(dtype, shapes, elements=numbers).map(build)


@pytest.mark.parametrize("suffix", MESH_FORMATS)
def test_round_trip(tmp_path, suffix):
    path = tmp_path / f"a.{suffix.upper()}"
    write_mesh(TETRAHEDRON, path)
    mesh = read_mesh(path).mesh
    mesh = Mesh(mesh.vertices.astype(np.float32), mesh.faces)
    assert np.array_equal(mesh.triangles, TETRAHEDRON.triangles)
    if suffix != "stl":
        assert np.array_equal(mesh.vertices, TETRAHEDRON.vertices)
        assert np.array_equal(mesh.faces, TETRAHEDRON.faces)


@pytest.mark.parametrize("suffix", ["obj", "ply", "off"])
@settings(max_examples=40, deadline=None)
@given(mesh=st.one_of(float_meshes(np.float32, finite32), float_meshes(np.float64, finite64)))
def test_coordinates_survive_exactly(tmp_path_factory, suffix, mesh):
    path = tmp_path_factory.mktemp("round") / f"a.{suffix}"
    write_mesh(mesh, path)
    again = read_mesh(path).mesh
    assert np.array_equal(again.vertices.astype(mesh.vertices.dtype), mesh.vertices)
    assert np.array_equal(again.faces, mesh.faces)


@settings(max_examples=20, deadline=None)
@given(mesh=float_meshes(np.float32, finite32))
def test_stl_keeps_triangles_exactly(tmp_path_factory, mesh):
    path = tmp_path_factory.mktemp("round") / "a.stl"
    write_mesh(mesh, path)
    assert np.array_equal(read_mesh(path).mesh.triangles, mesh.triangles)


def test_stl_normals_point_outwards(tmp_path):
    path = tmp_path / "a.stl"
    write_mesh(TETRAHEDRON, path)
    data = path.read_bytes()
    assert len(data) == 84 + 50 * 4
    last = struct.unpack_from("<3f", data, 84 + 50 * 3)
    assert last == pytest.approx([3**-0.5] * 3)


def test_obj_is_plain_text(tmp_path):
    path = tmp_path / "a.obj"
    write_mesh(TETRAHEDRON, path)
    assert path.read_text().splitlines()[0] == "v 0.100000001 0.200000003 0.300000012"
    assert path.read_text().splitlines()[4] == "f 1 3 2"


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.3mf"])
def test_unknown_format(tmp_path, name):
    with pytest.raises(MeshFileError, match="cannot write"):
        write_mesh(TETRAHEDRON, tmp_path / name)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(tmp_path, value):
    mesh = Mesh(np.where(TETRAHEDRON.vertices == 1, value, 0), TETRAHEDRON.faces)
    with pytest.raises(MeshFileError, match="NaN or infinite"):
        write_mesh(mesh, tmp_path / "a.ply")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["stl", "glb"])
def test_beyond_float32(tmp_path, suffix):
    mesh = Mesh(TETRAHEDRON.vertices.astype(np.float64) * 1e300, TETRAHEDRON.faces)
    with pytest.raises(MeshFileError, match="beyond the range of float32"):
        write_mesh(mesh, tmp_path / f"a.{suffix}")
    assert not list(tmp_path.iterdir())


def test_missing_folder(tmp_path):
    with pytest.raises(MeshFileError, match=r"a\.ply: cannot be written \(No such file"):
        write_mesh(TETRAHEDRON, tmp_path / "missing" / "a.ply")


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_interrupted_writing_keeps_the_old_file(tmp_path, monkeypatch, failure):
    path = tmp_path / "a.ply"
    path.write_bytes(b"old")

    def fail(self, target):
        raise failure

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises((MeshFileError, KeyboardInterrupt)):
        write_mesh(TETRAHEDRON, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def obj_text(mesh: Mesh) -> str:
    vertices = "".join("v {:.8f} {:.8f} {:.8f}\n".format(*row) for row in mesh.vertices.tolist())
    return vertices + "".join("f {} {} {}\n".format(*row) for row in (mesh.faces + 1).tolist())


@given(
    hnp.arrays(
        np.float64,
        st.integers(1, 5).map(lambda n: (n, 3)),
        elements=st.one_of(
            st.floats(-1e300, 1e300),
            st.floats(-20, 20),
            # Around the values where rounding to 8 decimals adds a digit.
            st.sampled_from([1, 10, 100, 1000, 10**6]).flatmap(
                lambda p: st.integers(-3, 3).map(lambda k: p - 5e-9 + k * float(np.spacing(p - 5e-9)))
            ),
        ),
    ),
    hnp.arrays(np.int32, st.integers(0, 5).map(lambda n: (n, 3)), elements=st.integers(0, 2**31 - 2)),
)
def test_obj_size_counts_the_text(vertices, faces):
    mesh = Mesh(vertices, faces)
    assert obj_size(mesh) == len(obj_text(mesh)) + EXPORTER_BYTES


def test_obj_size_matches_the_exporter_of_the_manifests():
    text = TETRAHEDRON.to_trimesh().export(file_type="obj", digits=8, include_normals=False)
    assert obj_size(TETRAHEDRON) == len(text)


@pytest.mark.skipif(os.name == "nt", reason="Windows counts characters")
def test_a_name_as_long_as_names_may_be(tmp_path):
    path = tmp_path / ("\N{GLOBE WITH MERIDIANS}" * 62 + ".ply")  # 252 bytes in UTF-8
    write_mesh(TETRAHEDRON, path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
