"""Names of meshes, and names of files in error messages."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from contextlib import contextmanager
from typing import TypeVar

from meshset.errors import ArchiveError

_Value = TypeVar("_Value")

MAX_NAME_BYTES = 4096
MAX_SEGMENT_BYTES = 255

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line separators and lone surrogates: they break terminals, lines or UTF-8."""

_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}) | {
    port + digit for port in ("COM", "LPT") for digit in "123456789¹²³"
}


def validate_name(name: str) -> None:
    """Refuse a mesh name that could not be a relative path on every system.

    Raises ArchiveError for a name that is empty, absolute or too long, leaves its folder, or holds a segment
    that Windows reserves or changes.
    """
    reason = _objection(name)
    if reason:
        raise ArchiveError(f"mesh name {shown(name)} {reason}")


def safe_name(name: str) -> str:
    """Return `name` with what `validate_name` refuses replaced, as far as that is possible.

    >>> safe_name("bracket "), safe_name("scans/scan 12:30")
    ('bracket', 'scans/scan 12-30')
    """
    return "/".join(map(_safe_segment, name.split("/")))


def name_key(name: str) -> str:
    """Return what two spellings of one name have in common.

    Unicode writes most accented letters in two ways: keyboards type one character (NFC), some file systems give two, a
    letter and its accent (NFD).
    """
    return unicodedata.normalize("NFC", name)


class ByName(Mapping[str, _Value]):
    """Values by the names of meshes, in the spelling that was given and found in any.

    Where names differ only in their spelling, each is found by its own and the first by all others.
    """

    def __init__(self, held: Mapping[str, _Value]) -> None:
        self._held = dict(held)
        self._spellings: dict[str, str] | None = None

    def __getitem__(self, name: str) -> _Value:
        return self._held[name] if name in self._held else self._held[self._spelled(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def keys(self) -> KeysView[str]:
        return self._held.keys()

    def values(self) -> ValuesView[_Value]:
        return self._held.values()

    def items(self) -> ItemsView[str, _Value]:
        return self._held.items()

    def _spelled(self, name: object) -> str:
        """Return the spelling under which a name is held. Raises KeyError if it is not."""
        if self._spellings is None:
            self._spellings = {name_key(one): one for one in reversed(self._held)}
        if not isinstance(name, str) or name_key(name) not in self._spellings:
            raise KeyError(name)
        return self._spellings[name_key(name)]


def is_one_line(text: str) -> bool:
    """Return whether `text` is valid Unicode without control characters or line breaks."""
    return not _UNSAFE.search(text)


def shown(name: str) -> str:
    """Return `name` quoted for an error message: on one line, and not endless."""
    return repr(name if len(name) <= 80 else name[:77] + "...")


def label(path: str | os.PathLike[str]) -> str:
    """Return `path` as an error message names it: on one line whatever characters it holds."""
    text = os.fspath(path)
    return text if text.isprintable() else ascii(text)


@contextmanager
def naming(file: str) -> Iterator[None]:
    """Put the name of the file before the message of every ArchiveError, and turn an OSError into one."""
    try:
        yield
    except ArchiveError as error:
        raise ArchiveError(f"{file}: {error}") from error
    except OSError as error:
        raise ArchiveError(f"{file}: {error.strerror or error}") from error


def _safe_segment(segment: str) -> str:
    segment = _UNSAFE.sub("_", segment).replace("\\", "-").replace(":", "-").rstrip(". ") or "_"
    stem, dot, rest = segment.partition(".")
    return f"{stem.rstrip(' ')}_{dot}{rest}" if stem.rstrip(" ").upper() in _DEVICES else segment


def _objection(name: str) -> str | None:
    if not is_one_line(name):
        return "holds a control character or is not valid Unicode"
    if "\\" in name or ":" in name:
        return "holds a backslash or a colon"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes"
    for segment in name.split("/"):
        if segment in ("", ".", ".."):
            return "is not a relative path with plain segments"
        if len(segment.encode()) > MAX_SEGMENT_BYTES:
            return f"has a segment longer than {MAX_SEGMENT_BYTES} bytes"
        if segment[-1] in ". ":
            return "has a segment that ends with a dot or a space"
        if segment.partition(".")[0].rstrip(" ").upper() in _DEVICES:
            return "has a segment that is a device name on Windows"
    return None
