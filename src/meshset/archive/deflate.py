"""The stream that an index is stored as: raw deflate, of version 1.1 on with a preset dictionary."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import pairwise

from meshset.archive.columns import Piece
from meshset.errors import ArchiveError

DICTIONARY = b"""\
colours dropped
normals dropped
materials dropped
textures dropped
texture coordinates dropped
Draco dropped faces whose corners are not three different points
Draco merged equal vertices or split those where the surface is not a manifold
simplified to 25% of its faces
not coded with its set:
1 part joined into one mesh
1 unreferenced vertex dropped
2 unreferenced vertices dropped
1 vertex of degenerate faces dropped
1 vertex merged with another at the same position
2 vertices merged with another at the same position
was inside out, at least in parts; turned
inside out: the faces look inward
1 part inside out: closed, but facing inward
2 parts inside out: closed, but facing inward
neighbouring faces disagree which side is outside
has holes: the side of 1% of the grid points near it is a guess
holes: 4 edges of only one face
non-manifold: 1 edge of three or more faces
non-manifold: 2 edges of three or more faces
1 duplicate face kept
2 duplicate faces kept
1 face without area
2 faces without area
{"merged":{"1":{"meshset":"0.1.0","codec":"necgs-paper","resolution":32,"objective":"render","report":\
{"engine":"narrow-band","epochs":300,"steps":1500,"loss":0.0,"bits":8,"float32_bytes":,"latent_numbers":}}},"2":\
"time_budget":,"target_size":,"target_ratio":,"parameters":{"budget":7200}},"codec":"ply-zstd","codec":"control-mesh"
{"meshset":"0.1.0","codec":"necgs","resolution":128,"field":"tsdf","preset":"best","device":"cuda","seed":0,"rate":,\
"max_error":0.00,"refused":0,"report":{"field_error":0.0,"rate_weight":7e-07,"steps":,"estimated_bytes":,\
"coded_bytes":,"parameters":}}
{"meshset":"0.1.0","codec":"draco","resolution":64,"field":"tsdf-def","preset":"fast","device":"cpu","seed":0,\
"refused":0,"parameters":{"quantisation":11,"kept":1.0}}
{"meshset":"0.1.0","codec":"necgs","resolution":64,"field":"tsdf-def","preset":"balanced","device":"cpu","seed":0,\
"refused":0,"report":{"field_error":0.0"""
"""What an index often says: notes of meshes, and settings. It is part of the format and never changes."""


def deflate(pieces: Sequence[Piece], dictionary: bytes = b"") -> bytes:
    """Return `pieces` as one raw deflate stream, in blocks that suit them.

    One Huffman code for text and noise suits neither, but a small index does not earn many codes back.
    """
    changes = [one.noise != after.noise for one, after in pairwise(pieces)]
    plans = ([False] * len(pieces), [*changes, False], [True] * len(pieces))
    return min((_deflated(pieces, plan, dictionary) for plan in plans), key=len)


def inflate(stored: bytes, raw_length: int, dictionary: bytes = b"") -> bytes:
    """Return what a stream holds. Raises ArchiveError unless that is `raw_length` bytes and nothing follows."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, dictionary)
    try:
        # One byte more than promised: enough to see that a stream goes on, too little to do harm.
        raw = unpacker.decompress(stored, raw_length + 1)
    except zlib.error:
        raise ArchiveError("index is damaged: it cannot be decompressed") from None
    if len(raw) != raw_length or not unpacker.eof or unpacker.unused_data:
        raise ArchiveError("index is damaged: it does not have the length that the trailer states")
    return raw


def _deflated(pieces: Sequence[Piece], new_block: Sequence[bool], dictionary: bytes) -> bytes:
    """Return one stream, with a new block behind each piece for which `new_block` holds."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY, dictionary)
    parts = []
    for piece, ends in zip(pieces, new_block, strict=True):
        parts.append(packer.compress(piece.data))
        if ends:
            parts.append(packer.flush(zlib.Z_BLOCK))
    return b"".join([*parts, packer.flush()])
