"""The last step of everything that writes an archive."""

from __future__ import annotations

from typing import Any

from meshset.archive.chunks import ChunkWriter
from meshset.progress import tell


def finish(writer: ChunkWriter, settings: dict[str, Any]) -> None:
    """Make what was written an archive, and tell the user what was cleaned up on the way."""
    writer.finish(settings)
    if writer.leftovers:
        files = "temporary file" if writer.leftovers == 1 else "temporary files"
        tell(f"removed {writer.leftovers} {files} that killed runs had left in the folder")
