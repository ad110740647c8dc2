"""Old archives stay readable, and the specification says enough to read them."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from meshset.archive import ArchiveReader

SPEC = Path(__file__).parents[2] / "docs" / "SPEC.md"
DIGEST_NOTE = "if this fails, either the format changed (then raise the version) or the change is a mistake"
TRAILER = 33


def dictionary() -> bytes:
    """Return the preset dictionary as the specification spells it out."""
    text = SPEC.read_text(encoding="utf-8")
    return text.partition("### Preset dictionary")[2].split("```")[1].strip("\n").encode()


def inflate_index(data: bytes) -> bytes:
    """Return the index of an archive, decompressed by a library that knows no preset dictionaries."""
    position, stored, raw = struct.unpack_from("<QII", data, len(data) - TRAILER)
    words = dictionary()
    block = b"\0" + struct.pack("<HH", len(words), len(words) ^ 0xFFFF) + words
    body = zlib.decompress(block + data[position - stored : position], -15)
    assert len(body) == len(words) + raw
    return body[len(words) :]


def test_the_golden_archive_is_read_as_it_was_written(golden: Path, golden_contents: Any) -> None:
    settings, shared, meshes, states = golden_contents
    with ArchiveReader(golden) as reader:
        assert (reader.version, reader.find_damage()) == ((1, 1), ())
        assert reader.settings == settings
        assert [(part.codec_id, reader.read_shared(k)) for k, part in enumerate(reader.shared)] == shared
        assert list(reader.entries) == [name for name, _, _ in meshes]
        for name, payload, fields in meshes:
            assert reader.read_payload(name) == payload
            entry, expected = reader.entries[name], fields | states[name]
            assert {field: getattr(entry, field) for field in expected} == expected
        assert reader.entries["Würfel"].mean_distance is None
        assert reader.entries["Würfel"].notes == ()


def test_the_same_contents_give_the_same_fields(
    tmp_path: Path, golden: Path, golden_two: Path, write_golden: Any, write_two: Any
) -> None:
    # Whatever library deflates, everything but the compressed index is the same in every byte.
    for write, path in ((write_golden, golden), (write_two, golden_two)):
        write(tmp_path / path.name)
        new, old = (tmp_path / path.name).read_bytes(), path.read_bytes()
        assert inflate_index(new) == inflate_index(old), DIGEST_NOTE
        with ArchiveReader(path) as reader:
            end = max(part.offset + part.length for part in (*reader.shared, *reader.entries.values()))
        assert new[:end] == old[:end], DIGEST_NOTE


@pytest.mark.skipif("ng" in zlib.ZLIB_RUNTIME_VERSION, reason="zlib-ng chooses other matches than zlib")
def test_the_same_contents_give_the_same_bytes(
    tmp_path: Path, golden: Path, golden_two: Path, write_golden: Any, write_two: Any
) -> None:
    for write, path in ((write_golden, golden), (write_two, golden_two)):
        write(tmp_path / path.name)
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), DIGEST_NOTE


class SpecReader:
    """A second reader, written from docs/SPEC.md alone and sharing nothing with the first."""

    def __init__(self, body: bytes) -> None:
        self.body, self.at = body, 0
        self.modes: set[int] = set()

    def bytes(self, length: int) -> bytes:
        self.at += length
        assert self.at <= len(self.body)
        return self.body[self.at - length : self.at]

    def varint(self) -> int:
        value = place = 0
        while True:
            (byte,) = self.bytes(1)
            value += (byte % 128) << place
            place += 7
            if byte < 128:
                return value

    def signed(self) -> int:
        number = self.varint()
        return number // 2 if number % 2 == 0 else -(number + 1) // 2

    def string(self) -> str:
        end = self.body.index(0, self.at)
        return self.bytes(end + 1 - self.at)[:-1].decode()

    def texts(self, count: int) -> list[str]:
        if not count:
            return []
        if self.bytes(1) == b"\0":
            return [self.string() for _ in range(count)]
        templates = [self.string() for _ in range(self.varint())]
        texts = [templates[number] for number in self.column(count)]
        while any(0x0E <= ord(character) <= 0x1D for text in texts for character in text):
            slots = [next((i for i, one in enumerate(text) if 0x0E <= ord(one) <= 0x1D), None) for text in texts]
            numbers = iter(self.column(sum(slot is not None for slot in slots)))
            for row, slot in enumerate(slots):
                if slot is not None:
                    width = ord(texts[row][slot]) - 0x0D
                    digits = str(next(numbers)).zfill(width if width < 16 else 0)
                    texts[row] = texts[row][:slot] + digits + texts[row][slot + 1 :]
        return texts

    def column(self, count: int) -> list[int]:
        if count < 2:
            return [self.signed() for _ in range(count)]
        if self.body[self.at] == 1:
            self.at += 1
            lowest, step = self.signed(), self.varint()
            return [lowest + step * number for number in self.uneven(count)]
        return self.uneven(count)

    def uneven(self, count: int) -> list[int]:
        (mode,) = self.bytes(1)
        self.modes.add(mode >> 5)
        if mode < 128:
            return self.numbers(mode, count)
        values = [self.signed()]
        for difference in self.numbers(mode - 128, count - 1):
            values.append(values[-1] + difference)
        return values

    def numbers(self, mode: int, count: int) -> list[int]:
        kind, parameter, base = mode // 32, mode % 32, self.signed()
        if mode == 0:
            return [base] * count
        if kind == 1:
            width = parameter + 1
            bits = self.bits(-(-count * width // 8))
            return [base + int(bits[k * width : (k + 1) * width], 2) for k in range(count)]
        if kind == 2:
            planes = self.bytes(count * (parameter + 1))
            return [base + int.from_bytes(planes[k::count], "little") for k in range(count)]
        assert kind == 3
        bits, at, values = self.bits(self.varint()), 0, []
        for _ in range(count):
            zeros = bits.index("1", at) - at
            end = at + 2 * zeros + 1 + parameter
            number = int(bits[at:end], 2) - 2**parameter
            values.append(base + (number // 2 if number % 2 == 0 else -(number + 1) // 2))
            at = end
        assert len(bits) - at < 8
        return values

    def bits(self, length: int) -> str:
        return "".join(f"{byte:08b}" for byte in self.bytes(length))


def distance(number: int) -> float | None:
    if number in (0, 65535):
        return None if number else 0.0
    return (1 + number % 2048 / 2048) * 2.0 ** (number // 2048 - 28)


def obj_bytes(vertices: int, faces: int) -> int:
    digits = sum(len(str(number)) for number in range(1, vertices + 1))
    return 73 * vertices // 2 + 5 * faces + 3 * faces * (256 * digits // vertices) // 256


def float_of(bits: int, code: str) -> float:
    return float(struct.unpack("<" + code, struct.pack("<I" if code == "f" else "<Q", bits))[0])


def boxes(body: SpecReader, count: int) -> list[tuple[float, ...]]:
    forms = body.column(count)
    tables: list[list[tuple[float, ...]]] = []
    for form, width in enumerate((6, 6, 7, 7)):
        rows = zip(*[body.column(forms.count(form)) for _ in range(width)], strict=True)
        if form < 2:
            tables.append([tuple(float_of(bits, "fd"[form]) for bits in row) for row in rows])
        elif form == 2:
            tables.append([tuple(number / 10 ** row[0] for number in row[1:]) for row in rows])
        else:
            corners = [
                (e, *lower, *(a + b for a, b in zip(lower, sides, strict=True)))
                for e, *lower_and_sides in rows
                for lower, sides in [(lower_and_sides[:3], lower_and_sides[3:])]
            ]
            tables.append([tuple(number * 2.0 ** row[0] for number in row[1:]) for row in corners])
    return [tables[form].pop(0) for form in forms]


@pytest.mark.parametrize("name", ["tiny11.mset", "two11.mset"])
def test_the_specification_suffices_to_read_the_golden_archives(golden: Path, name: str) -> None:
    path = golden.parent / name
    body = SpecReader(inflate_index(path.read_bytes()))
    settings = json.loads(body.bytes(body.varint()))
    shared_count, count, note_count = body.varint(), body.varint(), body.varint()
    names, texts = body.texts(count), body.texts(note_count)
    shared = list(zip(*[body.column(shared_count) for _ in range(4)], strict=True))
    columns = [body.column(1 if place == 12 else count) for place in range(20)]
    ((relative,),) = [columns.pop(12)]
    rows = list(zip(*columns, strict=True))
    corners = boxes(body, count)
    assert body.at == len(body.body)
    with ArchiveReader(path) as reader:
        assert reader.settings == settings
        end = 16
        for (codec, gap, length, crc), part in zip(shared, reader.shared, strict=True):
            assert (part.codec_id, part.offset, part.length, part.crc32c) == (codec, end + gap, length, crc)
            end = part.offset + part.length
        for mesh_name, row, box in zip(names, rows, corners, strict=True):
            entry = reader.entries[mesh_name]
            codec, part, gap, memory, note, rung, bound, generation, less_exact, open_edges, *counts = row
            vertices, faces, source_vertices, source_faces, source_bytes, length, crc, mean, largest = counts
            faces += 2 * vertices
            source_vertices += vertices if relative else 0
            source_faces += faces if relative else 2 * source_vertices
            assert (*entry.lower, *entry.upper) == box
            assert (entry.offset, entry.length, entry.crc32c) == (end + gap, length, crc)
            end = entry.offset + entry.length
            assert (entry.codec_id, entry.shared) == (codec, part - 1 if part else None)
            assert (entry.vertices, entry.faces) == (vertices, faces)
            assert (entry.source_vertices, entry.source_faces) == (source_vertices, source_faces)
            if source_vertices:
                assert entry.source_bytes == source_bytes + obj_bytes(source_vertices, source_faces)
            assert (entry.mean_distance, entry.max_distance) == (distance(mean), distance(largest))
            assert entry.peak_memory == memory << 20
            assert entry.notes == (tuple(texts[note - 1].split("\n")) if note else ())
            assert entry.rung == (None, "set", "refined", "alone")[rung]
            assert entry.bound == (float_of(bound, "f") if bound else None)
            assert (entry.generation, entry.less_exact, entry.open_edges) == (generation, bool(less_exact), open_edges)
    if name == "two11.mset":
        assert body.modes >= {0, 1, 2, 3}
