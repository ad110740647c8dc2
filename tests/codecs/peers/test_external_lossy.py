"""V-PCC and PCGCv2: found or not, run with which options, and what becomes of the mesh; scripts stand in for both."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from meshset.codecs.peers.external import ExternalError, NotRun, Pcgcv2, Program, Vpcc, find_pcgcv2, find_vpcc
from meshset.codecs.peers.external import program as program_module
from meshset.codecs.peers.external.pcgcv2 import MODELS
from meshset.codecs.peers.external.points import voxelise
from meshset.codecs.peers.external.vpcc import COLOURS, CONDITIONS, RATES
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are scripts with a shebang")

_SHAPE = trimesh.creation.icosphere(subdivisions=4, radius=0.9)
BALL = Mesh(np.array(_SHAPE.vertices), np.array(_SHAPE.faces, np.int32))

OPTIONS = """
import os, struct, sys, zlib
print("{name} v{version}\\n")
open({log!r}, "a").write(" ".join(sys.argv) + chr(10))
if "--help" in sys.argv:
    sys.exit(255)
options = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
"""

ENCODER = """
header, body = open(options["uncompressedDataPath"], "rb").read().split(b"end_header\\n", 1)
assert header.count(b"float") == 3 and header.count(b"uchar") == 3
quality = int(open(options["config"]).read().split(":")[1])
step = quality / 16
points = {tuple(round(round(c / step) * step) for c in p[:3]) for p in struct.iter_unpack("<3f3B", body)}
open(options["compressedStreamPath"], "wb").write(
    zlib.compress(b"".join(struct.pack("<3H", *p) for p in sorted(points)))
)
"""

DECODER = """
if not os.path.exists(options["inverseColorSpaceConversionConfig"]):
    print("inverseColorSpaceConversionConfig not set or exist", file=sys.stderr)
    sys.exit(255)
body = zlib.decompress(open(options["compressedStreamPath"], "rb").read())
points = list(struct.iter_unpack("<3H", body))
points += points[:10]
with open(options["reconstructedDataPath"], "wb") as file:
    file.write(b"ply\\nformat binary_little_endian 1.0\\nelement vertex %d\\n" % len(points))
    file.write(b"".join(b"property float %s\\n" % axis for axis in (b"x", b"y", b"z")))
    file.write(b"element face 0\\nproperty list uint8 int32 vertex_index\\nend_header\\n")
    file.write(b"".join(struct.pack("<3f", *point) for point in points))
"""

CODER = """
import argparse, os, zlib
parser = argparse.ArgumentParser()
parser.add_argument("--ckptdir")
parser.add_argument("--filedir")
args = parser.parse_args()
assert os.path.exists(args.ckptdir)
step = float(open(args.ckptdir).read())
lines = open(args.filedir).read().split("\\n")
assert lines[:2] == ["ply", "format ascii 1.0"], lines[:2]
body = lines[lines.index("end_header") + 1 :]
points = sorted({tuple(round(round(int(c) / step) * step) for c in line.split(" ")) for line in body if line})
os.makedirs("output")
parts = {"C": zlib.compress(repr(points).encode()), "F": b"12345", "H": b"123", "num_points": b"12"}
for part, content in parts.items():
    open(f"output/in_{part}.bin", "wb").write(content)
print("Enc Time:\\t", 0.25, "s")
print("Dec Time:\\t", 0.125, "s")
with open("output/in_dec.ply", "w") as file:
    file.write("ply\\nformat ascii 1.0\\nelement vertex %d\\n" % len(points))
    file.write("property float x\\nproperty float y\\nproperty float z\\nend_header\\n")
    file.writelines("%d %d %d\\n" % point for point in points)
