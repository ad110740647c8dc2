"""The `.mset` container: named chunks of bytes, an index at the end and a checksum on everything.

It knows bytes, not meshes or networks, so that listing an archive imports neither. The format is described in
docs/SPEC.md.
"""

from meshset.archive.copying import Copier
from meshset.archive.editor import ArchiveEditor
from meshset.archive.entries import MeshEntry, SharedEntry
from meshset.archive.names import validate_name
from meshset.archive.reader import ArchiveReader
from meshset.archive.writer import ArchiveWriter

__all__ = ["ArchiveEditor", "ArchiveReader", "ArchiveWriter", "Copier", "MeshEntry", "SharedEntry", "validate_name"]
