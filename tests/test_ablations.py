"""The ablations change what they say, leave the codec as it is, and their tables tell what is missing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.paper import ablate
from benchmarks.paper.ablations.autoencoder import AutoEncoderNetwork, Encoder
from benchmarks.paper.ablations.variants import AUTO_ENCODER, PAPER, POST_TRAINING, WITHOUT_SSIM, in_place
from benchmarks.tables.ablations import NOT_MEASURED, ablation, table_1
from meshset.codecs.necgs_paper.bitstream import unpack_shared
from meshset.codecs.necgs_paper.codec import NecgsPaperCodec
from meshset.codecs.necgs_paper.recipe import paper_architecture
from meshset.codecs.protocol import CodedMesh, Settings
from meshset.field import compute_field
from meshset.geometry import Placement
from meshset.geometry.samples import sample_meshes
from meshset.pipeline.sample import sample

SETTINGS = Settings(resolution=32, field="tsdf")
CODEC = NecgsPaperCodec((4, 4, 4), "dense", epochs=2)


@pytest.fixture(scope="module")
def meshes():
    return [Placement.of(mesh).normalise(mesh) for _, mesh in sample_meshes(2, 0)]


@pytest.fixture(scope="module")
def coded(meshes):
    """Return a tiny set as each variant codes it, and as the codec does."""

    def run():
        return CODEC.compress(meshes, SETTINGS)

    found = {"codec": run()}
    for variant in (PAPER, WITHOUT_SSIM, POST_TRAINING, AUTO_ENCODER):
        with in_place(variant):
            found[variant.name] = run()
    found["codec again"] = run()
    return found


def test_the_codec_itself_is_not_changed(coded):
    assert coded["codec"] == coded[PAPER.name] == coded["codec again"]


def test_every_variant_is_another_set_that_the_codec_reads(coded):
    decoders = {name: unpack_shared(one.shared) for name, one in coded.items() if not name.startswith("codec")}
    assert len({one.shared for name, one in coded.items() if name in decoders}) == 4
    for name, part in decoders.items():
        decoder = CODEC.open(coded[name].shared)
        assert all(isinstance(mesh, CodedMesh) for mesh in coded[name].meshes)
        assert all(len(decoder.decode_field(mesh.payload)) == 2 for mesh in coded[name].meshes)
        assert part.architecture == decoders[PAPER.name].architecture


def test_the_loss_without_ssim_lacks_that_term(coded):
    assert coded[WITHOUT_SSIM.name].report["loss"] < coded[PAPER.name].report["loss"] - 1


def test_latents_are_those_of_the_encoder(meshes, tmp_path):
    architecture = paper_architecture(SETTINGS, "dense", CODEC.widths)
    fields = [tmp_path / "0.npz", tmp_path / "1.npz"]
    for mesh, path in zip(meshes, fields, strict=True):
        compute_field(mesh, 32)[0].save(path)
    network = AutoEncoderNetwork(fields, architecture, 2, seed=0)
    latents = network.quantised_latents([1, 0])
    assert latents.shape == (2, 64, 16)
    assert np.array_equal(network.final_latent(1), (128 * latents[0]).detach().numpy())
    latents.square().sum().backward()
    assert all(p.grad is not None for p in network.encoder.parameters())
    before = {name: p.clone() for name, p in network.named_parameters()}
    with torch.no_grad():
        network.encoder.last.bias.fill_(7.0)
        network.tensors[0].fill_(7.0)
    network.project()
    assert (network.encoder.last.bias == 7.0).all()
    assert (network.tensors[0] == 1.0).all()
    assert "latents" not in before


@pytest.mark.parametrize("resolution", [32, 64])
def test_the_encoder_keeps_places(resolution):
    """A change in one corner of the field moves the latent row of that corner most, in the decoder's order of rows."""
    architecture = paper_architecture(Settings(resolution=resolution), "dense", (4, 4, 4, 4))
    torch.manual_seed(0)
    encoder = Encoder(architecture)
    field = torch.zeros(2, 4, *(resolution,) * 3)
    eighth = resolution // 4
    field[1, :, :eighth, :eighth, -eighth:] = torch.randn(4, eighth, eighth, eighth)
    first, second = encoder(field).detach()
    from meshset.field.grid import root_coords

    row = (first - second).abs().sum(dim=1).argmax()
    assert root_coords(field)[row].tolist() == [0, 0, 3]


