"""The peers behind `SetCodec`: what comes back, what is noted, and what hostile bytes get."""

from __future__ import annotations

import random
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
import zstandard

import meshset
from meshset.archive import ArchiveReader
from meshset.codecs import codec_by_id, codec_by_name
from meshset.codecs.peers import draco, ply, simplification
from meshset.codecs.peers.draco import DracoCodec
from meshset.codecs.peers.ply import PlyZstdCodec
from meshset.codecs.protocol import CodedMesh, Refusal, Settings
from meshset.errors import ArchiveError, MissingExtraError
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh, write_mesh
from meshset.pipeline.add import add
from meshset.pipeline.compress import compress
from meshset.pipeline.edit import merge, remove
from meshset.progress import Silent
from meshset.vocabulary import LONGEST_SIDE

DATA = Path(__file__).parents[2] / "data" / "peers"


def solid(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices), np.array(shape.faces, np.int32))


TORUS = solid(trimesh.creation.torus(0.7, 0.295, major_sections=48, minor_sections=24))
BALL = solid(trimesh.creation.icosphere(subdivisions=3, radius=0.995))
BOX = solid(trimesh.creation.box((1.99, 1.0, 0.5)))
CUT = Mesh(BALL.vertices, BALL.faces[200:])
# Two boxes that share an edge: four faces meet there, so it is no manifold.
CORNER = BOX.vertices + np.array([1.99, 1.0, 0])
TOUCHING = solid(trimesh.Trimesh(np.vstack([BOX.vertices, CORNER]) / 2, np.vstack([BOX.faces, BOX.faces + 8])))


def code(codec, mesh):
    coded = codec.compress([mesh], Settings())
    assert coded.shared == b""
    return coded.meshes[0]


def decode(codec, payload):
    return codec.open(b"").decode(payload)


def corner_set(mesh):
    """Triangles as a sorted list of their corners, each turned to begin with its smallest."""
    triangles = np.round(mesh.triangles, 5)
    rows = []
    for corners in triangles:
        first = min(range(3), key=lambda i: tuple(corners[i]))
        rows.append(tuple(np.roll(corners, -first, axis=0).reshape(-1)))
    return sorted(rows)


@pytest.mark.parametrize("mesh", [TORUS, BALL, BOX, CUT], ids=["torus", "ball", "box", "cut"])
def test_ply_zstd_keeps_everything(mesh):
    coded = code(PlyZstdCodec(), mesh)
    back = decode(PlyZstdCodec(), coded.payload)
    assert coded.notes == ()
    assert np.array_equal(back.vertices, mesh.vertices.astype(np.float32))
    assert np.array_equal(back.faces, mesh.faces)
    assert (back.vertices.dtype, back.faces.dtype) == (np.float32, np.int32)
    assert len(coded.payload) < 12 * len(mesh.vertices) + 13 * len(mesh.faces) + 300


@pytest.mark.parametrize("bits", [6, 8, 11, 14])
@pytest.mark.parametrize("mesh", [TORUS, BALL, CUT], ids=["torus", "ball", "cut"])
def test_draco_keeps_faces_within_its_step(mesh, bits):
    coded = code(DracoCodec(bits), mesh)
    back = decode(DracoCodec(), coded.payload)
    assert coded.notes == ()
    assert (len(back.vertices), len(back.faces)) == (len(np.unique(mesh.faces)), len(mesh.faces))
    assert (back.vertices.dtype, back.faces.dtype) == (np.float32, np.int32)
    half_a_step = LONGEST_SIDE / (2**bits - 1) / 2
    assert surface_distance(mesh, back, 2000)[1] <= 3**0.5 * half_a_step + 1e-6
    assert np.sign(back.to_trimesh().volume) == np.sign(mesh.to_trimesh().volume)


def test_more_bits_cost_more_and_keep_more():
    payloads = [code(DracoCodec(bits), TORUS).payload for bits in range(6, 15)]
    sizes = [len(payload) for payload in payloads]
    errors = [surface_distance(TORUS, decode(DracoCodec(), payload), 2000)[0] for payload in payloads]
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


