"""The package as a Python user sees it: the verbs, what they take, and what they give back."""

import inspect
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import trimesh
import typer

import meshset
import raw_codec
from meshset.cli.app import app

BOX = trimesh.creation.box((1, 2, 3))
PAIR = (np.asarray(BOX.vertices), np.asarray(BOX.faces))

VERBS = {
    "add": "add",
    "check": "check",
    "compress": "compress",
    "eval": "evaluate",
    "extract": "extract",
    "fit": "fit",
    "info": "summarise",
    "list": "list_meshes",
    "merge": "merge",
    "remove": "remove",
    "replace": "replace",
    "sample": "sample",
    "test": "verify",
}
OF_THE_TERMINAL = {"json", "quiet", "help"}
SAID_OTHERWISE = {"paths": "sources", "file_format": "format"}


def command(name):
    return typer.main.get_command(app).commands[name]


def options_of(name):
    """Return the parameters of a command as Python calls them, with their defaults."""
    found = {}
    for one in command(name).params:
        if one.name not in OF_THE_TERMINAL and not (name == "test" and one.name == "repair"):  # a verb of its own
            found[one.name] = one.default
    return found


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_of_the_command_line_has_the_same_arguments_in_python(name):
    verb = inspect.signature(getattr(meshset, VERBS[name])).parameters
    for option, default in options_of(name).items():
        python = option if option in verb else SAID_OTHERWISE[option]
        assert python in verb, option
        mine = verb[python].default
        if default not in (None, ()) and mine is not inspect.Parameter.empty:
            assert mine == default, option


@pytest.mark.parametrize("name", VERBS.values())
def test_every_verb_says_what_it_takes_gives_and_raises(name):
    text = inspect.getdoc(getattr(meshset, name))
    for argument in inspect.signature(getattr(meshset, name)).parameters:
        assert f"{argument}: " in text or "arguments and errors as in" in text, argument
    assert ">>> " in text


@pytest.fixture
def compressed(tmp_path):
    def run(sources, **options):
        return meshset.compress(sources, tmp_path / "set.mset", codec="draco", device="cpu", **options)

    return run


OPEN3D = SimpleNamespace(vertices=PAIR[0], triangles=PAIR[1])
OPEN3D_TENSORS = SimpleNamespace(
    vertex=SimpleNamespace(positions=SimpleNamespace(numpy=lambda: PAIR[0].astype(np.float32))),
    triangle=SimpleNamespace(indices=SimpleNamespace(numpy=lambda: PAIR[1])),
)


@pytest.mark.parametrize(
    "mesh",
    [
        PAIR,
        [*map(np.ndarray.tolist, PAIR)],
        BOX,
        meshset.Mesh(PAIR[0], PAIR[1].astype(np.int32)),
        OPEN3D,
        OPEN3D_TENSORS,
    ],
    ids=["arrays", "lists", "trimesh", "meshset", "open3d", "open3d tensors"],
)
def test_meshes_in_memory_come_back(compressed, mesh):
    result = compressed({"box": mesh})
    assert result.failures == ()
    with meshset.open(result.path) as archive:
        back = archive["box"].to_trimesh()
    assert back.is_watertight
    assert back.volume == pytest.approx(6, rel=1e-3)
    np.testing.assert_allclose(back.bounds, BOX.bounds, atol=2e-3)


def test_a_mesh_in_memory_that_cannot_be_used_is_left_out(compressed):
    result = compressed({"box": PAIR, "nan": (PAIR[0] * np.nan, PAIR[1]), "far": (PAIR[0], PAIR[1] + 5)})
    assert [entry.name for entry in result.entries] == ["box"]
    assert [str(failure) for failure in result.failures] == [
        "nan: NaN or infinite coordinates",
        "far: face indices out of range: 12, of 8 vertices counted from 0",
    ]


