"""Binary PLY in zstd: what a general compressor makes of a mesh, the floor for every other codec."""

from __future__ import annotations

import re
from typing import ClassVar

import numpy as np
import zstandard

from meshset.codecs.common.singles import SingleMeshCodec
from meshset.codecs.peers.checks import checked_mesh
from meshset.codecs.protocol import CodedMesh, Settings
from meshset.errors import ArchiveError
from meshset.geometry import Mesh
from meshset.geometry.writing import encode_ply

LEVEL = 19
"""The highest level of zstd that is not an 'ultra' one, which readers may refuse for its memory."""

MAX_RAW_BYTES = 1 << 30
"""Most bytes of a PLY once decompressed; what a reader allocates for a hostile payload is bounded by it."""

_HEADER = re.compile(
    rb"ply\nformat binary_little_endian 1\.0\nelement vertex (\d{1,10})\n"
    rb"property float x\nproperty float y\nproperty float z\n"
    rb"element face (\d{1,10})\nproperty list uchar int vertex_indices\nend_header\n"
)
_VERTEX = np.dtype(("<f4", 3))
_FACE = np.dtype([("size", "u1"), ("corners", "<i4", 3)])


class PlyZstdDecoder:
    """Decodes zstd frames that hold exactly the PLY that the codec writes, no other dialect."""

    def decode(self, payload: bytes) -> Mesh:
        """Return the normalised mesh, vertices (V, 3) float32.

        Raises:
            ArchiveError: the bytes are not such a frame.
        """
        content = _decompress(payload)
        header = _HEADER.match(content)
        if header is None:
            raise ArchiveError("payload does not hold a PLY of the kind that ply-zstd writes")
        vertices, faces = int(header[1]), int(header[2])
        if len(content) != header.end() + vertices * _VERTEX.itemsize + faces * _FACE.itemsize:
            raise ArchiveError("payload holds a PLY of the wrong length")
        points = np.frombuffer(content, "<f4", 3 * vertices, header.end()).reshape(-1, 3)
        rows = np.frombuffer(content, _FACE, faces, header.end() + vertices * _VERTEX.itemsize)
        if (rows["size"] != 3).any():
            raise ArchiveError("payload holds a PLY with faces that are not triangles")
        return checked_mesh(points, rows["corners"])


class PlyZstdCodec(SingleMeshCodec):
    """Every mesh as a binary PLY file of float32 coordinates, in one zstd frame; nothing else is lost."""

    id: ClassVar[int] = 3
    name: ClassVar[str] = "ply-zstd"
    decoder = PlyZstdDecoder

    def code(self, mesh: Mesh, settings: Settings) -> CodedMesh:
        """Code a mesh."""
        return CodedMesh(frame_of(mesh))


def frame_of(mesh: Mesh) -> bytes:
    """Return the PLY of a mesh in a zstd frame."""
    content = encode_ply(Mesh(mesh.vertices.astype(np.float32), mesh.faces))
    return zstandard.ZstdCompressor(level=LEVEL).compress(content)


def _decompress(payload: bytes) -> bytes:
    try:
        size = zstandard.frame_content_size(payload)
        if not 0 <= size <= MAX_RAW_BYTES:
            raise ArchiveError(f"payload is a zstd frame of unknown size or of more than {MAX_RAW_BYTES} bytes")
        content: bytes = zstandard.ZstdDecompressor().decompress(payload, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ArchiveError(f"payload is not a zstd frame ({error})") from None
    return content
