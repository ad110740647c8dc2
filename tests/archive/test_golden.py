"""Old archives stay readable, and the specification says enough to read them."""

from __future__ import annotations

import json
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from meshset.archive import ArchiveReader

DIGEST_NOTE = "if this fails, either the format changed (then raise the version) or the change is a mistake"


def test_the_golden_archive_is_read_as_it_was_written(golden: Path, golden_contents: Any) -> None:
    settings, shared, meshes = golden_contents
    with ArchiveReader(golden) as reader:
        assert reader.settings == settings
        assert [(part.codec_id, reader.read_shared(k)) for k, part in enumerate(reader.shared)] == shared
        assert list(reader.entries) == [name for name, _, _ in meshes]
        for name, payload, fields in meshes:
            assert reader.read_payload(name) == payload
            entry = reader.entries[name]
            assert {field: getattr(entry, field) for field in fields} == fields
        assert reader.entries["Würfel"].mean_distance is None
        assert reader.entries["Würfel"].notes == ()


def test_the_same_contents_give_the_same_fields(tmp_path: Path, golden: Path, write_golden: Any) -> None:
    # Whatever library deflates, everything but the compressed index is the same in every byte.
    write_golden(tmp_path / "new.mset")
    new, old = (tmp_path / "new.mset").read_bytes(), golden.read_bytes()
    assert inflate_index(new) == inflate_index(old), DIGEST_NOTE
    start = struct.unpack_from("<Q", old, len(old) - 40)[0]
    assert new[:start] == old[:start], DIGEST_NOTE


@pytest.mark.skipif("ng" in zlib.ZLIB_RUNTIME_VERSION, reason="zlib-ng chooses other matches than zlib")
def test_the_same_contents_give_the_same_bytes(tmp_path: Path, golden: Path, write_golden: Any) -> None:
    write_golden(tmp_path / "new.mset")
    assert (tmp_path / "new.mset").read_bytes() == golden.read_bytes(), DIGEST_NOTE


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


def test_the_specification_suffices_to_read_the_golden_archive(golden: Path) -> None:
    body = SpecReader(inflate_index(golden.read_bytes()))
    settings = json.loads(body.text())
    shared_count, mesh_count, note_count = body.u32(), body.u32(), body.u32()
    names, texts = body.strings(), body.strings()
    shared = body.columns("HQQI", shared_count)
    meshes = body.columns("HIQQIIQIQQffII", mesh_count)
    forms = body.column("B", mesh_count)
    tables = [body.columns(codes, forms.count(k)) for k, codes in enumerate(("ffffff", "dddddd", "BQQQQQQ"))]
    assert body.at == len(body.body)
    assert len(texts) == note_count
    with ArchiveReader(golden) as reader:
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