def test_fine_draco_has_the_same_triangles():
    mesh = Mesh(np.round(TORUS.vertices, 3), TORUS.faces)
    back = decode(DracoCodec(), code(DracoCodec(24), mesh).payload)
    assert corner_set(back) == corner_set(mesh)


def test_what_draco_rearranges_is_noted():
    separate = Mesh(BOX.triangles.reshape(-1, 3), np.arange(36, dtype=np.int32).reshape(-1, 3))
    merged = code(DracoCodec(), separate)
    assert len(decode(DracoCodec(), merged.payload).vertices) == 8
    fan = Mesh(np.vstack([BOX.vertices, [[0, 0, 0.9]]]), np.vstack([BOX.faces, [[0, 1, 8]]]).astype(np.int32))
    split = code(DracoCodec(), fan)
    assert len(decode(DracoCodec(), split.payload).vertices) > 9
    assert merged.notes == split.notes == (draco.REARRANGED,)
    needle = Mesh(BOX.vertices, np.vstack([BOX.faces, [[0, 0, 1]]]).astype(np.int32))
    dropped = code(DracoCodec(), needle)
    assert len(decode(DracoCodec(), dropped.payload).faces) == 12
    assert dropped.notes == (draco.DROPPED,)


def test_what_draco_cannot_code_is_refused(capfd):
    needles = Mesh(BOX.vertices, np.array([[0, 0, 1], [2, 3, 3]], np.int32))
    refused = code(DracoCodec(), needles)
    assert isinstance(refused, Refusal)
    assert refused.reason.startswith("Draco cannot code it")
    capfd.readouterr()


@pytest.mark.parametrize("kept", [0.5, 0.1])
def test_simplification_reaches_its_share_and_costs_less(kept):
    coded = code(DracoCodec(14, kept), TORUS)
    back = decode(DracoCodec(), coded.payload)
    assert coded.notes == ()
    assert len(back.faces) == pytest.approx(kept * len(TORUS.faces), rel=0.02)
    assert back.to_trimesh().is_watertight
    assert len(coded.payload) < kept * 2 * len(code(DracoCodec(14), TORUS).payload)
    assert surface_distance(TORUS, back, 5000)[0] < 0.02 / kept / 10


def test_flat_faces_are_simplified_without_error():
    fine = solid(trimesh.creation.box((1.99, 1.0, 0.5)).subdivide().subdivide().subdivide())
    simple, notes = simplification.simplify(fine, 0.02)
    assert notes == ()
    assert 12 <= len(simple.faces) <= 0.02 * len(fine.faces)
    assert surface_distance(fine, simple, 2000)[1] < 1e-6


@pytest.mark.parametrize("mesh", [TOUCHING, CUT], ids=["touching", "cut"])
def test_meshes_with_borders_or_without_manifold_are_simplified_too(mesh):
    fine = mesh.to_trimesh().subdivide().subdivide()
    simple, notes = simplification.simplify(solid(fine), 0.25)
    assert 0 < len(simple.faces) <= simplification.REACHED * 0.25 * len(fine.faces)
    assert surface_distance(solid(fine), simple, 2000)[0] < 0.02
    assert notes == (() if mesh is CUT else (simplification.FORCED,))


def test_turned_faces_go_to_the_method_that_ends():
    """libigl never returns for some meshes whose faces do not agree on the outside."""
    turned = TORUS.faces.copy()
    turned[::7] = turned[::7, ::-1]
    simple, notes = simplification.simplify(Mesh(TORUS.vertices, turned), 0.25)
    assert notes == (simplification.FORCED,)
    assert 0 < len(simple.faces) < len(turned)


def test_a_topology_that_is_in_the_way_gives_way():
    ring = solid(trimesh.creation.annulus(0.5, 0.9, 0.2, sections=12))
    simple, notes = simplification.simplify(ring, 0.05)
    assert len(simple.faces) < 12
    assert notes == (simplification.FORCED,)


def test_small_meshes_and_all_faces_are_left_alone():
    assert simplification.simplify(BOX, 1.0) == (BOX, ())
    pyramid = Mesh(BOX.vertices[:4], np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32))
    assert simplification.simplify(pyramid, 0.01) == (pyramid, ())


