"""A compression that is interrupted goes on where it stopped."""

import dataclasses

import pytest

import meshset
import raw_codec
from meshset.codecs.implicit.codec import SirenCodec
from meshset.codecs.necgs import checkpoint, recipe
from meshset.codecs.necgs.codec import NecgsCodec
from meshset.codecs.peers.draco import DracoCodec
from meshset.codecs.protocol import Goal, Settings
from meshset.errors import MeshsetError
from meshset.pipeline.compress import compress
from meshset.pipeline.steps.resume import run_key
from meshset.progress import Silent

SETTINGS = Settings(resolution=32, field="tsdf", preset="fast")
STEPS = 40


class Listener(Silent):
    """Counts training steps, keeps notes, and interrupts after a number of steps."""

    def __init__(self, last=STEPS):
        self.task, self.steps, self.last, self.notes = "", [], last, []

    def start(self, task, total):
        self.task = task

    def advance(self, steps=1, status=""):
        if self.task == "training":
            self.steps.append(steps)
            if sum(self.steps) > self.last:
                raise KeyboardInterrupt

    def note(self, message):
        self.notes.append(message)


@pytest.fixture(autouse=True)
def _short_training(monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    short = dataclasses.replace(recipe.PRESETS["fast"], visits=2 * STEPS, epochs=1)
    monkeypatch.setitem(recipe.PRESETS, "fast", short)


@pytest.fixture
def run(models, tmp_path):
    """Compress with NeCGS, 40 steps, into "set.mset"; `last` interrupts after so many."""

    def start(last=STEPS, settings=SETTINGS, **options):
        listener = Listener(last)
        try:
            made = {"codec": "necgs", **vars(settings), **options}
            compress([models], tmp_path / "set.mset", progress=listener, **made)
        except KeyboardInterrupt:
            assert not (tmp_path / "set.mset").exists()
        return listener

    return start


def contents(path):
    with meshset.open(path) as archive:
        return archive.reader.read_shared(0), [archive.reader.read_payload(name) for name in archive]


@pytest.mark.parametrize("stops", [[0], [17], [5, 30], [39]])
def test_the_result_is_that_of_an_uninterrupted_run(run, tmp_path, stops):
    run()
    whole = contents(tmp_path / "set.mset")
    (tmp_path / "set.mset").unlink()
    done = 0
    for stop in stops:
        listener = run(stop, resume=True)
        assert listener.steps[0] == done
        done = stop + 1
    last = run(resume=True)
    assert last.steps[0] == done
    assert sum(last.steps) == STEPS
    assert contents(tmp_path / "set.mset") == whole
    assert not (tmp_path / "set.mset.partial").exists()


def test_a_write_that_fails_after_training_loses_no_step(run, tmp_path, monkeypatch):
    def full(*_):
        raise MeshsetError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("meshset.archive.writer.ArchiveWriter.finish", full)
        with pytest.raises(MeshsetError, match="No space left"):
            run()
    assert run(resume=True).steps == [STEPS]
    assert (tmp_path / "set.mset").exists()


def test_other_files_or_settings_are_a_clear_error(run, models, tmp_path):
    run(5)
    for other in ({"seed": 1}, {"preset": "best"}, {"field": "tsdf-def"}):
        with pytest.raises(MeshsetError, match=r"set\.mset\.partial: belongs to other mesh files or settings"):
            run(resume=True, settings=dataclasses.replace(SETTINGS, **other))
    raw_codec.ball(models / "ball.ply", radius=2)
    with pytest.raises(MeshsetError, match="belongs to other mesh files"):
        run(resume=True)
    assert (tmp_path / "set.mset.partial" / "state").exists()


def test_without_resume_it_starts_over_and_says_so(run, tmp_path):
    run(5)
    listener = run()
    assert listener.steps[0] == 0
    assert any("given up" in note for note in listener.notes)
    assert not (tmp_path / "set.mset.partial").exists()


def test_nothing_to_resume_starts_at_the_beginning(run, tmp_path):
    listener = run(5, resume=True)
    assert any("holds no state" in note for note in listener.notes)
    assert sum("--resume goes on from it" in note for note in listener.notes) == 1
    state = tmp_path / "set.mset.partial" / "state"
    state.write_bytes(state.read_bytes()[:-1])
    listener = run(resume=True)
    assert listener.steps[0] == 0
    assert any("holds no state" in note for note in listener.notes)


def test_a_state_that_cannot_be_kept_does_not_end_the_run(run, tmp_path):
    (tmp_path / "set.mset.partial").write_text("in the way")
    listener = run()
    assert sum("state cannot be kept" in note for note in listener.notes) == 1
    assert (tmp_path / "set.mset").exists()


def test_quick_codecs_leave_no_folder(archive):
    assert not archive.with_name("set.mset.partial").exists()


def test_a_codec_with_another_parameter_is_another_run(run, tmp_path):
    shorter = dataclasses.replace(recipe.PRESETS["fast"], visits=STEPS)
    run(17, resume=True, codec=NecgsCodec())
    with pytest.raises(MeshsetError, match="belongs to other mesh files or settings"):
        run(resume=True, codec=NecgsCodec(recipe=shorter))
    assert run(resume=True).steps[0] == 18
    assert not (tmp_path / "set.mset.partial").exists()


class Tuned(raw_codec.RawCodec):
    """A codec of another package, which is no dataclass."""

    def __init__(self, strength):
        self.strength = strength

    def parameters(self):
        return {"strength": self.strength}

    def with_parameters(self, parameters):
        return Tuned(**parameters)


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (Tuned(1), Tuned(1), Tuned(2)),
        (Tuned({1}), Tuned({1}), Tuned({2})),
        (DracoCodec(quantisation=11), DracoCodec(), DracoCodec(quantisation=12)),
        (SirenCodec(bits=8), SirenCodec(bits=8), SirenCodec(bits=7)),
        (NecgsCodec(), NecgsCodec(goal=Goal(seconds=60.0)), NecgsCodec(recipe=recipe.PRESETS["best"])),
    ],
    ids=["parameters", "no JSON", "draco", "nested", "necgs"],
)
def test_what_tells_runs_apart(one, same, other):
    keys = [run_key([], SETTINGS, codec, {}) for codec in (one, same, other)]
    assert keys[0] == keys[1] != keys[2]
