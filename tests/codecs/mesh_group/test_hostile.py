"""Golden bytes, and bytes that lie."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from meshset.codecs.control_mesh.bitstream import Header, code_header
from meshset.codecs.mesh_group.decoding import MOVED, SAME, GroupDecoder, code_kind
from meshset.codecs.mesh_group.encoding import same_as
from meshset.codecs.mesh_group.group import MOST_INNER, decode_group
from meshset.codecs.mesh_group.motion import Motion
from meshset.coding.adaptive import Writer
from meshset.coding.parsing import ByteReader, varint
from meshset.errors import ArchiveError
from tests.codecs.mesh_group.golden import GOLDEN, digest

SHARED = (GOLDEN / "shared.bin").read_bytes()
PAYLOADS = [bytes.fromhex(line.split()[0]) for line in (GOLDEN / "payloads.txt").read_text().splitlines()]
DIGESTS = [line.split()[1] for line in (GOLDEN / "payloads.txt").read_text().splitlines()]


def with_inner(inner: list[bytes]) -> bytes:
    """Return the golden shared part with other inner members."""
    head = ByteReader(SHARED)
    data = head.take(head.varint())
    parts = [varint(len(data)), data, varint(len(inner)), *(varint(len(one)) + one for one in inner)]
    return b"".join(parts)


def sound(chunk: bytes | GroupDecoder, payload: bytes) -> bool:
    """Whether bytes decode, to a sound mesh; anything but an ArchiveError is a fault."""
    try:
        mesh = (GroupDecoder(chunk) if isinstance(chunk, bytes) else chunk).decode(payload)
    except ArchiveError:
        return False
    assert np.isfinite(mesh.vertices).all()
    assert mesh.faces.min() >= 0
    assert mesh.faces.max() < len(mesh.vertices)
    return True


def test_golden_bytes_decode_to_the_same_integers():
    decoder = GroupDecoder(SHARED)
    assert [digest(decoder, payload) for payload in PAYLOADS] == DIGESTS


def test_every_bit_of_payloads_may_lie():
    decoder = GroupDecoder(SHARED)
    for payload in PAYLOADS:
        assert sound(decoder, payload)
        for bit in range(8 * len(payload)):
            content = bytearray(payload)
            content[bit // 8] ^= 1 << bit % 8
            sound(decoder, bytes(content))
        for length in range(len(payload)):
            sound(decoder, payload[:length])


def test_every_byte_of_the_shared_part_may_lie():
    rng = np.random.default_rng(0)
    for place in range(len(SHARED)):
        content = bytearray(SHARED)
        content[place] ^= int(rng.integers(1, 256))
        sound(bytes(content), PAYLOADS[place % len(PAYLOADS)])
    for length in range(len(SHARED)):
        assert not sound(SHARED[:length], PAYLOADS[0])
    assert not sound(SHARED + b"\0", PAYLOADS[0])


def test_a_payload_of_another_group_is_a_mesh_or_an_error():
    rng, decoder = np.random.default_rng(1), GroupDecoder(SHARED)
    for _ in range(300):
        sound(decoder, rng.bytes(int(rng.integers(1, 40))))


def test_a_damaged_inner_member_costs_only_those_that_need_it():
    group = decode_group(SHARED)
    assert len(group.inner) > 1
    for lost in range(len(group.inner)):
        inner = [b"\xff" * 300 if k == lost else one for k, one in enumerate(group.inner)]
        decoder = GroupDecoder(with_inner(inner))
        whole = GroupDecoder(SHARED)
        for place in range(lost):
            payload = same_as(place, len(group.inner), is_reversed=False)
            assert digest(decoder, payload) == digest(whole, payload)


def test_members_that_refer_to_nothing_are_refused():
    empty = GroupDecoder(with_inner([]))
    for kind in SAME, MOVED:
        writer = Writer()
        code_kind(writer, kind, is_reversed=False)
        with pytest.raises(ArchiveError, match="has none"):
            empty.decode(writer.to_bytes())


def test_too_many_inner_members_are_refused():
    decode_group(with_inner(MOST_INNER * [b""]))
    with pytest.raises(ArchiveError, match="too many inner"):
        decode_group(with_inner((MOST_INNER + 1) * [b""]))


def test_a_chain_of_as_many_references_as_there_can_be_is_followed():
    group = decode_group(SHARED)
    decoder = GroupDecoder(with_inner([group.inner[0], *[group.inner[1]] * (MOST_INNER - 1)]))
    with suppress(ArchiveError):
        decoder.decode(same_as(MOST_INNER - 1, MOST_INNER, is_reversed=False))
    first = same_as(0, MOST_INNER, is_reversed=False)
    assert digest(decoder, first) == digest(GroupDecoder(SHARED), same_as(0, len(group.inner), is_reversed=False))


@pytest.mark.parametrize("vertices", [1000, 1 << 20])
def test_a_few_bytes_ask_for_little(vertices):
    writer = Writer()
    code_header(writer, Header(3, True, True, 0, 2, vertices))
    head = writer.to_bytes().ljust(10, b"\0")
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(ArchiveError, match="more vertices than its bytes"):
            GroupDecoder(varint(len(head)) + head + varint(0))
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 2


def test_a_motion_far_away_stays_on_the_grid():
    moved = replace(Motion.NONE, scale=1 << 18, move=((1 << 22) - 1, 0, -(1 << 22)))
    points = moved.applied([(4.0 * (1 << 20), 0.0, -4.0 * (1 << 20))])
    assert points == [(float(1 << 22), 0.0, -float(1 << 22))]
