"""Programs of others: found or not, run, and what becomes of the mesh; a script stands in for `tmc3`."""

from __future__ import annotations

import os

import numpy as np
import pytest
import trimesh

from meshset.codecs.peers.external import ExternalError, Gpcc, NotRun, Program, find_gpcc, find_pcgcv2, find_vpcc
from meshset.codecs.peers.external import program as program_module
from meshset.codecs.peers.external.points import normals_of, surface_from_points, voxel_centres, voxelise
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a shebang")

STAND_IN = """
import sys, zlib
print("MPEG PCC tmc3 version release-v0-stand-in")
if "--help" in sys.argv:
    sys.exit(1)
options = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
if options["mode"] == "0":
    header, body = open(options["uncompressedDataPath"], "rb").read().split(b"end_header\\n", 1)
    assert b"property float x" in header and b"format binary_little_endian" in header
    open(options["compressedStreamPath"], "wb").write(zlib.compress(body, 9))
else:
    import struct
    body = zlib.decompress(open(options["compressedStreamPath"], "rb").read())
    points = list(struct.iter_unpack("<3f", body))[::-1]
    with open(options["reconstructedDataPath"], "w") as file:
        file.write("ply\\nformat ascii 1.0\\nelement vertex %d\\n" % len(points))
        file.write("property float x\\nproperty float y\\nproperty float z\\n")
        file.write("element face 0\\nproperty list uint8 int32 vertex_index\\nend_header\\n")
        file.writelines("%d %d %d\\n" % point for point in points)
"""


def solid(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices), np.array(shape.faces, np.int32))


BALL = solid(trimesh.creation.icosphere(subdivisions=4, radius=0.9))
BOX = solid(trimesh.creation.box((1.8, 1.0, 0.6)))


def test_absent_programs_are_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_gpcc() == NotRun("G-PCC", "there is no tmc3 on the PATH")
    assert find_vpcc() == NotRun("V-PCC", "there is no PccAppEncoder on the PATH")
    assert find_pcgcv2() == NotRun("PCGCv2", "there is no pcgcv2 on the PATH")


def test_a_program_is_found_with_its_version(install):
    path = install("tmc3", STAND_IN)
    assert find_gpcc() == Program(path, "release-v0-stand-in")


def test_another_program_of_that_name_is_not_run(install):
    path = install("tmc3", "print('hello')")
    assert find_gpcc() == NotRun("G-PCC", f"{path} does not say that it is tmc3")


@pytest.mark.parametrize(("mesh", "share"), [(BALL, 0.4), (BOX, 1.0)], ids=["ball", "box"])
def test_a_mesh_through_the_stand_in(install, mesh, share):
    install("tmc3", STAND_IN)
    program = find_gpcc()
    results = [Gpcc(program, depth).run(mesh) for depth in (4, 5, 6)]
    errors = [surface_distance(mesh, result.mesh, 5000)[0] for result in results]
    assert [result.points for result in results] == [len(voxelise(mesh, depth)) for depth in (4, 5, 6)]
    assert all(result.mesh.to_trimesh().is_watertight and result.mesh.to_trimesh().volume > 0 for result in results)
    # Half a voxel is what rounding may cost; where the surface is not parallel to the grid, neighbours even it out.
    assert all(error < share / 2**depth for error, depth in zip(errors, (4, 5, 6), strict=True))
    assert errors == sorted(errors, reverse=True)
    sizes = [result.size for result in results]
    assert sizes == sorted(sizes)
    assert all(result.encode_seconds > 0 and result.decode_seconds > 0 for result in results)


