"""Which meshes of an archive a user means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase

from meshset.archive import MeshEntry
from meshset.archive.names import name_key, shown
from meshset.errors import ArchiveError
from meshset.text import numbered


class UnknownMeshError(ArchiveError, KeyError):
    """An archive holds no mesh of that name; the message proposes names that are close."""

    def __init__(self, file: str, name: str, known: Mapping[str, MeshEntry]) -> None:
        spellings = {name_key(one): one for one in known}
        close = [spellings[key] for key in get_close_matches(name_key(name), spellings, n=3)]
        proposal = f"; did you mean {' or '.join(map(shown, close))}?" if close else ""
        super().__init__(f"{file}: holds no mesh named {shown(name)}{proposal}")

    def __str__(self) -> str:
        # KeyError would show its message in quotes.
        return str(self.args[0])


def listed(names: str | Iterable[str]) -> list[str]:
    """Return several names as a list; a string is one of them, never its letters."""
    return [names] if isinstance(names, str) else list(names)


def select(entries: Mapping[str, MeshEntry], names: Iterable[str], file: str) -> list[str]:
    """Return the names in `entries` that `names` asks for, in stored order; all of them if it is empty.

    A name that is in the archive stands for itself, even if it looks like a pattern such as "animals/*"; "animals/"
    stands for everything below it, and "walk" for the frames of a sequence "walk_0001", "walk_0002" and so on. The
    Unicode spelling of names does not matter.

    Raises:
        UnknownMeshError: a name or pattern fits no mesh; the message names `file`.
    """
    wanted: set[str] = set()
    names = list(names)
    for name in names:
        fitting = [entries[name].name] if name in entries else _matching(entries, name)
        if not fitting:
            raise UnknownMeshError(file, name, entries)
        wanted.update(fitting)
    return [name for name in entries if name in wanted or not names]


def _matching(names: Iterable[str], pattern: str) -> list[str]:
    """Return those of `names` that a pattern or folder fits."""
    key = name_key(f"{pattern}*" if pattern.endswith("/") else pattern)
    found = [name for name in names if fnmatchcase(name_key(name), key)]
    if found or any(letter in pattern for letter in "*?["):
        return found
    return [name for name in names if numbered(name)[1] >= 0 and name_key(title_of(name)) == key]


def title_of(name: str) -> str:
    """Return what the frames of a sequence are called: the name of one without its number."""
    return numbered(name)[0].rstrip("_-. ")


def framed(names: Iterable[str], frames: range) -> list[str]:
    """Return the names that end with one of these numbers."""
    return [name for name in names if numbered(name)[1] in frames]
