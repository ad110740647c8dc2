"""Damage is noticed, wherever it is, and an interrupted append costs nothing that was there before."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshset.archive import ArchiveReader, MeshEntry
from meshset.archive import tail as tail_module
from meshset.archive.layout import END_MAGIC, HEADER_SIZE, MAGIC, TRAILER_SIZE, pack_header
from meshset.archive.v1_0 import trailer as v1_0
from meshset.errors import ArchiveError


def damaged_parts(data: bytes) -> list[str | int]:
    """Return names and numbers of the chunks that can no longer be read."""
    parts: list[str | int] = []
    with ArchiveReader(io.BytesIO(data)) as reader:
        for number in range(len(reader.shared)):
            try:
                reader.read_shared(number)
            except ArchiveError:
                parts.append(number)
        for name in reader.entries:
            try:
                reader.read_payload(name)
            except ArchiveError:
                parts.append(name)
    return parts


def owner_of_each_byte(golden: Path) -> dict[int, str | int]:
    """Return which chunk each byte belongs to; bytes of header, index and trailer are absent."""
    with ArchiveReader(golden) as reader:
        places = [*enumerate(reader.shared), *reader.entries.items()]
        return {place: key for key, part in places for place in range(part.offset, part.offset + part.length)}


def check_noticed(data: bytes, place: int, owners: dict[int, str | int]) -> None:
    """Assert that damage of one byte costs one chunk, is told, or is refused."""
    if place in owners:
        assert damaged_parts(data) == [owners[place]]
    elif place < HEADER_SIZE and data.count(END_MAGIC):
        with ArchiveReader(io.BytesIO(data)) as reader:
            assert reader.find_damage() == ("the header is damaged",)
            assert reader.version == (1, 1)
        assert damaged_parts(data) == []
    else:
        with pytest.raises(ArchiveError):
            ArchiveReader(io.BytesIO(data))


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_noticed(golden_each: Path, bit: int) -> None:
    data, owners = golden_each.read_bytes(), owner_of_each_byte(golden_each)
    assert damaged_parts(data) == []
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1 << bit
        check_noticed(bytes(flipped), place, owners)


def test_every_overwritten_byte_is_noticed(golden_each: Path) -> None:
    data, owners = golden_each.read_bytes(), owner_of_each_byte(golden_each)
    for place, old in enumerate(data):
        for new in {0x00, 0xFF, old ^ 0xFF} - {old}:
            check_noticed(data[:place] + bytes([new]) + data[place + 1 :], place, owners)


def test_every_truncation_is_noticed(golden_each: Path) -> None:
    data = golden_each.read_bytes()
    for length in range(len(data)):
        with pytest.raises(ArchiveError, match="truncated or not a meshset archive"):
            ArchiveReader(io.BytesIO(data[:length]))


def test_every_missing_byte_is_noticed(golden_each: Path) -> None:
    data = golden_each.read_bytes()
    for place in range(len(data)):
        with pytest.raises(ArchiveError):
            ArchiveReader(io.BytesIO(data[:place] + data[place + 1 :]))


@pytest.mark.parametrize(("old", "new"), [(b"\r\n", b"\n"), (b"\n", b"\r\n")])
def test_a_transfer_as_text_is_named(golden: Path, old: bytes, new: bytes) -> None:
    with pytest.raises(ArchiveError, match="transfer as text"):
        ArchiveReader(io.BytesIO(golden.read_bytes().replace(old, new)))


@pytest.mark.parametrize("data", [b"", b"\0", b"PK\3\4" + bytes(500), MAGIC, END_MAGIC, END_MAGIC * 50, MAGIC * 50])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other.mset"
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"other\.mset: "):
        ArchiveReader(path)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"none\.mset: No such file"):
        ArchiveReader(tmp_path / "none.mset")
    with pytest.raises(ArchiveError, match=str(tmp_path)):
        ArchiveReader(tmp_path)


@pytest.mark.parametrize("window", [1, 7, 40, 1 << 20])
@pytest.mark.parametrize(
    "tail",
    [
        b"x",
        b"half a chunk" * 20,
        END_MAGIC,
        END_MAGIC * 9,
        MAGIC + bytes(90),
        bytes(TRAILER_SIZE) + END_MAGIC,
    ],
)
def test_the_old_set_survives_an_interrupted_append(
    golden_each: Path, contents: Any, monkeypatch: pytest.MonkeyPatch, window: int, tail: bytes
) -> None:
    monkeypatch.setattr(tail_module, "_SEARCH_WINDOW", window)
    data = golden_each.read_bytes()
    torn = data + tail
    assert contents(io.BytesIO(torn)) == contents(golden_each)
    with ArchiveReader(io.BytesIO(torn)) as reader:
        assert reader.torn_bytes == len(tail)
        assert reader.size == len(torn)
        assert reader.index_size < len(data)


def test_a_copied_trailer_is_not_believed(golden_each: Path, contents: Any) -> None:
    data = golden_each.read_bytes()
    for tail in (data[-TRAILER_SIZE:], data):
        with ArchiveReader(io.BytesIO(data + tail)) as reader:
            assert reader.torn_bytes == len(tail)
        assert contents(io.BytesIO(data + tail)) == contents(golden_each)


def test_the_search_crosses_windows(golden_each: Path) -> None:
    tail = bytes((1 << 20) * 2 + 12345)
    with ArchiveReader(io.BytesIO(golden_each.read_bytes() + tail)) as reader:
        assert reader.torn_bytes == len(tail)


def test_an_append_counts_from_its_last_byte(golden: Path, append: Any, entry: MeshEntry) -> None:
    old = golden.read_bytes()
    added = replace(entry, name="new", offset=len(old), length=64)
    with ArchiveReader(golden) as reader:
        kept = replace(reader.entries["animals/cat"], shared=None)
    new = append(old, bytes(64), [kept, added])
    for length in range(len(old), len(new)):
        with ArchiveReader(io.BytesIO(new[:length])) as reader:
            assert list(reader.entries) == ["animals/cat", "Würfel", "animals/dog"]
            assert reader.torn_bytes == length - len(old)
    with ArchiveReader(io.BytesIO(new)) as reader:
        assert list(reader.entries) == ["animals/cat", "new"]
        assert reader.torn_bytes == 0
        assert reader.read_payload("animals/cat") == b"cat latents"


def test_a_damaged_index_is_not_passed_over_for_an_older_one(golden: Path, append: Any, entry: MeshEntry) -> None:
    # An older set under a valid newest trailer would be a silent loss of meshes.
    old = golden.read_bytes()
    new = bytearray(append(old, bytes(64), [replace(entry, offset=len(old))]))
    new[len(old) + 64] ^= 1
    with pytest.raises(ArchiveError, match="index is damaged: its checksum is wrong"):
        ArchiveReader(io.BytesIO(new))


def test_a_file_that_shrinks_while_open_is_noticed(tmp_path: Path, golden: Path) -> None:
    path = tmp_path / "shrinks.mset"
    path.write_bytes(golden.read_bytes())
    with ArchiveReader(path) as reader:
        path.write_bytes(b"")
        with pytest.raises(ArchiveError, match="became shorter while it was read"):
            reader.read_payload("animals/cat")


@pytest.mark.parametrize("mark", [END_MAGIC, v1_0.END_MAGIC, END_MAGIC + v1_0.END_MAGIC], ids=["1.1", "1.0", "both"])
def test_a_file_of_end_marks_is_given_up_soon(mark: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def look(data: bytes, position: int) -> None:
        nonlocal looks
        looks += 1

    monkeypatch.setattr(tail_module, "unpack_trailer", look)
    source = io.BytesIO(pack_header() + mark * ((8 << 20) // len(mark)))
    with pytest.raises(ArchiveError, match=f"more than {tail_module.MAX_FALSE_MARKS} end marks belong to no index"):
        ArchiveReader(source)
    assert looks <= tail_module.MAX_FALSE_MARKS + 2


def test_some_end_marks_behind_a_set_hide_nothing(golden_each: Path) -> None:
    data = golden_each.read_bytes()
    with ArchiveReader(io.BytesIO(data + END_MAGIC * (tail_module.MAX_FALSE_MARKS - 1))) as reader:
        assert len(reader.entries) == 3
        assert reader.torn_bytes == 8 * (tail_module.MAX_FALSE_MARKS - 1)
