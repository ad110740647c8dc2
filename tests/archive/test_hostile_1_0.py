"""Archives of version 1.0 with valid checksums and lies inside: refused, at little cost."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_1_0 import HEADER, deflated, pack_strings, pack_table, pack_trailer, pack_u32, seal
from meshset.archive import ArchiveReader, MeshEntry, SharedEntry
from meshset.archive.columns import zigzag
from meshset.archive.layout import MAGIC, MAX_INDEX_BYTES
from meshset.errors import ArchiveError

HUGE = 2**32 - 1


def refuse(data: bytes, reason: str) -> None:
    """Assert that an archive is refused, for a reason, in one line."""
    with pytest.raises(ArchiveError, match=reason) as caught:
        ArchiveReader(io.BytesIO(data))
    assert "\n" not in str(caught.value)


@contextmanager
def little_memory(limit: int = 8 << 20) -> Iterator[None]:
    """Assert that the block never holds more than `limit` bytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def body(
    text: bytes = b"{}",
    counts: tuple[int, int, int] = (0, 0, 0),
    names: bytes = pack_strings([]),
    rest: bytes = b"",
) -> bytes:
    """Return an index as it is before compression."""
    return b"".join([pack_u32(len(text)), text, *map(pack_u32, counts), names, rest])


def test_the_forge_makes_valid_archives(forge_1_0: Any, entry: MeshEntry) -> None:
    # Else every refusal in this file could have another cause.
    with ArchiveReader(io.BytesIO(forge_1_0([entry], [SharedEntry(1, 20, 5, 0)]))) as reader:
        assert list(reader.entries.values()) == [entry]
    with ArchiveReader(io.BytesIO(forge_1_0(body=body(rest=pack_strings([]))))) as reader:
        assert reader.settings == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"offset": 0}, "outside the file"),
        ({"offset": 15}, "outside the file"),
        ({"offset": -5}, "outside the file"),
        ({"offset": 77}, "outside the file"),
        ({"offset": 2**62}, "outside the file"),
        ({"length": 65}, "outside the file"),
        ({"length": 2**30}, "outside the file"),
        ({"length": 2**30 + 1}, "payload of 1073741825 bytes"),
        ({"length": 2**64 - 1}, "payload of"),
        ({"length": 0}, "payload of 0 bytes"),
        ({"shared": 0}, "shared part that does not exist"),
        ({"faces": 2**32}, "count out of range"),
        ({"faces": -1}, "count out of range"),
        ({"source_faces": 2**40}, "count out of range"),
        ({"mean_distance": -1.0}, "invalid distance"),
        ({"max_distance": float("inf")}, "invalid distance"),
        ({"upper": (1.0, float("inf"), 1.0)}, "invalid bounding box"),
        ({"lower": (2.0, 0.0, 0.0)}, "invalid bounding box"),
        ({"upper": (0.0, 0.0, 0.0)}, "invalid bounding box"),
        ({"lower": (-1.5e308,) * 3, "upper": (1.5e308,) * 3}, "invalid bounding box"),
        ({"notes": ("\x1b[2J",)}, "note that is not one line"),
        ({"notes": ("two\n\nlines",)}, "note that is not one line"),
    ],
)
def test_a_lying_record_is_refused(forge_1_0: Any, entry: MeshEntry, change: dict[str, Any], reason: str) -> None:
    refuse(forge_1_0([replace(entry, **change)]), reason)


@pytest.mark.parametrize(
    ("meshes", "shared"),
    [
        ([(16, 4), (16, 4)], []),
        ([(16, 4), (19, 4)], []),
        ([(20, 10), (16, 60)], []),
        ([(30, 4), (16, 15)], []),
        ([(16, 10)], [(25, 1)]),
        ([(16, 10)], [(20, 0)]),
        ([], [(16, 10), (17, 2)]),
    ],
)
def test_chunks_must_not_overlap(forge_1_0: Any, entry: MeshEntry, meshes: Any, shared: Any) -> None:
    entries = [replace(entry, name=f"m{k}", offset=at, length=n) for k, (at, n) in enumerate(meshes)]
    refuse(forge_1_0(entries, [SharedEntry(1, at, n, 0) for at, n in shared]), "two chunks overlap")


