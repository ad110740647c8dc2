"""The settings of an archive as the index stores them: a JSON object in UTF-8."""

from __future__ import annotations

import json
from typing import Any

from meshset.errors import ArchiveError

MAX_SETTINGS_BYTES = 1 << 20
MAX_SETTINGS_DEPTH = 32


def pack_settings(settings: dict[str, Any]) -> bytes:
    """Return settings as text. Raises ArchiveError for what JSON cannot say and for too much of it."""
    try:
        text = json.dumps(settings, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ArchiveError(f"settings cannot be stored as JSON: {error}") from error
    if len(text) > MAX_SETTINGS_BYTES:
        raise ArchiveError(f"settings are larger than {MAX_SETTINGS_BYTES} bytes")
    return text


def unpack_settings(data: bytes) -> dict[str, Any]:
    """Return what `pack_settings` was given. Raises ArchiveError for text that it would not have made."""
    if len(data) > MAX_SETTINGS_BYTES:
        raise ArchiveError(f"index is damaged: settings are larger than {MAX_SETTINGS_BYTES} bytes")
    try:
        settings = json.loads(data.decode())
        # Writing it again refuses what Python reads beyond JSON: NaN, infinities and lone surrogates.
        json.dumps(settings, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise ArchiveError("index is damaged: settings are not valid JSON") from None
    if not isinstance(settings, dict):
        raise ArchiveError("index is damaged: settings are not a JSON object")
    if _depth(data) > MAX_SETTINGS_DEPTH:
        raise ArchiveError(f"index is damaged: settings are nested more than {MAX_SETTINGS_DEPTH} deep")
    return settings


def _depth(settings: bytes) -> int:
    """Return an upper bound of how deeply JSON text is nested: brackets in strings count too."""
    depth = deepest = 0
    for byte in settings:
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    return deepest
