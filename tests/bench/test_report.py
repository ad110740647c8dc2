"""The page: whole, by itself, in both schemes, and safe with any name."""

import copy
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from meshset.bench.report import PAGE, write_report
from meshset.bench.report.chart import Axis, log_axis, tick_label
from meshset.bench.run import FORMAT, RESULT
from meshset.errors import MeshsetError

VOID = {"meta", "img", "br", "link", "input", "hr"}
MEAN = {"cd": 4e-3, "nc": 0.97, "f1_005": 0.6, "f1_01": 0.9, "mean_distance": 1e-3, "max_distance": 9e-3, "giou": 0.95}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
BROWSER = Path(__file__).with_name("browser.py")


def point(label, size, distance, **other):
    mean = {**MEAN, "mean_distance": distance}
    return {
        "label": label, "bytes": size, "shared_bytes": size // 2, "coding_seconds": 1.5, "decoding_seconds": 0.02,
        "failures": [], "mean": mean, "per_mesh": {"fox": mean, "cat": mean}, "ratio": 1e6 / size,
        "ply_ratio": 4e5 / size, **other,
    }  # fmt: skip


def figures():
    necgs = [point(f"weight {i}", 1000 * 2**i, 8e-3 / 2**i) for i in range(4)]
    draco = [point("6 bits", 5000, 5e-3), point("7 bits", 9000, 2e-3), point("8 bits", 9500, 3e-3)]
    systems = [
        {"name": "necgs", "not_run": None, "points": necgs, "curve": [p["label"] for p in necgs]},
        {"name": "draco-simplified", "not_run": None, "points": draco, "curve": ["6 bits", "7 bits"]},
        {"name": "ply-zstd", "not_run": None, "points": [point("zstd 19", 200000, 1e-9)], "curve": ["zstd 19"]},
        {"name": "gpcc", "not_run": "there is no tmc3 on the PATH", "points": [], "curve": []},
    ]
    one = {
        "name": "animals", "rule": "all 2 meshes", "left_out": ["dog.ply: empty"], "obj_bytes": 10**6,
        "ply_bytes": 4 * 10**5, "meshes": [{"name": n, "vertices": 3, "faces": 5} for n in ("fox", "cat")],
        "floor": {**MEAN, "mean_distance": 0.0}, "systems": systems,
        "differences": [
            {"anchor": "draco-simplified", "system": "necgs", "percent": -41.5, "finest": 1e-3, "coarsest": 5e-3,
             "share": 0.5},
            {"anchor": "draco-simplified", "system": "ply-zstd", "refused": "the curve has 1 points"},
        ],
        "shown_ratio": 250.0, "shown": {"necgs": "weight 2", "draco-simplified": "6 bits", "ply-zstd": "zstd 19"},
        "pictures": [
            {"name": "fox", "original": PIXEL,
             "decoded": [{"system": "necgs", "mean_distance": 2e-3, "png": PIXEL}]},
        ],
    }  # fmt: skip
    return {
        "format": FORMAT, "meshset": "0.1.0", "command": "meshset bench animals --out figures", "picture_scale": 0.01,
        "machine": {"processor": "abacus", "cores": 2}, "versions": {"numpy": "2.0"},
        "settings": {"resolution": 64}, "samples": {"surface": 100_000}, "sets": [one],
    }  # fmt: skip


class Page(HTMLParser):
    """Checks that tags close in order, and collects text, tags and what they refer to."""

    def __init__(self, content):
        super().__init__()
        self.open, self.text, self.tags, self.links = [], [], [], []
        self.feed(content)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "xlink:href", "srcset", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def draw(tmp_path):
    """Write the page of some figures and return its text."""

    def run(result):
        (tmp_path / RESULT).write_text(json.dumps(result))
        path = write_report(tmp_path)
        assert path == tmp_path / PAGE
        return path.read_text(encoding="utf-8")

    return run


def test_page_holds_every_system_and_the_command(draw):
    text = " ".join(Page(draw(figures())).text)
    for expected in (
        "necgs", "draco-simplified", "ply-zstd", "gpcc (not run)", "there is no tmc3 on the PATH", "-41.5 %",
        "the curve has 1 points", "meshset bench animals --out figures", "abacus", "dog.ply: empty", "weight 3",
        "Left off below 1e-05: ply-zstd", "250.0x, 2e-3",
    ):  # fmt: skip
        assert expected in text


