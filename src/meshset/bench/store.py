"""JSON files that are there whole or not at all, and the keys under which results are kept."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from meshset.errors import MeshsetError


def digest(value: Any) -> str:
    """Return 16 hexadecimal digits that name a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def file_name(text: str) -> str:
    """Return `text` with all but letters, digits, dots and hyphens replaced, for a name that people can read."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-.") or "unnamed"


def save(path: Path, value: Any) -> None:
    """Write a JSON file under its final name only when it is whole. Raises MeshsetError."""
    save_text(path, json.dumps(value, indent=1) + "\n")


def save_text(path: Path, text: str) -> None:
    """Write a text file under its final name only when it is whole, or leave nothing of it. Raises MeshsetError."""
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise MeshsetError(f"{path}: cannot be written ({error.strerror})") from None


def load(path: Path) -> Any:
    """Return the value of a JSON file, None if there is no such file. Raises MeshsetError if it is no JSON."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise MeshsetError(f"{path}: cannot be read as JSON ({error})") from None