@pytest.mark.parametrize("parameters", [{"quantisation": 0}, {"quantisation": 31}, {"kept": 0.0}, {"kept": 1.1}])
def test_parameters_out_of_range(parameters):
    with pytest.raises(ValueError, match=r"Draco quantises|simplification keeps"):
        DracoCodec(**parameters)


def test_registry_and_parameters():
    assert codec_by_name("draco") == codec_by_id(2) == DracoCodec(11, 1.0)
    assert isinstance(codec_by_id(3), PlyZstdCodec)
    coded = DracoCodec(9, 0.5).compress([BALL, BOX], Settings())
    assert coded.report == {}
    assert DracoCodec(9, 0.5).parameters() == {"quantisation": 9, "kept": 0.5}
    assert all(isinstance(item, CodedMesh) for item in coded.meshes)
    for codec in (DracoCodec(), PlyZstdCodec()):
        with pytest.raises(ArchiveError, match="shared part"):
            codec.open(b"x")


def test_archive_with_a_codec_made_with_parameters(tmp_path):
    write_mesh(Mesh(10 * TORUS.vertices + 3, TORUS.faces), tmp_path / "ring.ply")
    write_mesh(BALL, tmp_path / "ball.ply")
    result = compress([tmp_path], tmp_path / "set.mset", codec=DracoCodec(10, 0.25))
    assert [entry.codec_id for entry in result.entries] == [2, 2]
    with meshset.open(result.path) as archive:
        assert archive["ring"].vertices.mean() == pytest.approx(3, abs=0.1)
        assert len(archive["ball"].faces) == len(BALL.faces) / 4


def bits_of(payload):
    """Bits of a coordinate, from the positions that come back: the steps of Draco's grid along the longest side."""
    xs = np.unique(decode(DracoCodec(), payload).vertices[:, 0])
    return np.log2(LONGEST_SIDE / np.diff(xs).min() + 1)


def test_meshes_join_an_archive_of_draco_at_its_own_setting(tmp_path):
    path = compress([written(tmp_path / "a", BALL)], tmp_path / "a.mset", codec=DracoCodec(7, 0.5)).path
    (entry,) = add(path, [written(tmp_path / "b", TORUS)]).entries
    assert entry.faces == pytest.approx(len(TORUS.faces) / 2, rel=0.02)
    with ArchiveReader(path) as reader:
        assert bits_of(reader.read_payload("b")) == pytest.approx(7, abs=0.1)
    remove(path, ["*"])
    (entry,) = add(path, [written(tmp_path / "c", BALL)]).entries
    assert entry.faces == len(BALL.faces) / 2


def test_merged_archives_of_draco_give_the_setting_of_the_first(tmp_path):
    paths = [
        compress([written(tmp_path / str(bits), BALL)], tmp_path / f"{bits}.mset", codec=codec).path
        for bits, codec in ((7, DracoCodec(7)), (12, DracoCodec(12)))
    ]
    merge(paths, tmp_path / "all.mset")
    notes = []

    class Listener(Silent):
        def note(self, message):
            notes.append(message)

    add(tmp_path / "all.mset", [written(tmp_path / "c", TORUS)], progress=Listener())
    assert notes == ["merged from archives with other parameters of draco: those of the first are used"]
    with ArchiveReader(tmp_path / "all.mset") as reader:
        assert bits_of(reader.read_payload("c")) == pytest.approx(7, abs=0.1)


@pytest.mark.parametrize("parameters", [{"quantisation": "x"}, {"quantisation": 99}, {"kept": []}, {"kept": 0}])
def test_invalid_parameters_in_an_archive(parameters):
    with pytest.raises(ArchiveError, match="settings of Draco"):
        DracoCodec().with_parameters(parameters)


def written(folder, mesh):
    """Write a mesh file named like its folder and return it."""
    path = folder.with_suffix(".ply")
    write_mesh(mesh, path)
    return path


@pytest.mark.parametrize(("module", "mesh"), [("igl", TORUS), ("fast_simplification", TOUCHING)])
def test_missing_simplification_names_the_extra(module, mesh, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"meshset\[bench\]"):
        simplification.simplify(mesh, 0.3)


