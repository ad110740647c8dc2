"""The benchmark: what is chosen, planned, made once, kept, and written."""

import json
from dataclasses import replace

import numpy as np
import pytest
import trimesh

import raw_codec
from meshset.bench import coders
from meshset.bench import plan as planning
from meshset.bench import points as pointing
from meshset.bench.coders import ArchiveCoder, ExternalCoder
from meshset.bench.curves import curve_labels, differences, shown_points
from meshset.bench.plan import PlannedPoint, System, plan_systems
from meshset.bench.run import RESULT, bench, prepare, read_result
from meshset.bench.selection import choose_from_folder
from meshset.bench.source import code_digest
from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.necgs.recipe import Recipe
from meshset.codecs.peers.draco import DracoCodec
from meshset.codecs.peers.external import ExternalResult, NotRun, PointCodec, Program, Vpcc
from meshset.codecs.peers.ply import PlyZstdCodec
from meshset.codecs.protocol import Settings
from meshset.errors import MeshFileError, MeshsetError
from meshset.geometry import Mesh, write_mesh

SETTINGS = Settings(device="cpu")


class CountingCoder(ArchiveCoder):
    """Counts how often it is asked to work."""

    calls = 0

    def make(self, meshes, folder):
        type(self).calls += 1
        return super().make(meshes, folder)


def points(*codecs, coder=ArchiveCoder):
    return tuple(PlannedPoint(f"point {i}", coder(codec, SETTINGS), lambda n: n) for i, codec in enumerate(codecs))


def peers(settings):
    return (
        System("draco", points(*map(DracoCodec, (6, 8, 10)))),
        System("draco-simplified", points(*(DracoCodec(bits, 0.5) for bits in (6, 8, 10)))),
        System("ply-zstd", points(PlyZstdCodec())),
        NotRun("gpcc", "there is no tmc3 on the PATH"),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    shapes = {
        "ball": trimesh.creation.icosphere(subdivisions=3),
        "ring": trimesh.creation.torus(1.0, 0.3),
        "rod": trimesh.creation.capsule(2.0, 0.4),
    }
    for name, shape in shapes.items():
        write_mesh(Mesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32)), folder / f"{name}.ply")
    return folder


def job(folder, out, plan=peers):
    selection = choose_from_folder(folder, None, 0)
    return prepare([selection], plan, out, SETTINGS, surface_samples=2000, volume_samples=500)


