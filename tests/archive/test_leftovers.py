"""Temporary files of killed processes go, those of living ones stay."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from meshset.archive import ArchiveEditor, ArchiveReader, ArchiveWriter
from meshset.archive import temporary as temporary_module
from meshset.errors import ArchiveError

WRITER = """
import sys, time
from meshset.archive import ArchiveWriter
writer = ArchiveWriter(sys.argv[1])
writer.add_shared(1, bytes(1000))
print("writing", flush=True)
time.sleep(60)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="leftovers stay on Windows")


def temporaries(folder: Path) -> list[Path]:
    return sorted(folder.glob(".meshset-*.tmp"))


def start_writer(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "writing\n"
    return process


def test_what_a_killed_process_left_goes_when_an_archive_is_made(tmp_path: Path) -> None:
    with start_writer(tmp_path / "dead.mset") as process:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert len(temporaries(tmp_path)) == 1
    with ArchiveWriter(tmp_path / "set.mset") as writer:
        writer.finish({})
        assert writer.leftovers == 1
    assert [path.name for path in tmp_path.iterdir()] == ["set.mset"]


def test_it_goes_when_an_archive_is_changed(tmp_path: Path, golden: Path) -> None:
    path = tmp_path / "set.mset"
    path.write_bytes(golden.read_bytes())
    (tmp_path / ".meshset-0123456789abcdef.tmp").write_bytes(b"left")
    (tmp_path / ".meshset.tmp").write_bytes(b"of somebody else")
    with ArchiveEditor(path) as editor:
        editor.remove("animals/cat")
        editor.finish({})
        assert editor.leftovers == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".meshset.tmp", "set.mset"]


def test_the_file_of_a_living_process_stays(tmp_path: Path) -> None:
    with start_writer(tmp_path / "alive.mset") as process:
        with ArchiveWriter(tmp_path / "set.mset") as writer:
            writer.finish({})
            assert writer.leftovers == 0
        assert len(temporaries(tmp_path)) == 1
        process.kill()


def test_two_writers_of_one_process_spare_each_other(tmp_path: Path, fields: dict[str, Any]) -> None:
    with ArchiveWriter(tmp_path / "slow.mset") as slow:
        slow.add_mesh("a", b"x", **fields)
        with ArchiveWriter(tmp_path / "fast.mset") as fast:
            fast.finish({})
        slow.finish({})
    with ArchiveReader(tmp_path / "slow.mset") as reader:
        assert reader.read_payload("a") == b"x"
    assert temporaries(tmp_path) == []


def test_a_new_file_that_is_taken_for_a_leftover_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take, taken = temporary_module.take, []

    def late(descriptor: int) -> None:
        if not taken:
            taken.append(descriptor)
            assert temporary_module.remove_leftovers(tmp_path) == 1
        take(descriptor)

    monkeypatch.setattr(temporary_module, "take", late)
    with ArchiveWriter(tmp_path / "set.mset") as writer:
        assert len(temporaries(tmp_path)) == 1
        writer.finish({})
    with ArchiveReader(tmp_path / "set.mset") as reader:
        assert len(reader.entries) == 0


def test_folders_that_lose_every_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary_module, "is_current", lambda *_: False)
    with pytest.raises(ArchiveError, match="again and again"):
        ArchiveWriter(tmp_path / "set.mset")


def test_without_locks_everything_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(temporary_module, "take", refuse)
    (tmp_path / ".meshset-0123456789abcdef.tmp").write_bytes(b"left")
    with ArchiveWriter(tmp_path / "set.mset") as writer:
        writer.finish({})
        assert writer.leftovers == 0
    assert len(temporaries(tmp_path)) == 1


def test_a_link_is_no_leftover(tmp_path: Path) -> None:
    (tmp_path / ".meshset-0123456789abcdef.tmp").symlink_to(tmp_path / "nowhere")
    with ArchiveWriter(tmp_path / "set.mset") as writer:
        writer.finish({})
        assert writer.leftovers == 0
