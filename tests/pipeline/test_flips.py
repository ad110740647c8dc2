"""A flipped bit is found wherever it is, and costs no more than what needs its byte."""

import random
import shutil
from pathlib import Path

import pytest

from meshset.archive import ArchiveReader
from meshset.errors import ArchiveError
from meshset.pipeline.verify import verify

THREE = Path(__file__).parents[1] / "data" / "three.mset"


def flip(path, place, bit):
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


@pytest.fixture
def copy(tmp_path):
    shutil.copy(THREE, tmp_path / "set.mset")
    return tmp_path / "set.mset"


def places(count):
    """Some bytes of each region: the decoder, each mesh, and whatever is neither."""
    with ArchiveReader(THREE) as reader:
        (shared,) = reader.shared
        owners = dict.fromkeys(range(shared.offset, shared.offset + shared.length), "decoder")
        for name, entry in reader.entries.items():
            owners |= dict.fromkeys(range(entry.offset, entry.offset + entry.length), name)
        elsewhere = [place for place in range(reader.size) if place not in owners]
        groups = {None: elsewhere}
        for owner in ("decoder", *reader.entries):
            groups[owner] = [place for place, of in owners.items() if of == owner]
    rng = random.Random(0)
    return [
        (owner, place) for owner, group in groups.items() for place in (group[0], group[-1], *rng.sample(group, count))
    ]


def test_one_bit_costs_one_mesh_or_is_refused(copy):
    names = verify(copy).whole
    for owner, place in places(4):
        bit = place % 8
        flip(copy, place, bit)
        if owner is None:
            with pytest.raises(ArchiveError):
                verify(copy)
        else:
            result = verify(copy)
            assert result.failures
            assert result.whole == (() if owner == "decoder" else tuple(name for name in names if name != owner))
        flip(copy, place, bit)
    assert copy.read_bytes() == THREE.read_bytes()