def test_the_options_are_those_of_a_lossless_octree(install, tmp_path):
    log = tmp_path / "log"
    install("tmc3", f"import sys\nopen({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))\n" + STAND_IN)
    Gpcc(find_gpcc(), 5).run(BALL)
    _, encoding, decoding = log.read_text().splitlines()
    assert encoding.startswith("--mode=0 --uncompressedDataPath=in.ply --compressedStreamPath=bits")
    assert "--positionQuantizationScale=1 " in encoding
    assert "--trisoupNodeSizeLog2=0 " in encoding
    assert decoding == "--mode=1 --compressedStreamPath=bits --reconstructedDataPath=out.ply"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import sys; sys.exit('Error: no such option')", "failed with code 1: Error: no such option"),
        ("import sys; sys.exit(3)", "failed with code 3$"),
        ("", "tmc3: wrote no bits$"),
        ("open('bits', 'wb')", "tmc3: wrote an empty bitstream"),
        ("open('bits', 'w').write('x')", r"tmc3: wrote no out\.ply"),
        (STAND_IN.replace("[::-1]", "[1:]"), "not those that were coded"),
        (STAND_IN.replace('"ply', '"nope'), "is not a PLY file of points"),
    ],
    ids=["error", "code", "nothing", "empty", "half", "lost", "malformed"],
)
def test_a_program_that_fails_is_an_error_with_its_words(install, source, reason):
    path = install("tmc3", source)
    with pytest.raises(ExternalError, match=reason):
        Gpcc(Program(path, "any"), 4).run(BOX)


def test_a_program_that_hangs_is_ended(install, monkeypatch):
    path = install("tmc3", "import time; time.sleep(60)")
    monkeypatch.setattr(program_module, "MOST_SECONDS", 0.2)
    with pytest.raises(ExternalError, match="ended after"):
        Gpcc(Program(path, "any"), 4).run(BOX)
    assert isinstance(find_gpcc(), NotRun)


def test_a_file_that_cannot_be_started(install):
    path = install("tmc3", "")
    path.write_bytes(b"\x7fELF")
    with pytest.raises(ExternalError, match="cannot be started"):
        Gpcc(Program(path, "any"), 4).run(BOX)


@pytest.mark.parametrize("depth", [0, 13])
def test_depth_out_of_range(depth, tmp_path):
    with pytest.raises(ValueError, match="1 to 12"):
        Gpcc(Program(tmp_path, "any"), depth)


def test_voxels_are_those_that_the_surface_passes():
    depth = 6
    voxels = voxelise(BALL, depth)
    radius = np.linalg.norm(voxel_centres(voxels, depth), axis=1)
    step = 2 / 2**depth
    assert (abs(radius - 0.9) < step).all()
    # A surface of area A passes about A |n|_1 / step^2 voxels, and |n|_1 is 3/2 in the mean over all directions.
    passed = 1.5 * 4 * np.pi * 0.81 / step**2
    # Those that it only grazes are missing.
    assert 0.8 * passed < len(voxels) < passed
    assert np.array_equal(voxels, np.unique(voxels, axis=0))
    assert np.array_equal(voxelise(BALL, depth), voxels)


def test_many_samples_are_drawn_in_parts(monkeypatch):
    whole = voxelise(BALL, 5)
    monkeypatch.setattr("meshset.codecs.peers.external.points.MOST_SAMPLES", 10_000)
    parts = voxelise(BALL, 5)
    assert len(np.unique(np.vstack([whole, parts]), axis=0)) < 1.1 * len(whole)


def test_points_on_a_sphere_give_the_sphere():
    points = voxel_centres(voxelise(BALL, 6), 6)
    points /= np.linalg.norm(points, axis=1, keepdims=True) / 0.9
    surface = surface_from_points(points, points / 0.9, 6)
    radius = np.linalg.norm(surface.vertices, axis=1)
    assert np.abs(radius - 0.9).max() < 1.5e-3
    assert surface.to_trimesh().is_watertight
    assert surface.to_trimesh().volume == pytest.approx(4 / 3 * np.pi * 0.9**3, rel=2e-3)


def test_normals_are_those_of_the_nearest_face():
    points = np.array([[0, 0, 0.7], [2, 0, 0], [0, -0.55, 0]])
    assert np.allclose(normals_of(BOX, points), [[0, 0, 1], [1, 0, 0], [0, -1, 0]])
    flat = Mesh(np.array([[0, 0, 0], [1, 0, 0], [2.0, 0, 0]]), np.array([[0, 1, 2]], np.int32))
    assert np.array_equal(normals_of(flat, points[:1]), np.zeros((1, 3)))