def mutants(payload, count):
    """Random damage, most of it near the start, where the counts are."""
    rng = random.Random(len(payload))
    for _ in range(count):
        data = bytearray(payload)
        for _ in range(rng.choice((1, 1, 2, 8))):
            place = rng.randrange(min(len(data), 60)) if rng.random() < 0.6 else rng.randrange(len(data))
            data[place] = rng.choice((0, 127, 128, 255, rng.randrange(256)))
        yield bytes(data[: rng.randrange(len(data))] if rng.random() < 0.1 else data)


@pytest.mark.parametrize("codec", [DracoCodec(), PlyZstdCodec()], ids=["draco", "ply-zstd"])
@pytest.mark.parametrize("mesh", [TORUS, BOX], ids=["torus", "box"])
def test_hostile_bytes_give_a_sound_mesh_or_an_error(codec, mesh, capfd):
    payload = code(codec, mesh).payload
    refused = 0
    for data in mutants(payload, 1500):
        try:
            back = decode(codec, data)
        except ArchiveError:
            refused += 1
        else:
            assert np.isfinite(back.vertices).all()
            assert len(back.faces) == 0 or 0 <= back.faces.min() <= back.faces.max() < len(back.vertices)
    assert refused > 100
    capfd.readouterr()


def test_draco_of_another_kind_is_refused():
    import DracoPy

    cloud = DracoPy.encode(BALL.vertices.astype(np.float32))
    with pytest.raises(ArchiveError, match="not a Draco mesh"):
        decode(DracoCodec(), cloud)
    for data in (b"", b"x", b"DRACO"):
        with pytest.raises(ArchiveError, match="not a Draco mesh"):
            decode(DracoCodec(), data)


def frame(content, **options):
    return zstandard.ZstdCompressor(**options).compress(content)


def forged(vertices=1, faces=0, body=bytes(12)):
    header = ply.encode_ply(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)))
    header = header.replace(b"vertex 0", b"vertex %d" % vertices).replace(b"face 0", b"face %d" % faces)
    return header + body


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "unknown size|not a zstd frame"),
        (b"no frame at all", "not a zstd frame"),
        (frame(b"ply\n"), "does not hold a PLY of the kind"),
        (frame(forged()) + b"more", "not a zstd frame"),
        (frame(forged(), write_content_size=False), "unknown size"),
        (frame(forged(vertices=2)), "wrong length"),
        (frame(forged(vertices=9_999_999_999)), "wrong length"),
        (frame(forged(body=bytes(13))), "wrong length"),
        (frame(forged(body=struct.pack("<3f", 0, float("nan"), 0))), "not finite"),
        (frame(forged(faces=1, body=bytes(12) + struct.pack("<B3i", 3, 0, 0, 1))), "do not exist"),
        (frame(forged(faces=1, body=bytes(12) + struct.pack("<B3i", 3, 0, 0, -1))), "do not exist"),
        (frame(forged(faces=1, body=bytes(12) + struct.pack("<B3i", 4, 0, 0, 0))), "faces that are not triangles"),
    ],
)
def test_forged_ply_is_refused(payload, reason):
    with pytest.raises(ArchiveError, match=reason):
        decode(PlyZstdCodec(), payload)


def test_a_frame_that_would_fill_the_memory_is_refused_unread(monkeypatch):
    monkeypatch.setattr(ply, "MAX_RAW_BYTES", 1000)
    with pytest.raises(ArchiveError, match="more than 1000 bytes"):
        decode(PlyZstdCodec(), frame(bytes(1001)))


@pytest.mark.parametrize(("name", "tolerance"), [("draco", 1e-3), ("ply-zstd", 1e-6)])
def test_archives_made_earlier_decode_to_the_same_mesh(name, tolerance):
    """Made by version 0.1.0 from a sphere of one subdivision: `meshset compress ball.ply --codec NAME`."""
    ball = trimesh.creation.icosphere(subdivisions=1, radius=0.995)
    with meshset.open(DATA / f"{name}.mset") as archive:
        found = archive["ball"]
    assert (len(found.vertices), len(found.faces)) == (len(ball.vertices), len(ball.faces))
    assert found.to_trimesh().area == pytest.approx(ball.area, rel=tolerance)
    assert found.to_trimesh().volume == pytest.approx(ball.volume, rel=tolerance)
