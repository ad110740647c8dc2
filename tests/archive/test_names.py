"""Names are data: no archive writes outside the output folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshset.archive import ArchiveReader, ArchiveWriter, MeshEntry, validate_name
from meshset.errors import ArchiveError

BAD_NAMES = [
    "",
    ".",
    "..",
    "/etc/passwd",
    "a/",
    "a//b",
    "a/../b",
    "./a",
    "a/.",
    "../a",
    "a\\b",
    "C:evil",
    "a:stream",
    "a\nb",
    "a\x1b[31m",
    "a\x7f",
    "a\x9b",
    "a\u2028b",
    "con",
    "NUL",
    "Aux.obj",
    "com1.tar.gz",
    "lpt9",
    "COM¹",
    "sub/prn",
    "nul .txt",
    "CONIN$",
    "a.",
    "a ",
    "dir./a",
    "x" * 256,
    "é" * 128,
    "/".join(["x" * 250] * 17),
]
GOOD_NAMES = [
    "a",
    "a/b/c",
    "Ä猫",
    ".hidden",
    "a..b",
    "a b",
    "console",
    "com10",
    "com",
    "x" * 255,
    "a.con",
    "...a",
    "é" * 127,
]


@pytest.mark.parametrize("name", [*BAD_NAMES, "a\ud800", "a\0b"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(ArchiveError) as caught:
        validate_name(name)
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith("mesh name '")
    assert len(message) < 300


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_names_are_kept(tmp_path: Path, fields: dict[str, Any], name: str) -> None:
    with ArchiveWriter(tmp_path / "set.mset") as writer:
        writer.add_mesh(name, b"x", **fields)
        writer.finish({})
    with ArchiveReader(tmp_path / "set.mset") as reader:
        assert list(reader.entries) == [name]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_the_writer_refuses_bad_names(tmp_path: Path, fields: dict[str, Any], name: str) -> None:
    with (
        ArchiveWriter(tmp_path / "set.mset") as writer,
        pytest.raises(ArchiveError, match=r"set\.mset: mesh name"),
    ):
        writer.add_mesh(name, b"x", **fields)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_the_reader_refuses_bad_names(tmp_path: Path, forge: Any, entry: MeshEntry, name: str) -> None:
    path = tmp_path / "forged.mset"
    path.write_bytes(forge([replace(entry, name=name)]))
    with pytest.raises(ArchiveError, match=r"forged\.mset: mesh name"):
        ArchiveReader(path)


def test_an_error_stays_on_one_line_whatever_the_file_is_called(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as caught:
        ArchiveReader(tmp_path / "two\nlines.mset")
    assert "\n" not in str(caught.value)
    assert "lines.mset" in str(caught.value)
