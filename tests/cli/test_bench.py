"""The commands for figures."""

import json

import pytest

pytest.importorskip("bjontegaard")


def test_bench_then_report(meshset, models, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    out = tmp_path / "figures"
    arguments = ("bench", models, "--codecs", "ply-zstd,v-pcc", "--count", "2", "--device", "cpu", "--out", out)
    result = meshset(*arguments)
    assert result.exit_code == 0, result.stderr
    assert "set models: 2 meshes (all 2 meshes)" in result.stderr
    assert "1 point; about " in result.stderr
    assert "v-pcc: not run, there is no PccAppEncoder on the PATH" in result.stderr
    assert "models  ply-zstd" in result.stdout
    recorded = json.loads((out / "bench.json").read_text())
    assert recorded["command"] == f"meshset bench {models} --codecs ply-zstd,v-pcc --count 2 --device cpu --out {out}"
    assert recorded["machine"]["cores"] > 0
    assert recorded["versions"]["numpy"]

    assert "1 point, 1 of them on disk already; about 0 s" in meshset(*arguments).stderr

    result = meshset("report", out)
    assert (result.exit_code, result.stdout) == (0, f"{out / 'report.html'} written\n")
    assert "ply-zstd" in (out / "report.html").read_text()


def test_bench_of_a_published_set(meshset, tmp_path):
    result = meshset("bench", "--dataset", "thingi10k", tmp_path, "--codecs", "ply-zstd", "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert "expected raw_meshes/<number>.stl" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "name at least one folder"),
        (["missing"], 3, "no such folder"),
        (["--dataset", "imagenet", "."], 3, "there is no data set 'imagenet', only thingi10k, "),
    ],
)
def test_wrong_arguments(meshset, tmp_path, arguments, code, message):
    result = meshset("bench", *arguments, "--out", tmp_path / "out")
    assert result.exit_code == code
    assert message in result.stderr.replace("\n", " ")


def test_unknown_codec_and_missing_result(meshset, models, tmp_path):
    result = meshset("bench", models, "--codecs", "jpeg", "--out", tmp_path / "out")
    assert (result.exit_code, "knows no codec 'jpeg'" in result.stderr) == (3, True)
    result = meshset("report", tmp_path)
    assert (result.exit_code, "holds no bench.json" in result.stderr) == (3, True)
