"""Changing an archive: the old set or the new one, at every moment and after every accident."""

from __future__ import annotations

import errno
import io
import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshset.archive import ArchiveEditor, ArchiveReader, ArchiveWriter, Copier
from meshset.archive import editor as editor_module
from meshset.archive.layout import TRAILER_SIZE, index_checksum, pack_trailer, unpack_trailer
from meshset.errors import ArchiveError

OLD = ["animals/cat", "Würfel", "animals/dog"]
NEW = ["Würfel", "animals/dog", "new"]


@pytest.fixture
def path(tmp_path: Path, golden: Path) -> Path:
    path = tmp_path / "set.mset"
    path.write_bytes(golden.read_bytes())
    return path


def change(path: Path, fields: dict[str, Any]) -> None:
    with ArchiveEditor(path) as editor:
        editor.remove("animals/cat")
        number = editor.add_shared(2, b"another decoder")
        editor.add_mesh("new", b"new payload", **{**fields, "shared": number})
        editor.finish({"changed": True})


def names(source: Any) -> list[str]:
    with ArchiveReader(source) as reader:
        for name in reader.entries:
            reader.read_payload(name)
        return list(reader.entries)


def test_a_change_leaves_every_byte_and_makes_the_new_set(path: Path, golden: Path, fields: dict[str, Any]) -> None:
    change(path, fields)
    old = golden.read_bytes()
    assert path.read_bytes()[: len(old)] == old
    assert names(path) == NEW
    with ArchiveReader(path) as reader, ArchiveReader(golden) as before:
        assert reader.settings == {"changed": True}
        assert reader.torn_bytes == 0
        assert reader.entries["animals/dog"] == before.entries["animals/dog"]
        assert reader.entries["new"].shared == 2
        assert [reader.read_shared(number) for number in range(3)] == [b"decoder", b"", b"another decoder"]


def test_an_append_torn_at_any_byte_leaves_the_old_set(path: Path, golden: Path, fields: dict[str, Any]) -> None:
    change(path, fields)
    data = path.read_bytes()
    for length in range(len(golden.read_bytes()), len(data)):
        assert names(io.BytesIO(data[:length])) == OLD
    assert names(io.BytesIO(data)) == NEW


def test_a_torn_append_can_be_followed_by_another(path: Path, golden: Path, fields: dict[str, Any]) -> None:
    change(path, fields)
    data = path.read_bytes()
    for length in range(len(golden.read_bytes()) + 1, len(data)):
        path.write_bytes(data[:length])
        with ArchiveEditor(path) as editor:
            assert editor.torn_bytes == length - len(golden.read_bytes())
            editor.remove("Würfel")
            editor.finish(editor.settings)
        assert path.read_bytes()[:length] == data[:length]
        assert names(path) == ["animals/cat", "animals/dog"]


