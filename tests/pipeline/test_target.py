"""Archives of the size, and trained for the time, that were asked for."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from meshset.codecs.necgs import checkpoint, recipe
from meshset.codecs.necgs import codec as necgs
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.protocol import Settings
from meshset.errors import MeshsetError
from meshset.pipeline.compress import compress
from meshset.pipeline.steps.target import Target
from meshset.pipeline.summary import summarise
from meshset.progress import Silent

SETTINGS = Settings(resolution=32, field="tsdf", preset="fast", device="cpu")
STEPS = 60


class Notes(Silent):
    """Keeps what the user is told."""

    def __init__(self):
        self.notes = []

    def note(self, message):
        self.notes.append(message)


@pytest.fixture(autouse=True)
def _small_and_short(monkeypatch):
    monkeypatch.setattr(necgs, "architecture_for", lambda *_: Architecture(32, (8, 8), hidden=8, field_channels=1))
    short = replace(recipe.PRESETS["fast"], visits=2 * STEPS, epochs=1, step_rate=0.05)
    monkeypatch.setitem(recipe.PRESETS, "fast", short)


@pytest.fixture
def run(models, tmp_path):
    """Compress into "set.mset" and return the result and what was told."""

    def start(**options):
        listener = Notes()
        made = {"codec": "necgs", **vars(SETTINGS), **options}
        result = compress([models], tmp_path / "set.mset", progress=listener, force=True, **made)
        return result, listener.notes

    return start


def test_a_rate_moves_the_size_with_the_same_network(run):
    sizes, networks = [], set()
    for rate in (0.01, 1.0):
        result, _ = run(rate=rate)
        settings = summarise(result.path).settings
        assert settings.get("rate", 1.0) == rate
        sizes.append(settings["report"]["coded_bytes"])
        networks.add(settings["report"]["parameters"])
    assert sizes[0] < 0.9 * sizes[1]
    assert len(networks) == 1


@pytest.mark.parametrize("share", [0.5, 1.3])
def test_a_target_is_met(run, share):
    usual = run()[0].archive_bytes
    result, notes = run(target_size=round(share * usual))
    assert result.archive_bytes == pytest.approx(share * usual, rel=0.05)
    assert not any("missed" in note for note in notes)
    assert summarise(result.path).settings["target_size"] == round(share * usual)


def test_a_ratio_is_met_by_the_meshes_that_are_stored(run, models):
    (models / "broken.obj").write_text("nothing")
    usual = run()[0]
    wanted = 1.5 * usual.source_bytes / usual.archive_bytes
    result, _ = run(target_ratio=wanted)
    assert len(result.failures) == 1
    assert result.source_bytes / result.archive_bytes == pytest.approx(wanted, rel=0.05)


def test_a_target_that_the_index_alone_exceeds_is_refused(run):
    with pytest.raises(MeshsetError, match="a target of 300 bytes cannot be reached: names and index take about"):
        run(target_size=300)


def test_a_target_that_is_too_large_is_told(run):
    _, notes = run(target_size=10_000_000)
    assert sum("the target of 10,000,000 bytes is missed" in note for note in notes) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"target_size": 9999, "max_error": 0.01}, "cannot be combined with a rate or a bound"),
        ({"target_size": 9999, "rate": 2}, "cannot be combined with a rate or a bound"),
        ({"rate": 0}, "rate must be above 0"),
        ({"time_budget": -1}, "time must be above 0"),
        ({"rate": 2, "codec": "raw"}, "codec raw takes no rate, target or time"),
        ({"target_size": 9999, "codec": "raw"}, "codec raw takes no rate, target or time"),
    ],
)
def test_what_does_not_go_together_is_refused(run, tmp_path, options, reason):
    with pytest.raises(MeshsetError, match=reason):
        run(**options)
    assert not (tmp_path / "set.mset").exists()


@pytest.mark.parametrize(("size", "ratio"), [(None, None), (5, 5.0), (0, None), (None, -1.0)])
def test_a_target_is_one_number_above_0(size, ratio):
    with pytest.raises(MeshsetError):
        Target(size, ratio)


def test_a_time_budget_trains_for_a_while(run):
    result, _ = run(time_budget=0.5)
    report = summarise(result.path).settings["report"]
    assert report["steps"] >= 1


@contextmanager
def ending_after(asked, steps):
    """Tell training to end after some steps."""
    yield lambda: len(asked) >= steps or asked.append(1)


def test_training_told_to_end_gives_an_archive(run, tmp_path):
    result, notes = run(stopping=lambda: ending_after([], 30))
    report = summarise(result.path).settings["report"]
    assert report["ended"] == "interrupted"
    assert 31 <= report["steps"] <= 34
    assert len(result.entries) == 3
    assert any("interrupt again to give up" in note for note in notes)
    assert not (tmp_path / "set.mset.partial").exists()


def test_a_second_interruption_gives_up_and_resume_goes_on_with_all_of_training(run, tmp_path):
    whole = run()[0].path.read_bytes()
    (tmp_path / "set.mset").unlink()

    @contextmanager
    def twice():
        calls = []

        def asked():
            calls.append(1)
            if len(calls) > 30:
                raise KeyboardInterrupt
            return len(calls) == 30

        yield asked

    with pytest.raises(KeyboardInterrupt):
        run(stopping=twice)
    assert not (tmp_path / "set.mset").exists()
    assert (tmp_path / "set.mset.partial" / "state").exists()
    assert run(resume=True)[0].path.read_bytes() == whole


def test_a_steered_run_goes_on_where_it_was(run, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    options = {"target_size": 6_000}
    whole = run(**options)[0].path.read_bytes()

    @contextmanager
    def fall():
        calls = []

        def asked():
            calls.append(1)
            if len(calls) > 23:
                raise KeyboardInterrupt

        yield asked

    with pytest.raises(KeyboardInterrupt):
        run(stopping=fall, **options)
    with pytest.raises(MeshsetError, match="belongs to other mesh files or settings"):
        run(resume=True)
    assert run(resume=True, **options)[0].path.read_bytes() == whole