"""


class WorkingTree:
    """A folder with the parts of mpeg-pcc-tmc2 that are needed, its encoder linked from a folder on the PATH."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "log"
        for part in (*CONDITIONS, *RATES.values(), COLOURS):
            self.part(part).parent.mkdir(parents=True, exist_ok=True)
            self.part(part).write_text("")
        for number, part in RATES.items():
            self.part(part).write_text(f"geometryQP: {36 - 4 * number}\n")
        self.install()

    def part(self, name: str) -> Path:
        return self.root / "tmc2" / "cfg" / name

    def program(self, name: str) -> Path:
        return self.root / "tmc2" / "bin" / name

    def install(self, encoder: str = ENCODER, decoder: str = DECODER, versions: tuple[str, str] = ("24.0", "24.0")):
        sources = {"PccAppEncoder": encoder, "PccAppDecoder": decoder}
        for (name, source), version in zip(sources.items(), versions, strict=True):
            path = self.program(name)
            path.parent.mkdir(exist_ok=True)
            options = OPTIONS.format(name=name, version=version, log=str(self.log))
            path.write_text(f"#!{sys.executable}\n{options}{source}")
            path.chmod(0o755)


@pytest.fixture
def tmc2(tmp_path, monkeypatch):
    tree = WorkingTree(tmp_path)
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "PccAppEncoder").symlink_to(tree.program("PccAppEncoder"))
    monkeypatch.setenv("PATH", str(linked))
    return tree


@pytest.fixture
def pcgcv2(tmp_path, monkeypatch):
    """A working tree of PCGCv2, and on the PATH the script of the documentation that leads to it."""
    tree = tmp_path / "PCGCv2"
    (tree / ".venv" / "bin").mkdir(parents=True)
    (tree / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tree / "ckpts").mkdir()
    for number, model in enumerate(MODELS):
        (tree / "ckpts" / f"{model}.pth").write_text(str(2 - number / 6))
    (tree / "coder.py").write_text(CODER)
    page = (Path(__file__).parents[3] / "docs" / "peers.md").read_text()
    [script] = re.findall(r"```sh\n(#!/bin/sh\n# pcgcv2 .*?)```", page, re.DOTALL)
    path = tmp_path / "bin" / "pcgcv2"
    path.parent.mkdir()
    path.write_text(script.replace("/path/to/PCGCv2", str(tree)))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    return tree


def errors_of(codecs, mesh):
    results = [codec.run(mesh) for codec in codecs]
    errors = [surface_distance(mesh, result.mesh, 5000)[0] for result in results]
    assert all(result.points == len(voxelise(mesh, codec.depth)) for codec, result in zip(codecs, results, strict=True))
    assert all(result.mesh.to_trimesh().is_watertight for result in results)
    assert all(result.mesh.to_trimesh().volume > 0 for result in results)
    return [result.size for result in results], errors, results


def test_vpcc_is_found_through_a_link_with_its_version(tmc2):
    assert find_vpcc() == Program(tmc2.program("PccAppEncoder").resolve(), "24.0")


@pytest.mark.parametrize("part", [*CONDITIONS, RATES[5], COLOURS])
def test_vpcc_without_its_configuration_is_not_run(tmc2, part):
    tmc2.part(part).unlink()
    assert find_vpcc().reason.endswith(f"cfg/{part} is not")


def test_vpcc_without_its_decoder_is_not_run(tmc2):
    tmc2.program("PccAppDecoder").unlink()
    assert find_vpcc().reason.endswith("PccAppDecoder is not")


def test_vpcc_of_two_versions_is_not_run(tmc2):
    tmc2.install(versions=("24.0", "23.0"))
    assert find_vpcc() == NotRun("V-PCC", "PccAppEncoder is version 24.0, but PccAppDecoder 23.0")


def test_another_decoder_of_that_name_is_not_run(tmc2):
    tmc2.program("PccAppDecoder").write_text(f"#!{sys.executable}\nprint('hello')")
    assert find_vpcc().reason.endswith("PccAppDecoder does not say that it is PccAppDecoder")