def test_meshes_in_memory_join_and_replace_and_are_verified(compressed):
    path = compressed({"box": PAIR}).path
    assert meshset.add(path, {"ball": trimesh.creation.icosphere()}).meshes == 2
    assert meshset.replace(path, {"box": (2 * PAIR[0], PAIR[1])}).meshes == 2
    assert meshset.verify(path, {"box": (2 * PAIR[0], PAIR[1])}, deep=True).failures == ()
    (failure,) = meshset.verify(path, {"box": PAIR}).failures
    assert failure.subject == "box"
    assert meshset.evaluate(path, {"box": (2 * PAIR[0], PAIR[1])}).metrics["box"].mean_distance < 1e-3
    assert [mesh.verdict for mesh in meshset.check({"box": PAIR}).meshes] == ["clean"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"preset": "slow"}, "preset 'slow' is not fast, balanced or best"),
        ({"resolution": 100}, "resolution 100 is not 32, 64, 128 or 256"),
        ({"device": "gpu"}, "device 'gpu' is not auto, cpu, cuda"),
        ({"codec": "zip"}, "there is no codec 'zip', only"),
        ({"max_error": 0}, "must be above 0"),
        ({"target_size": 10, "target_ratio": 2}, "not both"),
        ({"progress": 5}, "progress 5 is not True, False, a function"),
    ],
)
def test_bad_arguments_fail_before_any_file_is_read(tmp_path, wrong, reason):
    with pytest.raises(meshset.MeshsetError, match=reason):
        meshset.compress([tmp_path / "none.obj"], tmp_path / "set.mset", **wrong)
    assert list(tmp_path.iterdir()) == []


def test_one_file_or_folder_has_a_usual_archive(tmp_path, monkeypatch):
    raw_codec.box(tmp_path / "parts" / "box.obj")
    monkeypatch.chdir(tmp_path)
    usual = {"codec": "draco", "device": "cpu"}
    assert str(meshset.compress("parts/box.obj", **usual).path) == "parts/box.mset"
    assert str(meshset.compress("parts", **usual).path) == "parts.mset"
    assert str(meshset.compress(["parts/"], force=True, **usual).path) == "parts.mset"
    for several in (["parts", "parts/box.obj"], {"box": PAIR}):
        with pytest.raises(meshset.MeshsetError, match="needs a name"):
            meshset.compress(several, **usual)


def test_a_function_hears_of_progress(compressed):
    heard = []
    compressed({"box": PAIR}, progress=lambda *step: heard.append(step))
    tasks = list(dict.fromkeys(task for task, *_ in heard))
    assert tasks == ["read files", "draco", "decode and measure"]
    assert ("read files", 1, 1, "") in heard


def test_progress_is_shown_where_asked_for_and_silent_else(compressed, capsys):
    compressed({"box": PAIR}, force=True)
    assert capsys.readouterr() == ("", "")
    compressed({"box": PAIR}, force=True, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "read files: 1" in err


def test_results_print_well(compressed, tmp_path):
    made = compressed({"box": PAIR})
    path = made.path
    results = [
        (made, f"{path}: 1 mesh, "),
        (meshset.add(path, {"two": PAIR}), f"{path}: 1 mesh added in"),
        (meshset.remove(path, "two"), f"{path}: 1 mesh removed, 1 left"),
        (meshset.merge([path], tmp_path / "all.mset"), f"{tmp_path / 'all.mset'}: 1 mesh and 0 shared parts in"),
        (meshset.extract(path, output=tmp_path / "out"), f"1 mesh written to {tmp_path / 'out'}"),
        (meshset.verify(path), f"{path}: its only mesh is whole"),
        (meshset.repair(path, tmp_path / "new.mset"), f"{tmp_path / 'new.mset'}: 1 mesh salvaged"),
        (meshset.list_meshes(path), "name  codec"),
        (meshset.summarise(path), "meshes"),
        (meshset.evaluate(path, {"box": PAIR}), "name"),
        (meshset.check({"box": PAIR}), "name"),
    ]
    for result, start in results:
        assert repr(result) == str(result)
        assert str(result).startswith(start)


def test_an_archive_is_extracted_into_memory(compressed):
    from io import BytesIO

    path = compressed({"box": PAIR, "two": PAIR}).path
    stream = BytesIO()
    result = meshset.extract(path, "box", stream, format="stl")
    assert (result.written, result.count, result.output) == ((), 1, "-")
    assert trimesh.load(BytesIO(stream.getvalue()), file_type="stl").volume == pytest.approx(6, rel=1e-3)
    with pytest.raises(meshset.MeshsetError, match="takes one mesh, not 2"):
        meshset.extract(path, output=stream)


def test_importing_the_package_imports_neither_numpy_nor_torch():
    import subprocess

    code = "import sys, meshset; print([m for m in ('numpy', 'torch', 'trimesh', 'fsspec') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_says_all_it_has():
    assert set(meshset.__all__) <= set(dir(meshset))
    for name in meshset.__all__:
        assert getattr(meshset, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'decompress'"):
        meshset.decompress  # noqa: B018
