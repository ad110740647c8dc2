"""Mutants of small archives, most of them with checksums that are right."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import google_crc32c
import zstandard

from meshset.archive import MeshEntry, SharedEntry
from meshset.archive.deflate import DICTIONARY
from meshset.archive.index import Index, pack_index
from meshset.archive.layout import (
    END_MAGIC,
    HEADER_SIZE,
    TRAILER_SIZE,
    Trailer,
    index_checksum,
    pack_header,
    pack_trailer,
)
from meshset.codecs.necgs.architecture import Architecture
from robustness.archive_seeds import NECGS, PAPER, PLY_ZSTD, Parts, necgs_set, paper_set
from robustness.mutations import mutated, number

NAMES = (
    *("", ".", "..", "../a", "/a", "a/../b", "a//b", "a/", "C:a", "a\\b", "NUL", "com1.ply", "a.", "a ", "a\n", "\0"),
    *("\x1b[2J", "\u2028", "a" * 256, "b/" * 3000, "Ünïcode/ß", "CONOUT$ .x", "a:b", "\x7f", "LPT¹"),
)


@dataclass(frozen=True)
class Mutant:
    """A changed archive.

    Attributes:
        kind: what was changed.
        data: its bytes.
        chunks: whether bytes that a codec reads were changed.
        suffix: what the name of a file with these bytes ends with.
    """

    kind: str
    data: bytes
    chunks: bool
    suffix: str = "mset"


def unchanged(seeds: Sequence[Parts]) -> list[Mutant]:
    """Return the seeds themselves, to be read whole."""
    return [Mutant("none", seed.data, True) for seed in seeds]


def mutant(rng: random.Random, seeds: Sequence[Parts]) -> Mutant:
    """Return a mutant of one of the seeds."""
    parts = rng.choice(seeds)
    kind = rng.choices(list(_KINDS), [weight for weight, _ in _KINDS.values()])[0]
    return Mutant(kind, _KINDS[kind][1](rng, parts, seeds), kind in _REACHING_CODECS)


def sealed(before: bytes, stored: bytes, raw_length: int, header: bytes = pack_header()) -> bytes:
    """Return header, chunks, index and a trailer that vouches for them."""
    trailer = Trailer(len(before) + len(stored), len(stored), raw_length, index_checksum(header, stored))
    return before + stored + pack_trailer(trailer)


def deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=DICTIONARY)
    return packer.compress(body) + packer.flush()


def chunks(parts: Parts) -> bytes:
    return parts.data[: parts.trailer.tail]


def _any_byte(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    return mutated(rng, parts.data, [seed.data for seed in seeds])


def _version(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    header = mutated(rng, pack_header(), [seed.data[:64] for seed in seeds])[:HEADER_SIZE].ljust(HEADER_SIZE, b"\0")
    if rng.random() < 0.5:
        header = parts.data[:8] + number(rng, 4).to_bytes(2, "little") + header[10:]
    stored = parts.data[parts.trailer.index_offset : parts.trailer.position]
    return sealed(header + chunks(parts)[HEADER_SIZE:], stored, parts.trailer.raw_length, header)


def _trailer(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    at = parts.trailer.position
    changed = parts.trailer
    for _ in range(rng.choice((1, 1, 2))):
        field, below = rng.choice(
            (("position", 1 << 64), ("stored_length", 1 << 32), ("raw_length", 1 << 32), ("copy", 1 << 8))
        )
        old = getattr(changed, field)
        near = (old + rng.randrange(-70, 70)) % below
        changed = replace(changed, **{field: near if rng.random() < 0.5 else number(rng, below)})
    if rng.random() < 0.5:
        # Keep what makes a trailer valid, so that what it states of the index counts.
        changed = replace(changed, position=at, stored_length=min(changed.stored_length, at))
        checksum = index_checksum(pack_header(), parts.data[changed.index_offset : at])
        changed = replace(changed, index_crc32c=checksum)
    return parts.data[:at] + pack_trailer(changed)


def _deflate_stream(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    stored = parts.data[parts.trailer.index_offset : parts.trailer.position]
    raw_length = parts.trailer.raw_length + rng.choice((0, 0, 0, -1, 1, 1000))
    return sealed(chunks(parts), mutated(rng, stored, [parts.body]), raw_length)


def _index_bytes(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    body = mutated(rng, parts.body, [seed.body for seed in seeds])
    return sealed(chunks(parts), deflated(body), len(body))


def _index_fields(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    meshes, shared = list(parts.index.meshes), list(parts.index.shared)
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randrange(len(meshes))
        meshes[place] = _changed_entry(rng, meshes[place])
        if shared and rng.random() < 0.2:
            place = rng.randrange(len(shared))
            field = rng.choice(("offset", "length", "codec_id"))
            shared[place] = replace(shared[place], **{field: number(rng, 1 << 16)})
        if rng.random() < 0.1:
            meshes.insert(rng.randrange(len(meshes) + 1), rng.choice(meshes))
    return _with_index(chunks(parts), Index(parts.index.settings, tuple(shared), tuple(meshes)))


def _changed_entry(rng: random.Random, entry: MeshEntry) -> MeshEntry:
    """Return an entry with another value in one field, which the columns of the index can just hold."""
    field = rng.choice(
        ("name", "codec_id", "shared", "offset", "length", "counts", "box", "distance", "notes", "state")
    )
    if field == "name":
        return replace(entry, name=rng.choice(NAMES))
    if field in ("offset", "length"):
        old = getattr(entry, field)
        near = max(0, old + rng.randrange(-40, 40))
        return replace(entry, **{field: near if rng.random() < 0.5 else number(rng, 1 << 62)})
    if field == "counts":
        return replace(entry, vertices=number(rng, 1 << 32), faces=number(rng, 1 << 62))
    if field == "box":
        values = [rng.choice((0.0, -0.0, 1.0, 1e-320, 1e308, -1e308, 0.1, 1e39, float("inf"), float("nan")))] * 6
        values[rng.randrange(6)] = rng.uniform(-10, 10)
        return replace(entry, lower=tuple(values[:3]), upper=tuple(values[3:]))
    if field == "distance":
        return replace(entry, mean_distance=rng.choice((-1.0, 0.0, float("inf"), 3e38, 1e-45)))
    if field == "state":
        rung, bound = rng.choice((("set", 0.01), ("alone", -1.0), ("refined", float("inf")), (None, 1.0), ("up", 1.0)))
        return replace(entry, rung=rung, bound=bound, generation=number(rng, 1 << 20), open_edges=number(rng, 1 << 40))
    if field == "notes":
        return replace(entry, notes=(rng.choice(NAMES), "note"))
    return replace(entry, **{field: number(rng, 1 << rng.choice((3, 16)))})


def _with_index(before: bytes, index: Index) -> bytes:
    try:
        stored, raw_length = pack_index(index)
    except Exception:  # what the index cannot even state is no mutant
        return before
    return sealed(before, stored, raw_length)


def _rebuilt(index: Index, shared: Sequence[bytes], payloads: Sequence[bytes]) -> bytes:
    """Return an archive of these chunks, one after the other, each with the right checksum."""
    content = bytearray(pack_header())
    parts: list[SharedEntry] = []
    meshes: list[MeshEntry] = []
    for part, data in zip(index.shared, shared, strict=True):
        parts.append(replace(part, offset=len(content), length=len(data), crc32c=google_crc32c.value(data)))
        content += data
    for mesh, data in zip(index.meshes, payloads, strict=True):
        meshes.append(replace(mesh, offset=len(content), length=len(data), crc32c=google_crc32c.value(data)))
        content += data
    return _with_index(bytes(content), Index(index.settings, tuple(parts), tuple(meshes)))


def _payload(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    payloads = list(parts.payloads)
    place = rng.randrange(len(payloads))
    payloads[place] = mutated(rng, payloads[place], payloads) or b"\0"
    return _rebuilt(_alone(parts.index, place), _needed(parts, place), [payloads[place]])


def _alone(index: Index, place: int) -> Index:
    """Return the index with one mesh and the shared part that it needs."""
    mesh = index.meshes[place]
    if mesh.shared is None:
        return Index(index.settings, (), (mesh,))
    return Index(index.settings, (index.shared[mesh.shared],), (replace(mesh, shared=0),))


def _needed(parts: Parts, place: int) -> list[bytes]:
    number = parts.index.meshes[place].shared
    return [] if number is None else [parts.shared[number]]


def _shared_part(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    parts = rng.choice([seed for seed in seeds if seed.shared])
    place = rng.choice([place for place, mesh in enumerate(parts.index.meshes) if mesh.shared is not None])
    (data,) = _needed(parts, place)
    others = [part for seed in seeds for part in seed.shared]
    return _rebuilt(_alone(parts.index, place), [mutated(rng, data, others)], [parts.payloads[place]])


def _mixed_up(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    """Give a mesh the payload, the codec or the decoder of another."""
    everything = seeds[-1]
    meshes, payloads = list(everything.index.meshes), list(everything.payloads)
    place, other = rng.randrange(len(meshes)), rng.randrange(len(meshes))
    change = rng.randrange(3)
    if change == 0:
        payloads[place] = payloads[other]
    elif change == 1:
        meshes[place] = replace(meshes[place], codec_id=meshes[other].codec_id)
    else:
        meshes[place] = replace(meshes[place], shared=meshes[other].shared)
    if rng.random() < 0.5:
        payloads[place] = mutated(rng, payloads[place], payloads) or b"\0"
    index = Index(everything.index.settings, everything.index.shared, tuple(meshes))
    return _rebuilt(_alone(index, place), _needed(replace(everything, index=index), place), [payloads[place]])


def _repacked(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    """Code something well that nobody would train or write: a decoder of absurd numbers, a PLY file full of errors."""
    kind, seed = rng.choice((NECGS, PAPER, PLY_ZSTD)), rng.getrandbits(32)
    if kind == PLY_ZSTD:
        place = rng.choice([place for place, mesh in enumerate(parts.index.meshes) if mesh.codec_id == PLY_ZSTD] or [0])
        parts = parts if parts.index.meshes[place].codec_id == PLY_ZSTD else seeds[-3]
        content = zstandard.ZstdDecompressor().decompress(parts.payloads[place])
        payload = zstandard.ZstdCompressor(level=1).compress(mutated(rng, content, [content]))
        return _rebuilt(_alone(parts.index, place), [], [payload])
    blocks = 4 if rng.random() < 0.1 else 3
    widths = tuple(rng.choice((1, 2, 3, 9)) for _ in range(blocks - (kind == NECGS and rng.random() < 0.5)))
    hidden = rng.choice((0, 1, 5)) if kind == NECGS else 0
    expands = kind == NECGS or rng.random() < 0.5
    shape = Architecture(4 << blocks, widths, hidden, rng.randrange(1, 5), rng.choice((1, 4)), expands)
    if kind == NECGS:
        largest = rng.choice((-30.0, -1.0, 1.0, 5.9))
        _, shared, payloads = necgs_set(shape, seed, lambda: 10 ** rng.uniform(max(-30.0, largest - 10), largest))
    else:
        _, shared, payloads = paper_set(shape, seed)
    place = next(place for place, mesh in enumerate(seeds[-1].index.meshes) if mesh.codec_id == kind)
    return _rebuilt(_alone(seeds[-1].index, place), [shared], payloads[:1])


def _appended(rng: random.Random, parts: Parts, seeds: Sequence[Parts]) -> bytes:
    """Put something behind the end: half a set, a trailer, end magics."""
    tail = rng.choice((rng.choice(seeds).data, parts.data[-TRAILER_SIZE:], END_MAGIC, rng.randbytes(60)))
    content = parts.data + mutated(rng, tail, [END_MAGIC, parts.data])
    return content[rng.choice((0, 0, 1, 16)) :]


_Change = Callable[[random.Random, Parts, Sequence[Parts]], bytes]
_KINDS: dict[str, tuple[float, _Change]] = {
    "any byte": (10, _any_byte),
    "header": (2, _version),
    "trailer": (6, _trailer),
    "deflate stream": (6, _deflate_stream),
    "index bytes": (29, _index_bytes),
    "index fields": (17, _index_fields),
    "payload": (14, _payload),
    "shared part": (10, _shared_part),
    "mixed up": (3, _mixed_up),
    "repacked": (1, _repacked),
    "appended": (2, _appended),
}
KINDS = tuple(_KINDS)
_REACHING_CODECS = ("payload", "shared part", "mixed up", "repacked")
