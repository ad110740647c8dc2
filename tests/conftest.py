"""What all tests share, and archives made with the raw codec."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import raw_codec
from meshset.pipeline.compress import compress

raw_codec.register()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's cache out of the tests, and the tests out of it."""
    monkeypatch.setenv("MESHSET_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests share the cores already."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


@pytest.fixture
def models(tmp_path):
    """A folder of two balls and a box."""
    folder = tmp_path / "models"
    raw_codec.ball(folder / "ball.ply", centre=(10, -20, 5), radius=4)
    raw_codec.ball(folder / "animals" / "Round.stl", radius=0.01)
    raw_codec.box(folder / "box.obj")
    return folder


@pytest.fixture
def pack(tmp_path):
    """Compress paths with the raw codec into `tmp_path / "set.mset"` and return the result."""

    def run(*paths, output=tmp_path / "set.mset", codec="raw", **options):
        return compress(paths, output, device="cpu", codec=codec, **options)

    return run


@pytest.fixture
def archive(pack, models):
    """Path of an archive with "animals/Round", "ball" and "box"."""
    return pack(models).path


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A folder with "models", "new" and "models.mset", as the examples in docstrings and documents have it."""
    folder = tmp_path_factory.mktemp("examples")
    raw_codec.ball(folder / "models" / "bunny.ply")
    raw_codec.ball(folder / "models" / "animals" / "cat.obj", radius=2)
    raw_codec.box(folder / "models" / "part.stl")
    raw_codec.ball(folder / "new" / "dog.ply", radius=3)
    compress([folder / "models"], folder / "models.mset", codec="draco")
    return folder