@pytest.fixture(scope="module")
def measured(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, bench(job(folder, out), "meshset bench parts --out out")


def test_result_is_what_is_on_disk(measured):
    out, result = measured
    assert json.loads((out / RESULT).read_text()) == json.loads(json.dumps(result)) == read_result(out)


def test_bytes_are_those_of_the_archive(measured):
    out, result = measured
    (one,) = result["sets"]
    sizes = sorted(path.stat().st_size for path in out.glob("points/*/draco/*/set.mset"))
    draco = one["systems"][0]
    assert [point["bytes"] for point in draco["points"]] == sizes
    assert [point["ratio"] for point in draco["points"]] == [pytest.approx(one["obj_bytes"] / size) for size in sizes]


def test_more_bits_are_nearer_and_all_metrics_are_there(measured):
    _, result = measured
    means = [point["mean"] for point in result["sets"][0]["systems"][0]["points"]]
    assert means[0]["mean_distance"] > 2 * means[1]["mean_distance"] > 4 * means[2]["mean_distance"] > 0
    assert set(means[0]) == {"cd", "nc", "f1_005", "f1_01", "mean_distance", "max_distance", "giou"}
    assert means[2]["giou"] > 0.9


def test_lossless_codec_meets_the_floor(measured):
    _, result = measured
    one = result["sets"][0]
    assert one["systems"][2]["points"][0]["mean"]["cd"] == pytest.approx(one["floor"]["cd"], rel=0.02)
    assert one["floor"]["mean_distance"] < 1e-9 < 1e-3 < one["floor"]["cd"]


def test_what_was_not_run_says_why(measured):
    _, result = measured
    system = result["sets"][0]["systems"][3]
    assert (system["not_run"], system["points"]) == ("there is no tmc3 on the PATH", [])


def test_differences_are_against_the_simplified_anchor(measured):
    _, result = measured
    rows = {row["system"]: row for row in result["sets"][0]["differences"]}
    assert set(rows) == {"draco", "ply-zstd"}
    assert all(row["anchor"] == "draco-simplified" for row in rows.values())
    assert "at least 3" in rows["ply-zstd"]["refused"]


def test_pictures_show_every_mesh_and_system(measured):
    _, result = measured
    pictures = result["sets"][0]["pictures"]
    assert len(pictures) == 3
    assert all(
        [row["system"] for row in mesh["decoded"]] == ["draco", "draco-simplified", "ply-zstd"] for mesh in pictures
    )


def test_repeated_run_makes_nothing_again(folder, tmp_path):
    CountingCoder.calls = 0

    def plan(settings):
        return (System("draco", points(DracoCodec(6), DracoCodec(8), coder=CountingCoder)),)

    first = bench(job(folder, tmp_path, plan), "x")
    assert CountingCoder.calls == 2
    again = job(folder, tmp_path, plan)
    assert (again.outlook().points, again.outlook().kept, again.outlook().seconds) == (2, 2, 0)
    assert bench(again, "x") == first
    assert CountingCoder.calls == 2


def test_interrupted_run_goes_on(folder, tmp_path):
    class Interrupted(CountingCoder):
        def make(self, meshes, folder):
            raise KeyboardInterrupt

    CountingCoder.calls = 0
    broken = (
        *points(DracoCodec(6), coder=CountingCoder),
        replace(points(DracoCodec(8), coder=Interrupted)[0], label="8"),
    )
    with pytest.raises(KeyboardInterrupt):
        bench(job(folder, tmp_path, lambda _: (System("draco", broken),)), "x")
    whole = (broken[0], replace(points(DracoCodec(8), coder=CountingCoder)[0], label="8"))
    resumed = job(folder, tmp_path, lambda _: (System("draco", whole),))
    assert resumed.outlook().kept == 1
    bench(resumed, "x")
    assert CountingCoder.calls == 2


def test_other_meshes_or_parameters_are_made_anew(folder, tmp_path):
    first = job(folder, tmp_path, lambda _: (System("draco", points(DracoCodec(6))),))
    bench(first, "x")
    other = job(folder, tmp_path, lambda _: (System("draco", points(DracoCodec(7))),))
    assert other.outlook().kept == 0
    fewer = prepare([choose_from_folder(folder, 2, 0)], lambda _: first.systems, tmp_path, SETTINGS)
    assert fewer.outlook().kept == 0


def test_points_of_other_code_are_made_anew_and_measured_anew(folder, tmp_path, monkeypatch):
    CountingCoder.calls = 0
    plan = (System("draco", points(DracoCodec(6), coder=CountingCoder)),)
    first = bench(job(folder, tmp_path, lambda _: plan), "x")
    monkeypatch.setattr(pointing, "code_digest", lambda modules: f"changed {modules}")
    monkeypatch.setattr(coders, "code_digest", lambda modules: f"changed {modules}")
    other = job(folder, tmp_path, lambda _: plan)
    assert other.outlook().kept == 0
    again = bench(other, "x")
    assert CountingCoder.calls == 2
    assert again["sets"][0]["systems"][0]["curve"] == first["sets"][0]["systems"][0]["curve"]


def test_code_is_told_by_modules_and_all_that_they_import(tmp_path):
    def digest():
        code_digest.cache_clear()
        return code_digest(("mine.codec",), tmp_path)

    files = {
        "mine/__init__.py": "x = 1",
        "mine/codec.py": "import os\nfrom mine.bits import pack\n",
        "mine/bits/__init__.py": "from mine.bits.pack import pack\n",
        "mine/bits/pack.py": "def pack():\n    from mine import late\n",
        "mine/late.py": "x = 1",
        "mine/other.py": "x = 1",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    digests = [digest()]
    (tmp_path / "mine" / "other.py").write_text("x = 2")
    assert digest() == digests[0]
    for changed in ("codec", "bits/__init__", "bits/pack", "late"):
        with (tmp_path / f"mine/{changed}.py").open("a") as file:
            file.write("# changed\n")
        digests.append(digest())
    assert len(set(digests)) == 5
    code_digest.cache_clear()


def test_point_that_fails_is_named_and_not_kept(folder, tmp_path):
    class Failing(ArchiveCoder):
        def make(self, meshes, folder):
            raise MeshsetError("out of memory")

    failing = job(folder, tmp_path, lambda _: (System("draco", points(DracoCodec(6), coder=Failing)),))
    (system,) = bench(failing, "x")["sets"][0]["systems"]
    assert system["points"] == [{"label": "point 0", "error": "out of memory"}]
    assert system["curve"] == []
    assert failing.outlook().kept == 0


def test_point_that_lacks_a_mesh_is_off_the_curve(tmp_path):
    raw_codec.ball(tmp_path / "in" / "ball.ply")
    raw_codec.tetrahedron(tmp_path / "in" / "tetrahedron.ply")
    plan = (System("raw", points(raw_codec.RawCodec())),)
    (system,) = bench(job(tmp_path / "in", tmp_path / "out", lambda _: plan), "x")["sets"][0]["systems"]
    assert system["curve"] == []
    assert system["points"][0]["failures"][0][1] == "raw codec takes no tetrahedra"


def test_unreadable_mesh_is_left_out_of_the_set(tmp_path):
    raw_codec.ball(tmp_path / "in" / "ball.ply")
    (tmp_path / "in" / "broken.ply").write_text("nothing")
    (one,) = job(tmp_path / "in", tmp_path / "out").sets
    assert [mesh.name for mesh in one.meshes] == ["ball"]
    assert "broken.ply" in one.left_out[0]


def test_two_sets_of_one_name_are_refused(folder, tmp_path):
    selection = choose_from_folder(folder, None, 0)
    with pytest.raises(MeshsetError, match="two sets are named"):
        prepare([selection, selection], peers, tmp_path, SETTINGS)


def test_no_result_says_what_to_do(tmp_path):
    with pytest.raises(MeshsetError, match=r"make it with meshset bench"):
        read_result(tmp_path)
    (tmp_path / RESULT).write_text('{"format": 999}')
    with pytest.raises(MeshsetError, match="not of format"):
        read_result(tmp_path)


def test_plan_names_every_point_once():
    systems = plan_systems(planning.SYSTEMS, SETTINGS)
    found = {system.name: system for system in systems}
    assert list(found) == list(planning.SYSTEMS)
    for system in systems:
        if isinstance(system, System):
            labels = [point.label for point in system.points]
            keys = [json.dumps(point.coder.key()) for point in system.points]
            assert len(set(labels)) == len(set(keys)) == len(labels)
    assert [point.coder.codec.quantisation for point in found["draco"].points] == list(range(6, 15))
    assert len(found["draco-simplified"].points) == 24
    assert len({point.coder.codec.recipe.rate_weight for point in found["necgs"].points}) == 6


def test_external_programs_that_are_found_have_points(tmp_path, monkeypatch):
    for name in ("find_gpcc", "find_vpcc", "find_pcgcv2"):
        monkeypatch.setattr(planning, name, lambda: Program(tmp_path, "1"))
    for system, count in zip(plan_systems(["gpcc", "v-pcc", "pcgcv2"], SETTINGS), (4, 9, 12), strict=True):
        keys = {json.dumps(point.coder.key()) for point in system.points}
        assert len(keys) == len({point.label for point in system.points}) == len(system.points) == count
    assert system.points[0].label == "depth 7, model r1_0.025bpp"


def test_curves_that_take_training_can_have_fewer_points():
    every = {system.name: system for system in plan_systems(planning.SYSTEMS, SETTINGS)}
    fewer = {system.name: system for system in plan_systems(planning.SYSTEMS, SETTINGS, 3)}
    for name in ("necgs", "necgs-paper"):
        labels = [point.label for point in every[name].points]
        assert [point.label for point in fewer[name].points] == [labels[0], labels[2], labels[-1]]
    assert len(fewer["draco"].points) == len(every["draco"].points)


def test_systems_that_train_take_the_epochs_they_are_given():
    necgs, paper = plan_systems(["necgs", "necgs-paper"], SETTINGS, epochs=7)
    assert {point.coder.codec.recipe.steps(10) for point in necgs.points} == {35}
    assert {point.coder.codec.epochs for point in paper.points} == {7}
    (quant_deepsdf,) = plan_systems(["quant-deepsdf"], SETTINGS, epochs=7)
    assert {point.coder.codec.recipe.epochs for point in quant_deepsdf.points} == {7}
    assert [point.coder.codec.network.width for point in quant_deepsdf.points] == [32, 64, 128]


def test_unknown_codec_is_refused():
    with pytest.raises(MeshsetError, match="knows no codec 'jpeg', only necgs, "):
        plan_systems(["jpeg"], SETTINGS)


def test_external_coder_keeps_surfaces_and_counts_bitstreams(folder, tmp_path, monkeypatch):
    results = []

    def run(self, mesh):
        if len(results) == 2:
            raise MeshFileError("no more")
        results.append(mesh)
        return ExternalResult(100, mesh, 0.5, 0.25, 10)

    monkeypatch.setattr(PointCodec, "run", run)
    coder = ExternalCoder(Vpcc(Program(tmp_path / "PccAppEncoder", "1"), 7, 2))
    key = coder.key()
    assert len(key.pop("code")) == 16
    assert key == {"program": "V-PCC", "version": "1", "depth": 7, "rate": 2}
    meshes = job(folder, tmp_path).sets[0].meshes
    made = coder.make(meshes, tmp_path)
    assert (made.bytes, made.coding_seconds, made.decoding_seconds, len(made.failures)) == (200, 1.0, 0.25, 1)
    with coder.decoded(tmp_path) as decoded:
        name = meshes[0].name
        assert np.abs(meshes[0].placement.normalise(decoded[name]).vertices - results[0].vertices).max() < 1e-5


def point(label, size, distance, ratio=1.0, failures=()):
    mean = {"mean_distance": distance}
    return {"label": label, "bytes": size, "mean": mean, "failures": failures, "ratio": ratio}


def test_curve_is_the_envelope_of_whole_points():
    found = [point("a", 10, 0.4), point("b", 20, 0.5), point("c", 30, 0.1), point("d", 5, 0.2, failures=[("x", "y")])]
    assert curve_labels([*found, {"label": "e", "error": "no"}]) == ["a", "c"]


def test_curves_apart_are_refused_and_halves_are_found():
    anchor = [point(str(i), 100 * 2**i, 0.1 / 2**i) for i in range(4)]
    half = [point(str(i), 50 * 2**i, 0.1 / 2**i) for i in range(4)]
    apart = [point(str(i), 50 * 2**i, 100 / 2**i) for i in range(4)]
    systems = [
        {"name": name, "points": found, "curve": curve_labels(found)}
        for name, found in (("draco-simplified", anchor), ("half", half), ("apart", apart))
    ]
    rows = {row["system"]: row for row in differences(systems)}
    assert rows["half"]["percent"] == pytest.approx(-50, abs=0.1)
    assert "do not overlap" in rows["apart"]["refused"]


def test_shown_points_are_near_the_middle_of_the_first_curve():
    first = [point(str(i), 1, 1, ratio) for i, ratio in enumerate((10, 40, 300))]
    second = [point("near", 1, 1, 30), point("far", 1, 1, 5)]
    systems = [
        {"name": "none", "points": [], "curve": []},
        {"name": "first", "points": first, "curve": ["0", "1", "2"]},
        {"name": "second", "points": second, "curve": ["near", "far"]},
    ]
    ratio, shown = shown_points(systems)
    assert ratio == 40
    assert {name: row["label"] for name, row in shown.items()} == {"first": "1", "second": "near"}


@pytest.mark.slow
def test_necgs_with_a_recipe_of_its_own(folder, tmp_path):
    recipe = Recipe(visits=40, epochs=1, rate_weight=1e-6)
    settings = Settings(resolution=32, device="cpu", field="tsdf")
    plan = (System("necgs", (PlannedPoint("tiny", ArchiveCoder(NecgsCodec(recipe), settings), lambda n: n),)),)
    (system,) = bench(job(folder, tmp_path, lambda _: plan), "x")["sets"][0]["systems"]
    (made,) = system["points"]
    assert 0 < made["shared_bytes"] < made["bytes"]