def test_page_needs_nothing_but_itself(draw):
    content = draw(figures())
    page = Page(content)
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert not re.search(r"https?:|url\(|@import|//[a-z]", content)


def test_page_has_charts_in_both_schemes(draw):
    content = draw(figures())
    assert content.count('<svg class="chart"') == 3
    assert "prefers-color-scheme: dark" in content
    assert 'name="viewport"' in content
    # Six points of curves and one beside them, twice; the lossless one is left off. Four in the legend.
    assert content.count('<g class="mark') == 2 * 7 + 4


def test_names_cannot_add_markup(draw):
    result = figures()
    evil = '"><script>alert(1)</script>'
    one = result["sets"][0]
    one["name"] = one["rule"] = one["pictures"][0]["name"] = result["command"] = evil
    one["systems"][0]["name"] = one["pictures"][0]["decoded"][0]["system"] = evil
    one["shown"][evil] = one["shown"].pop("necgs")
    one["systems"][0]["points"][0]["label"] = one["systems"][0]["curve"][0] = evil
    assert "script" not in Page(draw(result)).tags


def test_failed_points_are_named(draw):
    result = figures()
    points = result["sets"][0]["systems"][0]["points"]
    points[0]["failures"] = [["/home/me/animals/fox.ply", "too thin"]]
    points[1] = {"label": "weight 1", "error": "out of memory"}
    result["sets"][0]["systems"][0]["curve"] = ["weight 2", "weight 3"]
    text = " ".join(Page(draw(result)).text)
    assert "it lacks 1 meshes (fox.ply: too thin)" in text
    assert "weight 1: out of memory" in text


def test_set_without_any_figure_is_drawn(draw):
    result = figures()
    one = result["sets"][0]
    one["systems"], one["shown"], one["pictures"], one["differences"] = one["systems"][3:], {}, [], []
    assert "not run" in draw(result)


def test_broken_figures_are_one_error(draw):
    result = copy.deepcopy(figures())
    del result["sets"][0]["floor"]
    with pytest.raises(MeshsetError, match=r"bench\.json: lacks a figure .*floor"):
        draw(result)


@pytest.mark.parametrize(("low", "high"), [(0.9, 1.1), (20, 600), (1e-5, 1e-1), (1e-9, 1e3), (4.2, 4.3)])
def test_log_ticks_are_few_and_on_the_axis(low, high):
    axis = Axis("x", low, high, log=True)
    ticks = axis.ticks()
    assert 3 <= len(ticks) <= 13
    assert all(-1e-6 <= axis.share(tick) <= 1 + 1e-6 for tick in ticks)


def test_axis_leaves_a_margin_and_counts_are_whole():
    axis = log_axis("x", [10, 100])
    assert 0 < axis.share(10) < axis.share(100) < 1
    assert Axis("n", 0, 2.2, log=False, whole=True).ticks() == [0, 1, 2]
    assert [tick_label(value) for value in (0, 0.002, 100, 1e-5, 5)] == ["0", "0.002", "100", "1e-5", "5"]


@pytest.fixture(scope="module")
def browser():
    """Skip where there is none; it also needs libraries of the system, so having the package is not enough."""
    start = [sys.executable, "-c", "import PySide6.QtWebEngineCore"]
    if subprocess.run(start, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("no browser: pip install 'meshset[browser]'")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_browser_lays_it_out_on_a_phone(browser, draw, tmp_path, scheme):
    image = pytest.importorskip("matplotlib.image")
    draw(figures())
    command = [sys.executable, BROWSER, tmp_path / PAGE, tmp_path / "shot.png", "390", "1600", scheme]
    done = subprocess.run(command, check=True, capture_output=True, timeout=120, text=True)
    seen = json.loads(done.stdout.splitlines()[-1])
    assert (seen["console"], seen["broken"]) == ([], 0)
    assert seen["width"] <= seen["window"] <= 390
    pixels = image.imread(tmp_path / "shot.png")[..., :3]
    brightness = pixels[2, 2].mean()
    assert brightness > 0.9 if scheme == "light" else brightness < 0.2
    # Text, charts and pictures leave their marks all the way down.
    assert (abs(pixels - pixels[2, 2]).max(axis=(1, 2)) > 0.2).mean() > 0.4
