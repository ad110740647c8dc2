"""Archives of version 1.0 stay readable, and the specification says enough to read them."""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import archive_1_0
from meshset.archive import ArchiveEditor, ArchiveReader
from meshset.archive.entries import to_float32
from meshset.archive.index import Index


def test_the_golden_archive_is_read_as_it_was_written(golden_1_0: Path, golden_contents: Any) -> None:
    settings, shared, meshes, _ = golden_contents
    with ArchiveReader(golden_1_0) as reader:
        assert (reader.version, reader.find_damage()) == ((1, 0), ())
        assert reader.settings == settings
        assert [(part.codec_id, reader.read_shared(k)) for k, part in enumerate(reader.shared)] == shared
        assert list(reader.entries) == [name for name, _, _ in meshes]
        for name, payload, fields in meshes:
            assert reader.read_payload(name) == payload
            entry = reader.entries[name]
            assert {field: getattr(entry, field) for field in fields} == fields
        assert reader.entries["Würfel"].mean_distance is None
        assert reader.entries["Würfel"].notes == ()


def test_the_writer_of_the_tests_makes_the_golden_archive(golden_1_0: Path) -> None:
    # Else the other tests of version 1.0 could prove nothing.
    data = golden_1_0.read_bytes()
    offset, _, raw = struct.unpack_from("<QII", data, len(data) - 40)
    with ArchiveReader(golden_1_0) as reader:
        index = Index(reader.settings, reader.shared, tuple(reader.entries.values()))
    assert archive_1_0.body(index) == inflate_index(data)
    assert len(archive_1_0.body(index)) == raw
    assert archive_1_0.archive(data[:offset], index)[:offset] == data[:offset]


LESS_EXACT = "less exact than its set: more than twice the worst error of the meshes before it"
AGAIN = "coded again from its stored form when the decoder was updated; its errors are those stored plus the change"


@pytest.mark.parametrize(
    ("notes", "fields"),
    [
        (["rung: set, max error 0.2%"], {"rung": "set", "bound": to_float32(0.002)}),
        (["rung: refined, max error 1e-05%"], {"rung": "refined", "bound": to_float32(1e-7)}),
        (["rung: draco, max error 0.1%"], {"rung": "alone", "bound": to_float32(0.001)}),
        (["rung: ply-zstd, max error 50%"], {"rung": "alone", "bound": 0.5}),
        (["comes back open, with 72 boundary edges"], {"open_edges": 72}),
        ([AGAIN], {"generation": 1}),
        ([LESS_EXACT], {"less_exact": True}),
        (
            ["closed", LESS_EXACT, "3 holes", AGAIN],
            {"less_exact": True, "generation": 1, "notes": ("closed", "3 holes")},
        ),
        (["rung: up, max error 1%"], {"notes": ("rung: up, max error 1%",)}),
        (["rung: set, max error 9e999%"], {"notes": ("rung: set, max error 9e999%",)}),
        (["rung: set, max error -1%"], {"notes": ("rung: set, max error -1%",)}),
        (["rung: set, max error .-.%"], {"notes": ("rung: set, max error .-.%",)}),
        (["rung: set, max error 0%"], {"notes": ("rung: set, max error 0%",)}),
        (
            ["comes back open, with 9999999999 boundary edges"],
            {"notes": ("comes back open, with 9999999999 boundary edges",)},
        ),
    ],
)
def test_sentences_of_version_1_0_become_fields(
    tmp_path: Path, entry: Any, notes: list[str], fields: dict[str, Any]
) -> None:
    path = tmp_path / "set.mset"
    path.write_bytes(archive_1_0.archive(archive_1_0.HEADER + bytes(4), Index({}, (), (replace(entry, notes=notes),))))
    expected = replace(entry, **fields)
    with ArchiveReader(path) as reader:
        assert reader.entries["a"] == expected
    with ArchiveEditor(path) as editor:
        editor.finish({})
    with ArchiveReader(path) as reader:
        assert (reader.version, reader.entries["a"]) == ((1, 1), expected)


def inflate_index(data: bytes) -> bytes:
    """Return the index of an archive, decompressed."""
    offset, stored, raw = struct.unpack_from("<QII", data, len(data) - 40)
    body = zlib.decompress(data[offset : offset + stored], -15)
    assert len(body) == raw
    return body


class SpecReader:
    """A second reader, written from docs/SPEC.md alone and sharing nothing with the first."""

    def __init__(self, body: bytes) -> None:
        self.body, self.at = body, 0

    def u32(self) -> int:
        self.at += 4
        return int.from_bytes(self.body[self.at - 4 : self.at], "little")

    def text(self) -> bytes:
        length = self.u32()
        self.at += length
        return self.body[self.at - length : self.at]

    def strings(self) -> list[str]:
        return [part.decode() for part in self.text().split(b"\0")[:-1]]

    def column(self, code: str, count: int) -> list[Any]:
        width = struct.calcsize(code)
        planes = self.body[self.at : self.at + width * count]
        self.at += width * count
        return [struct.unpack("<" + code, planes[k::count])[0] for k in range(count)] if count else []

    def columns(self, codes: str, count: int) -> list[tuple[Any, ...]]:
        return list(zip(*[self.column(code, count) for code in codes], strict=True))


def signed(number: int) -> int:
    """Undo zigzag as the specification words it."""
    return number // 2 if number % 2 == 0 else -(number + 1) // 2


def test_the_specification_suffices_to_read_an_archive_of_version_1_0(golden_1_0: Path) -> None:
    body = SpecReader(inflate_index(golden_1_0.read_bytes()))
    settings = json.loads(body.text())
    shared_count, mesh_count, note_count = body.u32(), body.u32(), body.u32()
    names, texts = body.strings(), body.strings()
    shared = body.columns("HQQI", shared_count)
    meshes = body.columns("HIQQIIQIQQffII", mesh_count)
    forms = body.column("B", mesh_count)
    tables = [body.columns(codes, forms.count(k)) for k, codes in enumerate(("ffffff", "dddddd", "BQQQQQQ"))]
    assert body.at == len(body.body)
    assert len(texts) == note_count
    with ArchiveReader(golden_1_0) as reader:
        assert reader.settings == settings
        end = 16
        for row, part in zip(shared, reader.shared, strict=True):
            assert (part.codec_id, part.offset, part.length) == (row[0], end + signed(row[1]), row[2])
            end = part.offset + part.length
        for name, row, form in zip(names, meshes, forms, strict=True):
            entry, values = reader.entries[name], tables[form].pop(0)
            if form == 2:
                values = tuple(signed(number) / 10 ** values[0] for number in values[1:])
            assert (*entry.lower, *entry.upper) == values
            assert entry.offset == end + signed(row[2])
            end = entry.offset + entry.length
            assert (entry.codec_id, entry.length, entry.crc32c) == (row[0], row[3], row[4])
            assert entry.shared == (None if row[1] == 0xFFFFFFFF else row[1])
            assert (entry.vertices, entry.faces) == (row[5], signed(row[6]) + 2 * row[5])
            assert (entry.source_vertices, entry.source_faces) == (row[7], signed(row[8]) + 2 * row[7])
            assert entry.source_bytes == row[9]
            assert entry.mean_distance == (None if math.isnan(row[10]) else row[10])
            assert entry.max_distance == (None if math.isnan(row[11]) else row[11])
            assert entry.peak_memory == row[12] << 20
            assert entry.notes == (tuple(texts[row[13] - 1].split("\n")) if row[13] else ())
    assert sorted(forms) == [0, 1, 2]