def test_chunks_may_touch_and_leave_gaps(forge_1_0: Any, entry: MeshEntry) -> None:
    places = [(40, 10), (16, 4), (20, 20), (60, 20)]
    entries = [replace(entry, name=f"m{at}", offset=at, length=length) for at, length in places]
    with ArchiveReader(io.BytesIO(forge_1_0(entries, [SharedEntry(1, 16, 0, 0)]))) as reader:
        assert [(part.offset, part.length) for part in reader.entries.values()] == places


@pytest.mark.parametrize("shared", [SharedEntry(1, 10, 4, 0), SharedEntry(1, 80, 1, 0), SharedEntry(1, 2**63, 0, 0)])
def test_shared_parts_must_lie_in_the_file(forge_1_0: Any, shared: SharedEntry) -> None:
    refuse(forge_1_0(shared=[shared]), "outside the file")


def test_a_shared_part_beyond_the_cap_is_refused(forge_1_0: Any) -> None:
    refuse(forge_1_0(shared=[SharedEntry(1, 16, 2**30 + 1, 0)]), "shared part is longer")


def test_duplicate_names_are_refused(forge_1_0: Any, entry: MeshEntry) -> None:
    refuse(forge_1_0([entry, replace(entry, offset=20)]), "two meshes have the same name")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' + b"1" * 10_000 + b"}",
        b"{}" + b" " * (1 << 20),
    ],
)
def test_bad_settings_are_refused(forge_1_0: Any, text: bytes) -> None:
    refuse(forge_1_0(body=body(text, rest=pack_strings([]))), "settings are")


SIXTY_FOUR_NAMES = pack_strings([f"{number}" for number in range(64)])


@pytest.mark.parametrize(
    ("counts", "names", "rest", "reason"),
    [
        ((HUGE, 0, 0), pack_strings([]), pack_strings([]), "more chunks than the file can hold"),
        ((0, HUGE, 0), pack_strings([]), pack_strings([]), "more chunks than the file can hold"),
        ((0, 65, 0), pack_strings([]), pack_strings([]), "more chunks than the file can hold"),
        ((1 << 16, 0, 0), pack_strings([]), pack_strings([]) + bytes(22 << 16)[1:], "promises more records"),
        ((0, 64, 0), SIXTY_FOUR_NAMES, pack_strings([]) + bytes(64 * 74 - 1), "promises more records"),
        ((0, 1, 0), pack_strings([]), b"", "wrong number of strings"),
        ((0, 1, 0), pack_u32(1) + b"a", b"", "wrong number of strings"),
        ((0, 1, 0), pack_u32(2) + b"\0a", b"", "wrong number of strings"),
        ((0, 1, 0), pack_u32(2) + b"\0\0", b"", "wrong number of strings"),
        ((0, 1, 0), pack_u32(2) + b"\xff\0", b"", "text that is not UTF-8"),
        ((0, 1, 0), pack_u32(HUGE), b"", "ends too early"),
        ((0, 1, 1), pack_strings(["a"]), pack_strings([]), "wrong number of strings"),
        ((0, 0, 1), pack_strings([]), pack_strings([""]), "more notes than meshes"),
        ((0, 1, HUGE), pack_strings(["a"]), pack_u32(0), "more notes than meshes"),
    ],
)
def test_absurd_counts_cost_nothing(
    forge_1_0: Any, counts: tuple[int, int, int], names: bytes, rest: bytes, reason: str
) -> None:
    data = forge_1_0(body=body(counts=counts, names=names, rest=rest))
    with little_memory():
        refuse(data, f"index is damaged: it .*{reason}")


