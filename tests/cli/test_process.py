"""What only a process of its own shows: what is imported, signals, pipes, missing packages."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")

SPY = """
import sys
{setup}
try:
    from meshset.cli import main
    main()
finally:
    heavy = {{"torch", "numpy", "rich", "trimesh", "scipy", "igl"}}
    print("loaded:", *sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
WITH_RAW = """
sys.path.insert(0, {path!r})
sys.modules["torch"] = None  # whoever imports it fails
import raw_codec
raw_codec.register()
"""


def finished(process):
    stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout, stderr


@pytest.mark.parametrize("command", ["list", "info"])
def test_list_and_info_load_nothing_heavy(start, archive, command):
    code, stdout, stderr = finished(start(command, archive, program=SPY.format(setup="")))
    assert code == 0
    assert stdout
    assert stderr.splitlines()[-1] == "loaded:"


@pytest.mark.parametrize("command", ["extract", "test"])
def test_extract_and_test_work_without_torch(start, archive, tmp_path, command):
    import raw_codec

    setup = WITH_RAW.format(path=str(Path(raw_codec.__file__).parent))
    more = ["-o", tmp_path / "out"] if command == "extract" else []
    code, _, stderr = finished(start(command, archive, *more, program=SPY.format(setup=setup)))
    assert code == 0, stderr


@pytest.mark.parametrize("command", ["extract", "test"])
def test_a_real_archive_is_read_without_torch_scipy_or_igl(start, tmp_path, command):
    more = ["-o", tmp_path / "out"] if command == "extract" else []
    archive = Path(__file__).parents[1] / "data" / "three.mset"
    code, _, stderr = finished(start(command, archive, *more, program=SPY.format(setup="")))
    assert code == 0, stderr
    assert not {"torch", "scipy", "igl"} & set(stderr.splitlines()[-1].replace(",", " ").split())


@pytest.mark.parametrize(("module", "command"), [("torch", "compress"), ("igl", "compress"), ("scipy", "eval")])
def test_missing_extra_is_one_line(start, archive, models, module, command):
    arguments = {"compress": [models, "-o", archive, "--force", "--quiet"], "eval": [archive, models]}[command]
    program = SPY.format(setup=f"sys.modules[{module!r}] = None")
    code, _, stderr = finished(start(command, *arguments, program=program))
    assert code == 3
    assert stderr.splitlines()[0].endswith("needs the 'compress' extra: pip install 'meshset[compress]'")
    assert "Traceback" not in stderr


def test_importing_meshset_is_light_and_names_load_on_use():
    program = """
import sys
import meshset
heavy = {"torch", "numpy", "rich", "typer", "trimesh"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert set(meshset.__all__) <= set(dir(meshset))
assert all(hasattr(meshset, name) for name in meshset.__all__)
assert not hasattr(meshset, "nonsense")
assert "torch" not in sys.modules
print(meshset.__version__)
"""
    result = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(".") == 2


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_leaves_nothing_behind(start, models, tmp_path, sent):
    before = sorted(tmp_path.rglob("*"))
    output = tmp_path / "a.mset"
    process = start("compress", models, "-o", output, "--codec", "slow", "--device", "cpu")
    assert process.stdout.readline() == "training\n"
    assert sorted(tmp_path.rglob("*")) != before  # the temporary file is there
    process.send_signal(sent)
    code, _, stderr = finished(process)
    assert code == 128 + sent
    assert stderr.splitlines()[-1] == "meshset: interrupted, nothing written"
    assert "Traceback" not in stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_what_a_killed_run_leaves_goes_with_the_next_and_is_told(start, models, tmp_path):
    output = tmp_path / "a.mset"
    process = start("compress", models, "-o", output, "--codec", "slow", "--device", "cpu")
    assert process.stdout.readline() == "training\n"
    process.kill()
    finished(process)
    assert len(list(tmp_path.glob(".meshset-*.tmp"))) == 1
    code, _, stderr = finished(start("compress", models, "-o", output, "--codec", "raw", "--device", "cpu"))
    assert code == 0
    assert "removed 1 temporary file that killed runs had left in the folder" in stderr
    assert list(tmp_path.glob(".meshset-*.tmp")) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_reader_that_stops_early_is_no_error(start, archive):
    reading, writing = os.pipe()
    os.close(reading)
    process = start("list", archive, stdout=writing)
    os.close(writing)
    code, _, stderr = finished(process)
    assert (code, stderr) == (1, "")


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_full_output_is_one_line(start, archive):
    with FULL.open("w") as full:
        code, _, stderr = finished(start("list", archive, stdout=full))
    assert code == 3
    assert stderr == "meshset: error: standard output: No space left on device\n"


def test_terminal_without_unicode_gets_escapes(start, archive, meshset, tmp_path):
    import raw_codec

    raw_codec.box(tmp_path / "Würfel.obj")
    meshset("compress", tmp_path / "Würfel.obj", "-o", tmp_path / "u.mset", "--codec", "raw", "--device", "cpu")
    ascii_only = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(
        [sys.executable, "-c", "from meshset.cli import main; main()", "list", str(tmp_path / "u.mset")],
        capture_output=True,
        env=ascii_only,
        check=False,
    )
    assert result.returncode == 0
    assert b"W\\xfcrfel" in result.stdout
