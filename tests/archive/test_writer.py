"""A whole archive under the final name, or what was there before."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest

from meshset.archive import ArchiveReader, ArchiveWriter
from meshset.archive import chunks as chunks_module
from meshset.archive import writer as writer_module
from meshset.errors import ArchiveError


def left_in(folder: Path) -> list[str]:
    """Return the names of all files in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "set.mset"
    path.write_bytes(b"an older archive")
    return path


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_exception_midway_leaves_the_older_file(
    old: Path, fields: dict[str, Any], interruption: type[BaseException]
) -> None:
    def interrupted() -> None:
        with ArchiveWriter(old, overwrite=True) as writer:
            writer.add_mesh("a", b"x", **fields)
            assert len(left_in(old.parent)) == 2
            raise interruption

    with pytest.raises(interruption):
        interrupted()
    assert left_in(old.parent) == ["set.mset"]
    assert old.read_bytes() == b"an older archive"


def test_leaving_without_finish_discards(tmp_path: Path, fields: dict[str, Any]) -> None:
    with ArchiveWriter(tmp_path / "set.mset") as writer:
        writer.add_mesh("a", b"x", **fields)
    assert left_in(tmp_path) == []


def test_nothing_is_there_before_finish(tmp_path: Path) -> None:
    path = tmp_path / "set.mset"
    with ArchiveWriter(path) as writer:
        assert not path.exists()
        writer.finish({})
        assert left_in(tmp_path) == ["set.mset"]
    assert left_in(tmp_path) == ["set.mset"]


def test_an_existing_file_is_refused_early_and_kept(old: Path) -> None:
    with pytest.raises(ArchiveError, match=r"set\.mset: exists already"):
        ArchiveWriter(old)
    assert left_in(old.parent) == ["set.mset"]
    assert old.read_bytes() == b"an older archive"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "set.mset"
    with ArchiveWriter(path) as writer:
        path.write_bytes(b"somebody else's")
        with pytest.raises(ArchiveError, match="exists already"):
            writer.finish({})
    assert left_in(tmp_path) == ["set.mset"]
    assert path.read_bytes() == b"somebody else's"


def test_overwrite_replaces(old: Path) -> None:
    with ArchiveWriter(old, overwrite=True) as writer:
        writer.finish({"new": True})
    with ArchiveReader(old) as reader:
        assert reader.settings == {"new": True}


def test_a_symbolic_link_stays_one(tmp_path: Path, old: Path) -> None:
    link = tmp_path / "link.mset"
    link.symlink_to(old)
    with ArchiveWriter(link, overwrite=True) as writer:
        writer.finish({})
    assert link.is_symlink()
    assert old.read_bytes() != b"an older archive"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=f"there is no folder {tmp_path / 'none'}"):
        ArchiveWriter(tmp_path / "none" / "set.mset")


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="is a folder"):
        ArchiveWriter(tmp_path, overwrite=True)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)  # permissions do not bind a test that runs as root
    with pytest.raises(ArchiveError, match=f"folder {tmp_path}: Permission denied"):
        ArchiveWriter(tmp_path / "set.mset")


