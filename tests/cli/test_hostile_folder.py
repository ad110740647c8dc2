"""A folder of good and hostile files: what can be compressed is, and each of the others is one line."""

import os
import struct
import zipfile

import pytest

import raw_codec

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


def fill(folder):
    """Make one hostile file of each kind and return their names with what must be said about them."""
    texts = {
        "empty.obj": ("", "empty file"),
        "nan.obj": (TRIANGLE.replace("1 0 0", "nan 0 0"), "NaN or infinite coordinates"),
        "huge.obj": (TRIANGLE.replace("1 0 0", "1e300 0 0"), "absurd coordinates"),
        "flat.obj": (TRIANGLE.replace("0 1 0", "2 0 0"), "no area"),
        "points.off": ("OFF\n3 0 0\n0 0 0\n1 0 0\n0 1 0\n", "no faces"),
        "polygon.off": ("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n999999999 0 1 2\n", "fewer corners"),
        "outside.gltf": (
            '{"asset":{"version":"2.0"},"meshes":[{"primitives":[{"attributes":{"POSITION":0}}]}],'
            '"accessors":[{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3"}],'
            '"bufferViews":[{"buffer":0,"byteLength":36}],"buffers":[{"byteLength":36,"uri":"../secret.bin"}]}',
            "outside its own folder",
        ),
        "noise.stl": ("\0" * 80 + "\x7f" * 4, "truncated, or not STL"),
    }
    for name, (text, _) in texts.items():
        (folder / name).write_text(text)
    (folder.parent / "secret.bin").write_bytes(struct.pack("<9f", *range(9)))
    with zipfile.ZipFile(folder / "bomb.3mf", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/3dmodel.model", bytes(3 << 20))
    return {name: reason for name, (_, reason) in texts.items()} | {"bomb.3mf": "suspicious compression"}


def test_what_can_be_compressed_is_and_the_rest_is_told(meshset, models, tmp_path):
    expected = fill(models)
    result = meshset("compress", models, "-o", tmp_path / "set.mset", "--codec", "raw", "--device", "cpu", "--quiet")
    assert result.exit_code == 1
    told = [line for line in result.stderr.splitlines() if line.startswith("meshset: error: ")]
    assert len(told) == len(expected)
    for name, reason in expected.items():
        assert any(name in line and reason in line for line in told), (name, told)
    assert meshset("test", tmp_path / "set.mset").stdout.endswith("all 2 meshes are whole and decode\n")


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode on Windows")
def test_a_file_name_that_is_not_utf8(meshset, models, tmp_path):
    raw_codec.box(models / os.fsdecode(b"b\xf6x.obj"))
    result = meshset("compress", models, "-o", tmp_path / "set.mset", "--codec", "raw", "--device", "cpu")
    assert result.exit_code == 0
    assert "names changed to be possible on every system: 1" in result.stderr
    assert all(line.isprintable() for line in result.stderr.splitlines())
    assert "b_x" in meshset("list", tmp_path / "set.mset").stdout
