"""Which code made a figure: a result is not taken for that of code which has changed since."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import meshset

MEASURING = ("meshset.evaluation.metrics",)
"""What metrics depend on."""


@cache
def code_digest(modules: tuple[str, ...], folder: Path = Path(meshset.__file__).parents[1]) -> str:
    """Return 16 hexadecimal digits that change with modules below `folder` and with all that they import from there.

    Imports inside functions count; modules that are imported by a name put together at run time do not. Packages on the
    way to a module are left out: that of all codecs, for one, knows every codec.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file(name, folder)
        if path is not None and name not in found:
            found[name] = path
            waiting += _imported(path)
    lines = [f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for name, path in sorted(found.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _file(module: str, folder: Path) -> Path | None:
    place = folder.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # What is taken from a package may be a module of it.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
