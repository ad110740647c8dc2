"""Codecs are found by name and by number, ours and those of other packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from meshset.codecs import codec_by_id, codec_by_name, codec_label, codec_names, register_codec
from meshset.codecs.table import CODECS, FIRST_OF_OTHERS
from meshset.errors import ArchiveError, MeshsetError

SPEC = Path(__file__).parents[2] / "docs" / "SPEC.md"

PLUGIN = """
import struct
import numpy as np
from meshset.codecs.protocol import CodedMesh, CodedSet
from meshset.errors import ArchiveError
from meshset.geometry import Mesh

class Codec:
    id = {number}
    name = "{name}"

    def compress(self, meshes, settings, checkpoint=None):
        coded = []
        for mesh in meshes:
            head = struct.pack("<2I", len(mesh.vertices), len(mesh.faces))
            coded.append(CodedMesh(head + mesh.vertices.astype("<f4").tobytes() + mesh.faces.astype("<i4").tobytes()))
        return CodedSet(b"", tuple(coded), {{}})

    def open(self, shared, device=None):
        return Decoder()

class Decoder:
    def decode(self, payload):
        v, f = struct.unpack_from("<2I", payload)
        if len(payload) != 8 + 12 * (v + f):
            raise ArchiveError("is not a plain mesh")
        points = np.frombuffer(payload, "<f4", 3 * v, 8).reshape(-1, 3)
        return Mesh(points, np.frombuffer(payload, "<i4", 3 * f, 8 + 12 * v).reshape(-1, 3))
"""


def test_table_classes_and_specification_agree() -> None:
    rows = re.findall(r"^\| (\d+) \| `([a-z0-9-]+)` \|", SPEC.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: int(number) for number, name in rows} == {name: number for name, (number, _) in CODECS.items()}
    for name, (number, _) in CODECS.items():
        codec = codec_by_name(name)
        assert (codec.name, codec.id) == (name, number)
        assert type(codec_by_id(number)) is type(codec)
        assert codec_label(number) == name
        assert number < FIRST_OF_OTHERS
    assert codec_names()[0] == "necgs"


def test_unknown_codecs_are_named() -> None:
    with pytest.raises(MeshsetError, match="there is no codec 'zip', only necgs, draco"):
        codec_by_name("zip")
    with pytest.raises(ArchiveError, match="was made with codec 999, which this version of meshset does not know"):
        codec_by_id(999)
    with pytest.raises(ArchiveError, match=r"codec 40123 \('corners'\), which no installed package provides"):
        codec_by_id(40123, "corners")
    assert codec_label(40123) == "40123"


@pytest.mark.parametrize(("number", "name"), [(17, "mine"), (65536, "mine"), (40000, "draco")])
def test_numbers_and_names_of_ours_are_not_given_away(number: int, name: str) -> None:
    with pytest.raises(ValueError, match=r"must have a number from|is registered already"):
        register_codec(number, name, lambda: codec_by_name("draco"))


def install(folder: Path, content: str, name: str = "plain") -> None:
    """Put a package with an entry point where Python finds it, as an installer does."""
    (folder / "plain_codec.py").write_text(content)
    metadata = folder / "plain_codec-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plain-codec\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[meshset.codecs]\n{name} = plain_codec:Codec\n")


def meshset(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-c", "from meshset.cli import main; main()", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, cwd=folder, check=False
    )


@pytest.mark.slow
def test_a_codec_of_another_package_is_used_and_missed(tmp_path: Path) -> None:
    models, site, nothing = tmp_path / "models", tmp_path / "site", tmp_path / "nothing"
    for folder in (models, site, nothing):
        folder.mkdir()
    (models / "wedge.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n")
    install(site, PLUGIN.format(number=40000, name="plain"))
    archive = tmp_path / "set.mset"
    made = meshset(site, "compress", models, "-o", archive, "--codec", "plain", "--device", "cpu")
    assert made.returncode == 0, made.stderr
    assert " plain " in meshset(site, "list", archive).stdout
    assert meshset(site, "extract", archive, "-o", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "wedge.ply").exists()
    added = meshset(site, "add", archive, models / "wedge.obj")
    assert added.returncode == 3

    listed = meshset(nothing, "list", archive)
    assert (listed.returncode, " 40000 " in listed.stdout) == (0, True)
    gone = meshset(nothing, "extract", archive, "-o", tmp_path / "none")
    assert gone.returncode == 3
    assert "was made with codec 40000 ('plain'), which no installed package provides" in gone.stderr
    assert len(gone.stderr.strip().splitlines()[-1:]) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("import nothing_of_that_name", "cannot be loaded (ModuleNotFoundError: No module named"),
        (PLUGIN.format(number=17, name="plain"), "has number 17, which is not from 32768 to 65535"),
        (PLUGIN.format(number=40000, name="other"), "calls itself 'other'"),
    ],
)
def test_an_unfit_codec_is_refused_in_one_line(tmp_path: Path, content: str, reason: str) -> None:
    install(tmp_path, content)
    (tmp_path / "models").mkdir()
    refused = meshset(tmp_path, "compress", "models", "-o", "set.mset", "--codec", "plain", "--quiet")
    assert (refused.returncode, refused.stdout) == (3, "")
    (line,) = refused.stderr.splitlines()
    assert "codec 'plain' of plain-codec (plain_codec:Codec) " in line
    assert reason in line
