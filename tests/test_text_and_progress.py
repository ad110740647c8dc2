"""Text for people, and progress where there is no terminal."""

import io

import pytest

from meshset.progress import advance, bars, stage, tell
from meshset.progress.bars import Lines, showing_progress
from meshset.text import duration, figure, numbered, printable, share, size, table


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (198_260, "198.3 KB"), (999_960, "1.0 MB"), (20_900_000, "20.9 MB")],
)
def test_sizes(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.6, "1 min 0 s"), (725, "12 min 5 s"), (12_000, "3 h 20 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("body_0012", ("body_", 12)),
        ("walk/7", ("walk/", 7)),
        ("plain", ("plain", -1)),
        ("v2.final", ("v2.final", -1)),
        ("0003", ("", 3)),
        ("a" + 12 * "9", ("a999", 999_999_999)),
        ("\u0663", ("\u0663", -1)),
    ],
)
def test_numbers_at_the_end_of_names(name, told):
    assert numbered(name) == told


def test_figures():
    assert (figure(0.0040123), figure(None)) == ("4.01e-03", "-")
    assert (share(0.00123), share(None)) == ("0.123%", "-")


def test_printable_escapes_what_moves_the_terminal():
    assert printable("Würfel 猫") == "Würfel 猫"
    assert printable("a\x1b[31m\n\u202e\udc80") == "a\\x1b[31m\\n\\u202e\\udc80"


def test_columns_align_with_wide_characters():
    text = table(("name", "n"), [("猫", "1"), ("cat", "22")], (False, True))
    assert text.splitlines() == ["name   n", "猫     1", "cat   22"]


def test_an_endless_cell_does_not_make_every_line_as_long():
    lines = table(
        ("name", "n", "notes"), [("a" * 4096, "1", "x" * 10**6), ("b", "2", "")], (False, True, False)
    ).splitlines()
    assert len(lines[1]) > 10**6
    assert lines[0] == "name".ljust(100) + "  n  notes"
    assert lines[2] == "b".ljust(100) + "  2"


def test_lines_come_at_the_start_and_then_every_ten_seconds_with_the_time_left():
    written, now = [], [0.0]
    lines = Lines(written.append, lambda: now[0])
    lines.start("train", 100)
    for second in range(1, 26):
        now[0] = float(second)
        lines.advance(status="loss 0.5")
    lines.note("reached\x1b 0.5")
    assert written == [
        "train: 100",
        "train: 10/100, 1 min 30 s left, loss 0.5",
        "train: 20/100, 1 min 20 s left, loss 0.5",
        "reached\\x1b 0.5",
    ]


def test_each_stage_has_its_own_time():
    written, now = [], [0.0]
    lines = Lines(written.append, lambda: now[0])
    lines.start("first", 1)
    now[0] = 100.0
    lines.start("second", 4)
    now[0] = 112.0
    lines.advance(2)
    assert written == ["first: 1", "second: 4", "second: 2/4, 12 s left"]


def test_terminal_gets_bars_and_notes_without_markup(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(bars.sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with showing_progress():
        stage("[red]train", 2)
        advance(1, "[b]loss")
        tell("[i]reached")
        stage("measure", 1)
        advance()
    shown = terminal.getvalue()
    assert "[red]train" in shown
    assert "[b]loss" in shown
    assert "[i]reached" in shown
    assert "1/1" in shown


def test_quiet_shows_nothing(capsys):
    with showing_progress(quiet=True):
        stage("train", 2)
        advance()
        tell("done")
    assert capsys.readouterr() == ("", "")