def test_a_reader_sees_the_old_set_or_the_new_one_at_every_write(
    path: Path, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Watched(io.FileIO):
        """Writes a byte at a time, with a reader after each."""

        def write(self, data: Any) -> int:
            count = super().write(data[:1])
            seen.append(names(path))
            return count

    monkeypatch.setattr(editor_module, "FileIO", Watched)
    change(path, fields)
    assert seen[-1] == NEW
    assert all(one == OLD for one in seen[:-1])
    assert len(seen) > 100


def test_an_open_reader_keeps_its_set(path: Path, fields: dict[str, Any]) -> None:
    with ArchiveReader(path) as reader:
        change(path, fields)
        assert reader.read_payload("animals/cat") == b"cat latents"
        assert list(reader.entries) == OLD
        with ArchiveWriter(path, overwrite=True) as writer:
            writer.finish({})
        assert reader.read_payload("animals/dog") == bytes(range(32))


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_an_exception_midway_leaves_the_file_as_it_was(
    path: Path, golden: Path, fields: dict[str, Any], interruption: type[BaseException]
) -> None:
    def interrupted() -> None:
        with ArchiveEditor(path) as editor:
            editor.add_mesh("new", b"x", **fields)
            assert path.stat().st_size == len(golden.read_bytes()) + 1
            raise interruption

    with pytest.raises(interruption):
        interrupted()
    assert path.read_bytes() == golden.read_bytes()


def test_a_full_disk_at_any_byte_leaves_the_file_as_it_was(
    path: Path, golden: Path, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDisk(io.FileIO):
        room = 0

        def write(self, data: Any) -> int:
            count = min(len(data), FullDisk.room)
            if count == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            FullDisk.room -= count
            return super().write(data[:count])

    monkeypatch.setattr(editor_module, "FileIO", FullDisk)
    room = 0
    while True:
        FullDisk.room = room
        try:
            change(path, fields)
            break
        except ArchiveError as error:
            assert str(error) == f"{path}: No space left on device"  # noqa: PT017
        assert path.read_bytes() == golden.read_bytes()
        room += 1
    assert names(path) == NEW
    assert path.stat().st_size == len(golden.read_bytes()) + room


def test_a_failed_sync_before_the_trailer_undoes_and_after_it_does_not(
    path: Path, golden: Path, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_at(wanted: int) -> None:
        calls = []

        def sync(_: int) -> None:
            calls.append(1)
            if len(calls) == wanted:
                raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(editor_module.os, "fsync", sync)
        with pytest.raises(ArchiveError, match="Input/output error"):
            change(path, fields)

    fail_at(1)
    assert path.read_bytes() == golden.read_bytes()
    fail_at(2)  # readers may have seen the new set already
    assert names(path) == NEW


def test_two_writers_are_kept_apart_and_the_lock_ends(path: Path, golden: Path, fields: dict[str, Any]) -> None:
    with ArchiveEditor(path) as editor:
        with pytest.raises(ArchiveError, match=r"set\.mset: another process is writing to it"):
            ArchiveEditor(path)
        with pytest.raises(ArchiveError, match="another process is writing to it"):
            ArchiveWriter(path, overwrite=True)
        assert names(path) == OLD
        editor.remove("Würfel")
        editor.finish({})
    change(path, fields)
    assert names(path) == ["animals/dog", "new"]
    with ArchiveWriter(path, overwrite=True) as writer:
        with pytest.raises(ArchiveError, match="another process is writing to it"):
            ArchiveEditor(path)
        writer.finish({})
    with ArchiveEditor(path):
        pass
    assert list(path.parent.iterdir()) == [path]


def test_the_lock_of_a_killed_process_does_not_block(path: Path) -> None:
    program = (
        "import sys, time\nfrom meshset.archive import ArchiveEditor\n"
        "editor = ArchiveEditor(sys.argv[1])\nprint('locked', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(ArchiveError, match="another process is writing to it"):
            ArchiveEditor(path)
        process.kill()
    with ArchiveEditor(path) as editor:
        assert list(editor.entries) == OLD


def test_a_link_is_followed(tmp_path: Path, path: Path, fields: dict[str, Any]) -> None:
    link = tmp_path / "link.mset"
    link.symlink_to(path)
    change(link, fields)
    assert link.is_symlink()
    assert names(path) == NEW


def test_unknown_names_missing_files_and_newer_versions_are_refused(path: Path, tmp_path: Path) -> None:
    with ArchiveEditor(path) as editor, pytest.raises(ArchiveError, match=r"set\.mset: holds no mesh named 'fish'"):
        editor.remove("fish")
    with pytest.raises(ArchiveError, match=r"none\.mset: No such file"):
        ArchiveEditor(tmp_path / "none.mset")
    data = bytearray(path.read_bytes())
    data[10:12] = struct.pack("<H", 2)  # minor version
    trailer = unpack_trailer(bytes(data[-TRAILER_SIZE:]), len(data) - TRAILER_SIZE)
    assert trailer
    stored = bytes(data[trailer.index_offset : -TRAILER_SIZE])
    data[-TRAILER_SIZE:] = pack_trailer(replace(trailer, index_crc32c=index_checksum(bytes(data[:16]), stored)))
    path.write_bytes(data)
    assert names(path) == OLD
    with pytest.raises(ArchiveError, match=r"newer format version 1\.2"):
        ArchiveEditor(path)


def test_equal_shared_parts_are_copied_once_and_unneeded_ones_not(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mset"
    with ArchiveWriter(copy) as writer, ArchiveReader(path) as reader, ArchiveReader(path) as again:
        copier = Copier(writer)
        copier.copy(reader, "animals/cat")
        copier.copy(reader, "Würfel")
        with pytest.raises(ArchiveError, match="mesh 'animals/cat' is there twice"):
            copier.copy(again, "animals/cat")
        writer.finish({})
    with ArchiveReader(copy) as reader:
        assert len(reader.shared) == 1
        assert reader.read_payload("animals/cat") == b"cat latents"


def test_a_reader_outlives_a_file_that_is_cut_back_while_it_opens(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(5000))
    read = ArchiveReader._read_at

    def cut_first(reader: ArchiveReader, offset: int, length: int) -> bytes:
        path.write_bytes(whole)
        return read(reader, offset, length)

    monkeypatch.setattr(ArchiveReader, "_read_at", cut_first)
    assert names(path) == OLD