def test_the_number_of_shared_parts_is_capped(forge_1_0: Any) -> None:
    # Empty parts need no room in the file, so only the cap bounds how many there are.
    for count in (1 << 16, (1 << 16) + 1):
        rows = b"".join(pack_table("HQQI", [(1, 0, 0, 0)] * count))
        data = forge_1_0(body=body(counts=(count, 0, 0), rest=pack_strings([]) + rows))
        if count > 1 << 16:
            refuse(data, "more chunks than the file can hold")
        else:
            with ArchiveReader(io.BytesIO(data)) as reader:
                assert len(reader.shared) == count


def test_a_million_separators_cost_nothing(forge_1_0: Any) -> None:
    data = forge_1_0(body=body(counts=(0, 1, 0), names=pack_u32(1 << 22) + bytes(1 << 22)))
    with little_memory(24 << 20):
        refuse(data, "wrong number of strings")


def test_texts_that_nobody_refers_to_cost_nothing(forge_1_0: Any) -> None:
    # Sixteen million empty texts would be gigabytes as Python objects, from an archive of a few kilobytes.
    count = 1 << 24
    data = forge_1_0(body=body(counts=(0, 1, count), names=pack_strings(["a"]), rest=pack_u32(count) + bytes(count)))
    assert len(data) < 1 << 15
    with little_memory(40 << 20):
        refuse(data, "more notes than meshes")


def test_every_shorter_body_is_refused(forge_1_0: Any, entry: MeshEntry) -> None:
    data = forge_1_0([entry])
    offset, stored = struct.unpack_from("<QI", data, len(data) - 40)
    whole = zlib.decompress(data[offset : offset + stored], -15)
    with ArchiveReader(io.BytesIO(forge_1_0(body=whole))) as reader:
        assert reader.entries["a"] == entry
    for length in range(len(whole)):
        refuse(forge_1_0(body=whole[:length]), "index is damaged")
    refuse(forge_1_0(body=whole + b"\0"), "bytes are left over")


def record(entry: MeshEntry, note: int, box: bytes) -> bytes:
    """Return an index body with one record whose note number and box are given."""
    row = (1, HUGE, 0, entry.length, 0, 8, zigzag(-4), 8, zigzag(-4), 300, 0.0, 0.0, 0, note)
    columns = b"".join(pack_table("HIQQIIQIQQffII", [row]))
    return body(counts=(0, 1, 0), names=pack_strings(["a"]), rest=pack_strings([]) + columns + box)


def test_unknown_notes_and_boxes_are_refused(forge_1_0: Any, entry: MeshEntry) -> None:
    floats = b"".join(pack_table("ffffff", [(*entry.lower, *entry.upper)]))
    with ArchiveReader(io.BytesIO(forge_1_0(body=record(entry, 0, b"\0" + floats)))) as reader:
        assert reader.entries["a"].upper == entry.upper
    refuse(forge_1_0(body=record(entry, 1, b"\0" + floats)), "note that does not exist")
    refuse(forge_1_0(body=record(entry, 0, b"\3" + floats)), "unknown form")
    not_a_number = b"".join(pack_table("ffffff", [(float("nan"), 0.0, 0.0, 1.0, 1.0, 1.0)]))
    refuse(forge_1_0(body=record(entry, 0, b"\0" + not_a_number)), "invalid bounding box")
    for places, mantissa in ((23, 1), (255, 1), (0, 2**53 + 1), (22, -(2**60))):
        decimals = (places, 0, 0, 0, 2, 2, zigzag(mantissa))
        box = b"\2" + b"".join(pack_table("BQQQQQQ", [decimals]))
        refuse(forge_1_0(body=record(entry, 0, box)), "too many digits")


def sealed(stored: bytes, raw_length: int) -> bytes:
    """Return an archive with a given compressed index and a trailer that vouches for it."""
    return seal(HEADER, stored, raw_length)