class FullDisk(io.FileIO):
    """A file on a disk with room for 100 bytes."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > 100:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


def on_full_disk(path: Path, mode: str, buffered: bool) -> Any:
    """Open `path` on such a disk."""
    file = FullDisk(path, mode.replace("b", ""))
    return io.BufferedWriter(file) if buffered else file


@pytest.mark.parametrize("buffered", [False, True])
def test_a_full_disk_is_one_line_and_leaves_the_older_file(
    old: Path, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch, buffered: bool
) -> None:
    monkeypatch.setattr(Path, "open", lambda path, mode: on_full_disk(path, mode, buffered))

    def fill() -> None:
        with ArchiveWriter(old, overwrite=True) as writer:
            for number in range(10):
                writer.add_mesh(f"m{number}", bytes(30), **fields)
            writer.finish({})

    with pytest.raises(ArchiveError, match=r"set\.mset: No space left on device$"):
        fill()
    monkeypatch.undo()
    assert left_in(old.parent) == ["set.mset"]
    assert old.read_bytes() == b"an older archive"


def test_a_failed_write_ends_the_archive(
    tmp_path: Path, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "open", lambda path, mode: on_full_disk(path, mode, False))
    with ArchiveWriter(tmp_path / "set.mset") as writer:
        with pytest.raises(ArchiveError, match="No space left"):
            writer.add_mesh("big", bytes(90), **fields)
        with pytest.raises(ArchiveError, match="is closed"):
            writer.add_mesh("small", b"x", **fields)
        with pytest.raises(ArchiveError, match="is closed"):
            writer.finish({})
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("interruption", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
def test_a_failed_sync_leaves_the_older_file(
    old: Path, monkeypatch: pytest.MonkeyPatch, interruption: BaseException
) -> None:
    def fail(_: int) -> None:
        raise interruption

    monkeypatch.setattr(writer_module.os, "fsync", fail)
    expected = ArchiveError if isinstance(interruption, OSError) else KeyboardInterrupt
    with pytest.raises(expected), ArchiveWriter(old, overwrite=True) as writer:
        writer.finish({})
    assert left_in(old.parent) == ["set.mset"]
    assert old.read_bytes() == b"an older archive"


def test_the_file_is_synced_before_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = []
    sync, rename = os.fsync, Path.replace
    monkeypatch.setattr(writer_module.os, "fsync", lambda fd: (events.append("sync"), sync(fd))[1])
    monkeypatch.setattr(Path, "replace", lambda a, b: (events.append("rename"), rename(a, b))[1])
    with ArchiveWriter(tmp_path / "set.mset") as writer:
        writer.finish({})
    assert events[:2] == ["sync", "rename"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"codec_id": 65536}, "codec id"),
        ({"codec_id": -1}, "codec id"),
        ({"shared": 0}, "shared part that does not exist"),
        ({"shared": -1}, "shared part that does not exist"),
        ({"vertices": 2**32}, "count out of range"),
        ({"source_bytes": 2**64}, "source size"),
        ({"mean_distance": float("nan")}, "invalid distance"),
        ({"max_distance": float("inf")}, "invalid distance"),
        ({"bound": 0.1}, "rung without a bound, or a bound without"),
        ({"rung": "set"}, "rung without a bound, or a bound without"),
        ({"rung": "up", "bound": 0.1}, "unknown rung"),
        ({"rung": "set", "bound": 0.0}, "invalid bound"),
        ({"rung": "set", "bound": 1e39}, "invalid bound"),
        ({"generation": -1}, "generation"),
        ({"open_edges": 2**32}, "open edges"),
        ({"peak_memory": 2**60}, "peak memory"),
        ({"upper": (0.0, 0.0, 0.0)}, "bounding box"),
        ({"notes": ["a\nb"]}, "note"),
        ({"notes": [""]}, "note"),
        ({"payload": b""}, "payload of 0 bytes"),
    ],
)
def test_a_value_that_no_reader_would_accept_is_refused(
    tmp_path: Path, fields: dict[str, Any], change: dict[str, Any], reason: str
) -> None:
    path = tmp_path / "set.mset"
    with ArchiveWriter(path) as writer:
        with pytest.raises(ArchiveError, match=rf"set\.mset: mesh 'bad' .*{reason}"):
            writer.add_mesh("bad", **{"payload": b"x", **fields, **change})
        writer.add_mesh("good", b"y", **fields)
        writer.finish({})
    with ArchiveReader(path) as reader:
        assert list(reader.entries) == ["good"]
        assert reader.read_payload("good") == b"y"


def test_a_name_may_be_used_once(tmp_path: Path, fields: dict[str, Any]) -> None:
    with ArchiveWriter(tmp_path / "set.mset") as writer:
        writer.add_mesh("a", b"x", **fields)
        with pytest.raises(ArchiveError, match="mesh 'a' is there twice"):
            writer.add_mesh("a", b"y", **fields)


@pytest.mark.parametrize(
    "settings",
    [{"a": object()}, {"a": float("nan")}, {"a": "\ud800"}, {"a": "x" * (1 << 20)}],
    ids=["object", "nan", "surrogate", "long"],
)
def test_settings_that_are_not_json_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with (
        ArchiveWriter(tmp_path / "set.mset") as writer,
        pytest.raises(ArchiveError, match=r"set\.mset: settings"),
    ):
        writer.finish(settings)
    assert left_in(tmp_path) == []


def test_too_many_shared_parts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks_module, "MAX_SHARED", 2)
    with ArchiveWriter(tmp_path / "set.mset") as writer:
        assert [writer.add_shared(1, b"x") for _ in range(2)] == [0, 1]
        with pytest.raises(ArchiveError, match="more than 2 shared parts"):
            writer.add_shared(1, b"x")
        with pytest.raises(ArchiveError, match="codec id"):
            writer.add_shared(65536, b"x")