def test_vpcc_moves_along_its_curve_by_rate_and_depth(tmc2):
    program = find_vpcc()
    sizes, errors, results = errors_of([Vpcc(program, 6, rate) for rate in (1, 3, 5)], BALL)
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    # Nothing is lost at geometry QP 16, but by the grid.
    assert errors[-1] < 0.4 / 2**6
    assert all(result.encode_seconds > 0 and result.decode_seconds > 0 for result in results)
    (coarse,), (error,), _ = errors_of([Vpcc(program, 5, 5)], BALL)
    assert coarse < sizes[-1]
    assert error > errors[-1]


def test_the_options_of_vpcc_are_those_of_the_test_conditions(tmc2):
    Vpcc(find_vpcc(), 5, 4).run(BALL)
    encoding, decoding = tmc2.log.read_text().splitlines()[-2:]
    configuration = tmc2.root.resolve() / "tmc2" / "cfg"
    assert encoding.split()[1:] == [
        f"--configurationFolder={configuration}/",
        f"--config={configuration}/common/ctc-common.cfg",
        f"--config={configuration}/condition/ctc-all-intra.cfg",
        f"--config={configuration}/rate/ctc-r4.cfg",
        "--uncompressedDataPath=in.ply",
        "--compressedStreamPath=bits.bin",
        "--frameCount=1",
        "--noAttributes=1",
        "--computeMetrics=0",
        "--computeChecksum=0",
    ]
    assert decoding.split()[1:] == [
        "--compressedStreamPath=bits.bin",
        "--reconstructedDataPath=out.ply",
        f"--inverseColorSpaceConversionConfig={configuration}/hdrconvert/yuv420torgb444.cfg",
        "--computeMetrics=0",
        "--computeChecksum=0",
    ]


FAR = DECODER.replace("points += points[:10]", "points.append((300, 0, 0))")
NEAR = DECODER.replace("points += points[:10]", "points.append((35, 16, 16))")
NAN = DECODER.replace('struct.pack("<3f", *point)', 'struct.pack("<3f", float("nan"), 0, 0)')
EMPTY = DECODER.replace("points += points[:10]", "points = []")
CHATTY = "sys.exit('ERROR: videoEncoderGeometryPath not set\\nColor smoothings are disable')"


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"encoder": CHATTY}, "PccAppEncoder: failed with code 1: ERROR: videoEncoderGeometryPath not set$"),
        ({"encoder": ""}, r"PccAppEncoder: wrote no bits\.bin"),
        ({"encoder": "open('bits.bin', 'wb')"}, "wrote an empty bitstream"),
        ({"encoder": "open('bits.bin', 'w').write('garbage')"}, "PccAppDecoder: failed with code 1: zlib.error"),
        ({"decoder": "print('Profile not correct...')"}, r"wrote no out\.ply"),
        ({"decoder": "open('out.ply', 'wb').write(bytes(range(256)))"}, r"out\.ply is not a PLY file of points"),
        ({"decoder": FAR}, "far outside of the grid"),
        ({"decoder": NAN}, "not finite"),
        ({"decoder": EMPTY}, "is not a PLY file of points|has no points"),
    ],
    ids=["chatty", "silent", "empty", "garbage", "undecoded", "no-ply", "far", "nan", "no-points"],
)
def test_a_vpcc_that_fails_is_an_error_with_its_reason(tmc2, parts, reason):
    tmc2.install(**parts)
    with pytest.raises(ExternalError, match=reason):
        Vpcc(find_vpcc(), 5, 5).run(BALL)


def test_points_that_overshoot_the_grid_a_little_are_kept(tmc2):
    tmc2.install(decoder=NEAR)
    assert Vpcc(find_vpcc(), 5, 5).run(BALL).mesh.to_trimesh().volume > 2


def test_a_vpcc_that_is_slow_is_ended(tmc2, monkeypatch):
    program = find_vpcc()
    tmc2.install(decoder="import time; time.sleep(60)")
    monkeypatch.setattr(program_module, "MOST_SECONDS", 2.0)
    with pytest.raises(ExternalError, match="ended after 2 seconds"):
        Vpcc(program, 5, 5).run(BALL)


