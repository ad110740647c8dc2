"""Whether an archive is smaller than what went in, and what would be."""

from __future__ import annotations

from collections.abc import Sequence

from meshset.codecs import codec_by_name
from meshset.codecs.protocol import CodedMesh, Settings
from meshset.pipeline.steps.draft import Draft
from meshset.pipeline.steps.prepare import NormalisedMeshes, PreparedMesh
from meshset.text import size

ORDINARY = "draco"
_AROUND = 50
"""About the bytes that an archive takes for itself, and again for each mesh in a small one."""


def input_bytes(prepared: Sequence[PreparedMesh]) -> int:
    """Return the bytes of the files that went in; of a mesh in memory those of its OBJ text."""
    return sum(one.obj_bytes if one.given is not None else one.file_bytes for one in prepared)


def too_large(
    archive_bytes: int, kept: Sequence[Draft], prepared: Sequence[PreparedMesh], settings: Settings
) -> str | None:
    """Return what to tell of an archive that is larger than its input, None for one that is not.

    Args:
        archive_bytes: of the whole file.
        kept: what it holds.
        prepared: the meshes of these.
        settings: that it was made with.
    """
    before = input_bytes(prepared)
    if archive_bytes <= before:
        return None
    line = f"the archive is larger than what went in: {size(archive_bytes)}, before {size(before)}"
    coded = codec_by_name(ORDINARY).compress(NormalisedMeshes(prepared), settings)
    ordinary = _AROUND * (1 + len(kept)) + sum(len(one.payload) for one in coded.meshes if isinstance(one, CodedMesh))
    if ordinary < 0.9 * archive_bytes:
        return f"{line}; codec {ORDINARY} would take about {size(ordinary)}, for a decoder pays in larger sets only"
    return f"{line}; the files are compact already, and no codec of meshset takes clearly less"