def point(label, **other):
    mean = dict.fromkeys(("cd", "nc", "f1_005", "f1_01", "mean_distance"), 0.5)
    times = {"coding_seconds": 90.0, "decoding_seconds": 0.02}
    return {"label": label, "bytes": 1500, "ratio": 20.0, "mean": mean, "failures": [], **times, **other}


def test_tables_tell_what_failed_and_what_cannot_be_compared():
    systems = [
        {"name": "necgs-paper", "curve": ["a"], "points": [point("a"), {"label": "b", "error": "out of memory"}]},
        {"name": "without SSIM", "curve": [], "points": [point("c", failures=[["fox", "nothing left"]])]},
    ]
    results = {
        "name": "animals", "rule": "all 3 meshes", "meshes": 3, "floor": point("")["mean"], "systems": systems,
        "difference": {"refused": "the curves do not overlap"}, "command": "python benchmarks/paper/ablate.py ssim",
        "made_by": {"meshset": "0.1.0", "commit": "abcdef0"},
    }  # fmt: skip
    text = ablation(results)
    for expected in (
        "| necgs-paper | a | 1.5 | 20.0 | 500.00e-3 | 0.500 | 0.500 | 0.500 | 500.00e-3 | 90 s | 20 ms |",
        "| without SSIM | c * |", "necgs-paper, b: out of memory.", "without SSIM, c lacks 1 of 3 meshes.",
        "No BD-rate: the curves do not overlap.", "    python benchmarks/paper/ablate.py ssim",
        "Made by meshset 0.1.0 at abcdef0.",
    ):  # fmt: skip
        assert expected in text
    assert ablation(None) == table_1(None) == NOT_MEASURED


def test_extrapolated_times_are_marked():
    whole = {"compress_seconds": 60.0, "decompress_seconds_a_mesh": 0.01, "ratio": 30.0, "mean_distance": 2e-3}
    part = {
        "compress_seconds": 7200.0, "decompress_seconds_a_mesh": 0.04, "steps": 100, "full_steps": 2500,
        "seconds_a_step": 2.875, "extrapolated": True,
    }  # fmt: skip
    described = {"set": "animals", "rule": "all", "command": "x", "made_by": {"meshset": "0.1.0"}}
    results = {"rows": {"necgs": whole, "necgs-paper": part}, **described}
    text = table_1(results)
    assert "| necgs | 60 s | 10.0 ms | 30.0 | 2.00e-3 | 1 / 1 |" in text
    assert "| necgs-paper | 2.0 h (extrapolated) | 40.0 ms | |  | 120 / 4 |" in text
    assert "100 of 2,500 steps were run, 2.88 s each" in text


@pytest.mark.slow
def test_one_ablation_from_the_shell(tmp_path, monkeypatch):
    sample(tmp_path / "parts", 2)
    out = tmp_path / "out.json"
    command = (
        f"{ablate.__file__} resolutions {tmp_path / 'parts'} --resolutions 32 --epochs 1 --work {tmp_path / 'work'}"
    )
    monkeypatch.setattr(sys, "argv", [*command.split(), "--out", str(out)])
    ablate.main()
    made = json.loads(out.read_text())
    assert made["command"].startswith(
        "python benchmarks/paper/ablate.py resolutions sets/parts --resolutions 32 --epochs 1 "
    )
    assert str(tmp_path / "parts") not in made["command"]
    assert [(s["name"], [p["label"] for p in s["points"]]) for s in made["systems"]] == [("necgs", ["K = 32"])]
    assert "K = 32" in ablation(made)
