"""A disk that is full is told with the file that could not be written, and keeps nothing of it."""

import os
import tempfile
from contextlib import contextmanager

import pytest

import meshset
import raw_codec
from meshset.bench import report, store
from meshset.errors import MeshsetError
from meshset.pipeline.steps.resume import SavedRun

resource = pytest.importorskip("resource", reason="needs a limit on the size of files")
FULL = os.strerror(27)


@contextmanager
def full_after(size):
    """Let the system refuse every byte of a file behind the first `size`, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


def below(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_compress(models, tmp_path, temporary, pack):
    before = below(tmp_path)
    with full_after(8_000), pytest.raises(MeshsetError) as refused:
        pack(models)
    assert str(refused.value) == f"{tmp_path / 'set.mset'}: {FULL}"
    assert below(tmp_path) == before
    pack(models)
    before = below(tmp_path)
    with full_after(8_000), pytest.raises(MeshsetError):
        pack(models, force=True)
    assert below(tmp_path) == before
    assert list(temporary.iterdir()) == []


def test_temporary_files(models, tmp_path, temporary, pack):
    before = below(tmp_path)
    with full_after(1_000), pytest.raises(MeshsetError) as refused:
        pack(models)
    assert str(refused.value).startswith(f"{temporary}/meshset-meshes-")
    assert "None" not in str(refused.value)
    assert (below(tmp_path), list(temporary.iterdir())) == (before, [])


@pytest.mark.parametrize("room", [0, 20, 5_000, 5_900])
def test_add_and_remove(archive, tmp_path, temporary, room):
    new = raw_codec.ball(tmp_path / "new" / "round.ply")
    before = below(tmp_path)
    limit = archive.stat().st_size + room
    with full_after(limit), pytest.raises(MeshsetError) as refused:
        meshset.add(archive, new, device="cpu")
    assert str(refused.value) == f"{archive}: {FULL}"
    assert below(tmp_path) == before
    with full_after(archive.stat().st_size + 10), pytest.raises(MeshsetError, match=r"set\.mset: "):
        meshset.remove(archive, "box")
    assert below(tmp_path) == before


@pytest.mark.parametrize("change", ["merge", "repair", "compact"])
def test_copies(archive, tmp_path, change):
    before = below(tmp_path)
    run = {
        "merge": lambda: meshset.merge([archive], tmp_path / "new.mset"),
        "repair": lambda: meshset.repair(archive, tmp_path / "new.mset"),
        "compact": lambda: meshset.remove(archive, compact=True),
    }[change]
    with full_after(8_000), pytest.raises(MeshsetError, match=rf"(new|set)\.mset: {FULL}"):
        run()
    assert below(tmp_path) == before


def test_extract_goes_on_with_what_fits(archive, tmp_path):
    with full_after(2_000):
        result = meshset.extract(archive, output=tmp_path / "out", format="obj")
    assert [file.name for file in result.written] == ["box.obj"]
    refused = [tmp_path / "out" / name for name in ("animals/Round.obj", "ball.obj")]
    assert [failure.reason for failure in result.failures] == [
        f"{file}: cannot be written ({FULL})" for file in refused
    ]
    assert [path.name for path in below(tmp_path / "out")] == ["box.obj"]


def test_figures_and_pages(tmp_path, monkeypatch):
    with full_after(1_000), pytest.raises(MeshsetError) as refused:
        store.save(tmp_path / "bench.json", list(range(1_000)))
    assert str(refused.value) == f"{tmp_path / 'bench.json'}: cannot be written ({FULL})"
    store.save(tmp_path / "bench.json", {"format": 1})
    monkeypatch.setattr(report, "page", lambda _: "x" * 2_000)
    with full_after(1_000), pytest.raises(MeshsetError, match=r"report\.html: cannot be written"):
        report.write_report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]


def test_the_state_of_a_run(tmp_path):
    saved = SavedRun(tmp_path / "set.mset", bytes(32), resume=False)
    with full_after(1_000):
        saved.save(bytes(2_000))
    assert list(tmp_path.iterdir()) == []
    saved.save(b"state")
    with full_after(1_000):
        saved.save(bytes(2_000))
    assert SavedRun(tmp_path / "set.mset", bytes(32), resume=True).load() == b"state"


@pytest.mark.parametrize("codec", ["necgs", "siren"])
def test_fields_and_samples(models, tmp_path, temporary, codec, monkeypatch):
    monkeypatch.setenv("MESHSET_CACHE", str(tmp_path / "cache"))
    with (
        full_after(12_000),
        pytest.raises(MeshsetError, match=r"meshset-(fields|samples)-\S+: temporary files"),
    ):
        meshset.compress(models / "ball.ply", tmp_path / "set.mset", codec=codec, preset="fast", device="cpu")
    assert list(temporary.glob("meshset-*")) == []
    assert not (tmp_path / "set.mset").exists()
