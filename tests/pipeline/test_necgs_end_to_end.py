"""The real codec from files to files, trained far too briefly to look good."""

from dataclasses import replace

import pytest

from meshset.codecs.necgs import codec as necgs
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.protocol import Settings
from meshset.pipeline.compress import compress
from meshset.pipeline.evaluate import evaluate
from meshset.pipeline.extract import extract
from meshset.pipeline.open import open_archive
from meshset.pipeline.verify import verify

SETTINGS = Settings(resolution=32, preset="fast", device="cpu", seed=5)


@pytest.fixture
def train_with(monkeypatch):
    """Make the codec small, and its training as short as asked for."""
    usual = necgs.recipe_for(SETTINGS)
    monkeypatch.setattr(necgs, "architecture_for", lambda *_: Architecture(32, (16, 12), hidden=16))
    return lambda visits: monkeypatch.setattr(
        necgs, "recipe_for", lambda _: replace(usual, visits=visits, epochs=1, rate_weight=1e-9)
    )


@pytest.mark.slow
def test_a_folder_goes_in_and_comes_back(train_with, models, tmp_path):
    train_with(visits=40)
    result = compress([models], tmp_path / "set.mset", **vars(SETTINGS))
    assert result.failures == ()
    assert verify(result.path).failures == ()
    assert len(extract(result.path, output=tmp_path / "out").written) == 3
    with open_archive(result.path) as archive:
        for entry in result.entries:
            assert len(archive[entry.name].faces) == entry.faces
            assert entry.mean_distance < 0.5
    metrics = evaluate(result.path, [models / "box.obj"]).metrics["box"]
    # The archive's own figure comes from fewer samples.
    assert metrics.mean_distance == pytest.approx(result.entries[-1].mean_distance, rel=0.05)


@pytest.mark.slow
def test_one_seed_gives_one_archive(train_with, models, tmp_path):
    train_with(visits=8)
    first, second, other = (
        compress([models], tmp_path / name, **vars(settings)).path.read_bytes()
        for name, settings in (("a", SETTINGS), ("b", SETTINGS), ("c", replace(SETTINGS, seed=6)))
    )
    assert first == second
    assert first != other