def test_a_decompression_bomb_stays_small() -> None:
    bomb = deflated(bytes(64 << 20))
    with little_memory(1 << 20):
        refuse(sealed(bomb, 1000), "not have the length that the trailer states")
    with little_memory(1 << 20):
        refuse(sealed(bomb, MAX_INDEX_BYTES + 1), "index is larger than")


def test_a_stream_of_another_length_is_refused() -> None:
    whole = body(rest=pack_strings([]))
    good = deflated(whole)
    with ArchiveReader(io.BytesIO(sealed(good, len(whole)))) as reader:
        assert reader.settings == {}
    for stored, raw_length in (
        (good, len(whole) - 1),
        (good, len(whole) + 1),
        (good, 0),
        (good[:-1], len(whole)),
        (good + b"\0", len(whole)),
        (b"", 0),
        (b"\7", 1),
    ):
        refuse(sealed(stored, raw_length), "index is damaged: it (does not have the length|cannot be decompressed)")


@pytest.mark.parametrize(
    ("trailer", "what"),
    [
        ((16, 2**32 - 1, 10, 0, 16), "stored length beyond the trailer"),
        ((0, 16, 10, 0, 16), "index over the header"),
        ((2**64 - 1, 17, 10, 0, 16), "offset that wraps around"),
        ((16, 0, 10, 0, 17), "another position"),
    ],
)
def test_a_lying_trailer_is_not_one(trailer: tuple[int, ...], what: str) -> None:
    refuse(HEADER + pack_trailer(*trailer), "truncated or not a meshset archive")


def header(major: int, minor: int, flags: int = 0) -> bytes:
    """Return the header of an archive of any version."""
    return struct.pack("<8sHHI", MAGIC, major, minor, flags)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((2, 0), r"format version 2\.0, this program reads 1\.x: upgrade meshset"),
        ((65535, 65535), "upgrade meshset"),
        ((0, 9), "which never existed"),
        ((1, 0, 2), "features 0x2 that this program does not have: upgrade meshset"),
        ((1, 0, 1 << 31), "upgrade meshset"),
    ],
)
def test_other_versions_say_what_to_do(forge_1_0: Any, fields: tuple[int, ...], reason: str) -> None:
    refuse(forge_1_0(header=header(*fields)), reason)


def test_a_newer_major_version_may_have_another_trailer() -> None:
    refuse(header(2, 0) + b"something quite different", "upgrade meshset")


def test_a_newer_minor_version_may_say_more(forge_1_0: Any, entry: MeshEntry) -> None:
    longer = record(entry, 0, b"\0" + b"".join(pack_table("ffffff", [(*entry.lower, *entry.upper)]))) + b"new column"
    with ArchiveReader(io.BytesIO(forge_1_0(body=longer, header=header(1, 7)))) as reader:
        assert reader.version == (1, 7)
        assert reader.entries["a"].faces == 12
    refuse(forge_1_0(body=longer), "bytes are left over")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_index_never_raises_anything_else(forge_1_0: Any, entry: MeshEntry, data: st.DataObject) -> None:
    # The checksums are valid: only the rules for each field stand between these bytes and the caller.
    archive = forge_1_0([entry, replace(entry, name="b", offset=20, notes=("x",))], [SharedEntry(1, 24, 5, 0)])
    offset, stored = struct.unpack_from("<QI", archive, len(archive) - 40)
    whole = bytearray(zlib.decompress(archive[offset : offset + stored], -15))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        reader = ArchiveReader(io.BytesIO(forge_1_0(body=bytes(whole))))
    except ArchiveError:
        return
    spans = sorted((part.offset, part.offset + part.length) for part in (*reader.shared, *reader.entries.values()))
    assert all(16 <= start <= stop <= 80 for start, stop in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@given(st.binary(max_size=200))
def test_a_random_index_never_raises_anything_else(stored: bytes) -> None:
    with pytest.raises(ArchiveError):
        ArchiveReader(io.BytesIO(sealed(stored, 100)))
