"""Sizes, times and rates on the command line, and Ctrl-C that ends training softly."""

import signal

import pytest
import typer

from meshset.cli import options
from meshset.cli.signals import ending_softly


@pytest.mark.parametrize(
    ("text", "size"),
    [("2MB", 2_000_000), ("500kB", 500_000), ("1.5MiB", 3 << 19), ("700 b", 700), ("0.5gb", 500_000_000)],
)
def test_sizes_are_read(text, size):
    assert options._size(text) == size


@pytest.mark.parametrize("text", ["2", "MB", "2 apples", "0MB", "-1MB", "1e3kB", "nan MB", ""])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(typer.BadParameter, match="not a size above 0 such as 2MB, 500kB or"):
        options._size(text)


@pytest.mark.parametrize(("text", "seconds"), [("10m", 600), ("90s", 90), ("1h30m", 5400), ("0.5H", 1800)])
def test_times_are_read(text, seconds):
    assert options._seconds(text) == seconds


@pytest.mark.parametrize("text", ["10", "m", "10 minutes", "0s", "-5m", "5m and", ""])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(typer.BadParameter, match="not a time above 0 such as 10m, 90s or 1h30m"):
        options._seconds(text)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--rate", "2"], "codec raw takes no rate, target or time"),
        (["--time-budget", "10m"], "codec raw takes no rate, target or time"),
        (["--target-size", "2MB", "--target-ratio", "300"], "either a size or a ratio can be the target, not both"),
        (["--target-size", "2MB", "--max-error", "1%"], "cannot be combined with a rate or a bound"),
        (["--target-ratio", "-3"], "a target must be above 0"),
    ],
)
def test_what_cannot_be_is_one_line(meshset, models, tmp_path, more, reason):
    result = meshset("compress", models, "-o", tmp_path / "a.mset", "--codec", "raw", "--quiet", *more)
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1
    assert reason in result.stderr
    assert not (tmp_path / "a.mset").exists()


def test_the_first_ctrl_c_is_told_and_the_second_interrupts():
    before = signal.getsignal(signal.SIGINT)
    with ending_softly() as asked:
        assert not asked()
        signal.raise_signal(signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ending_softly() as asked:
            signal.raise_signal(signal.SIGINT)
            assert not asked()
    finally:
        signal.signal(signal.SIGINT, before)