@pytest.mark.skipif(shutil.which("git") is None, reason="the version is that of a git repository")
def test_pcgcv2_is_found_by_the_script_of_the_documentation(pcgcv2):
    identity = ("-c", "user.name=x", "-c", "user.email=x")
    for arguments in (["init", "-q"], ["add", "coder.py"], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *arguments], cwd=pcgcv2, check=True)
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=pcgcv2, capture_output=True, text=True).stdout
    assert revision.startswith(find_pcgcv2().version)
    (pcgcv2 / "coder.py").write_text(CODER + "\n")
    assert find_pcgcv2().version.endswith("-dirty")


def test_pcgcv2_without_a_version_is_not_run(pcgcv2):
    assert find_pcgcv2().reason.endswith("pcgcv2 does not say that it is pcgcv2")


def test_pcgcv2_moves_along_its_curve_by_model_and_depth(pcgcv2, tmp_path):
    program = Program(tmp_path / "bin" / "pcgcv2", "1")
    sizes, errors, results = errors_of([Pcgcv2(program, 6, MODELS[i]) for i in (0, 3, 6)], BALL)
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.4 / 2**6
    # What the coder says, not how long it took to load.
    assert {(result.encode_seconds, result.decode_seconds) for result in results} == {(0.25, 0.125)}
    (coarse,), (error,), _ = errors_of([Pcgcv2(program, 5, MODELS[6])], BALL)
    assert coarse < sizes[-1]
    assert error > errors[-1]


def test_all_bitstreams_of_pcgcv2_are_counted(pcgcv2, tmp_path):
    codec = Pcgcv2(Program(tmp_path / "bin" / "pcgcv2", "1"), 5)
    whole = codec.run(BALL).size
    (pcgcv2 / "coder.py").write_text(CODER.replace('b"12345"', 'b"1234567"').replace('b"12"', 'b"1"'))
    assert codec.run(BALL).size == whole + 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (CODER.replace('"H": b"123", ', ""), r"pcgcv2: wrote no in_H\.bin"),
        (CODER.replace("Dec Time", "Time"), "does not print its 'Dec Time'"),
        (CODER.replace("in_dec", "in_dev"), r"pcgcv2: wrote no in_dec\.ply"),
        (CODER.replace("ply\\nformat", "nope\\nformat"), "is not a PLY file of points"),
        (CODER + "raise KeyError('mseF,PSNR (p2point)')", r"failed with code 1: KeyError: 'mseF,PSNR \(p2point\)'"),
        ("import time; time.sleep(60)", "ended after 2 seconds"),
    ],
    ids=["part", "time", "undecoded", "malformed", "fails", "slow"],
)
def test_a_pcgcv2_that_fails_is_an_error_with_its_reason(pcgcv2, tmp_path, monkeypatch, source, reason):
    (pcgcv2 / "coder.py").write_text(source)
    monkeypatch.setattr(program_module, "MOST_SECONDS", 2.0 if "sleep" in source else 60.0)
    with pytest.raises(ExternalError, match=reason):
        Pcgcv2(Program(tmp_path / "bin" / "pcgcv2", "1"), 5).run(BALL)


def test_weights_that_are_not_there(pcgcv2, tmp_path):
    (pcgcv2 / "ckpts" / f"{MODELS[1]}.pth").unlink()
    with pytest.raises(ExternalError, match="failed with code 1: AssertionError"):
        Pcgcv2(Program(tmp_path / "bin" / "pcgcv2", "1"), 5, MODELS[1]).run(BALL)


def test_settings_out_of_range(tmp_path):
    program = Program(tmp_path, "any")
    for make, reason in (
        (lambda: Vpcc(program, 11), "1 to 10, not 11"),
        (lambda: Vpcc(program, 8, 6), "rate of V-PCC is 1 to 5, not 6"),
        (lambda: Pcgcv2(program, 0), "1 to 12, not 0"),
        (lambda: Pcgcv2(program, 8, "r9"), "no model 'r9', only r1_0.025bpp, "),
    ):
        with pytest.raises(ValueError, match=reason):
            make()
