"""Archives made by earlier versions decode to the same meshes for ever: the same integers, the same shape.

`three.mset` was made with version 0.1.0 by

    meshset sample models --count 3 && meshset compress models -o three.mset --preset fast --resolution 32

with 900 visits in place of the preset's, and `gear64.mset` from one of the samples at K = 64, with 2,000.
`crosses.mset` is `three.mset` made anew, with a weight of bits of 2e-6, when kernels had become crosses.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import meshset
from meshset.archive import ArchiveReader
from meshset.codecs.necgs.bitstream import unpack_latent, unpack_shared

DATA = Path(__file__).parents[2] / "data"
EXPECTED = json.loads((DATA / "expected.json").read_text())


def digest(path: Path, name: str) -> str:
    """Hash every whole number that a mesh's bits stand for."""
    with ArchiveReader(path) as reader:
        part = unpack_shared(reader.read_shared(0))
        numbers = [tensor.numbers for tensor in part.weights.values()]
        numbers.append(unpack_latent(reader.read_payload(name), part.latent_models))
    return hashlib.sha256(b"".join(n.astype("<i4").tobytes() for n in numbers)).hexdigest()


def test_every_archive_is_expected() -> None:
    assert sorted(EXPECTED) == sorted(path.name for path in DATA.glob("*.mset"))


@pytest.mark.parametrize("file", sorted(EXPECTED))
def test_old_archive_decodes_to_the_same_meshes(file: str) -> None:
    with meshset.open(DATA / file) as archive:
        assert sorted(archive) == sorted(EXPECTED[file])
        for name, mesh in archive.items():
            expected = EXPECTED[file][name]
            assert digest(DATA / file, name) == expected["numbers"]
            solid = mesh.to_trimesh()
            assert abs(len(mesh.faces) - expected["faces"]) <= 0.001 * expected["faces"]
            assert solid.area == pytest.approx(expected["area"], rel=1e-4)
            assert solid.volume == pytest.approx(expected["volume"], rel=1e-4)
