"""Which code made a figure: a result is not taken for that of code which has changed since."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import meshset

CODING = ("archive", "codecs", "coding", "field", "geometry")
"""Packages that the bytes of a point, and the meshes decoded from them, depend on."""

MEASURING = ("evaluation", "geometry")
"""Packages that metrics depend on."""


@cache
def code_digest(packages: tuple[str, ...], root: Path = Path(meshset.__file__).parent) -> str:
    """Return 16 hexadecimal digits that change with any Python file of packages below `root`, its name included.

    All files of a package count, though a codec uses some of them only: a point too many made again costs time, an old
    one taken for new is a wrong figure.
    """
    found = hashlib.sha256()
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return found.hexdigest()[:16]
